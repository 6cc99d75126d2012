"""A sweep from its first look at the space to its last file: begun, joined or gone on with, its workers watched over."""

import json
import time
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

from emokit import runs
from emokit.data.prepared import open_prepared
from emokit.errors import DataError, UsageError, WorkError
from emokit.files import read_json, write_json
from emokit.settings import flat
from emokit.sweep import storage as storages
from emokit.sweep import summary
from emokit.sweep.plan import Plan
from emokit.sweep.settings import SweepSettings
from emokit.sweep.wings import train_point
from emokit.sweep.worker import Order, Worker, carry_out
from emokit.workers import WATCH_SECONDS, WORKERS, worker_pool

STORAGE = "storage.json"
ABOUT = "emokit"
WRITE_SECONDS = 10.0


def begin(
    sweep: SweepSettings, data: Path, run: Path, url: str | None = None, *, device: str = "auto", force: bool = False
) -> Plan:
    """Make a sweep's folder and its study, or join a study that lies in a shared storage.

    Raises:
        UsageError: the folder exists, the storage is not to be had, or its study was started with another space.
        DataError: its study was started on other data.
        WorkError: the folder cannot be written.
    """
    prepared = open_prepared(data)
    if (run / runs.SETTINGS).exists() and not force:
        raise UsageError(
            f"{run} was begun; go on with it by `emokit sweep --resume {run}`, replace it with --force, or name another --run."
        )
    if url:
        _check_study(storages.open_storage(url, run), sweep, prepared.fingerprint, url, data)
    seed = sweep.seed
    runs.start(
        run, sweep, seed=seed, device=device, data=prepared.folder, fingerprint=prepared.fingerprint, force=force
    )
    write_json(run / STORAGE, {"url": url and storages.shown(url)})
    return _opened(sweep, run, url, prepared.fingerprint)


def resume(run: Path, url: str | None = None, data: Path | None = None) -> tuple[Plan, str | None, Path]:
    """Open a sweep that was begun, to go on with it: what failed by itself is tried again.

    Returns:
        the plan, the storage's URL and the prepared folder.

    Raises:
        UsageError: the folder is no sweep, the storage is not to be had, or its study was started with another space.
        DataError: the data are others than it was begun on, or a file is damaged.
    """
    sweep = check_sweep(run)
    url = url or url_of(run)
    environment = runs.read_environment(run)
    folder = data or Path(str(environment["data"]))
    if open_prepared(folder).fingerprint != environment["data_fingerprint"]:
        raise DataError(f"{run} was begun on other data than {folder}; resume with the --data it was begun with.")
    if url:
        _check_study(storages.open_storage(url, run), sweep, environment["data_fingerprint"], url, folder)
    plan = _opened(sweep, run, url, environment["data_fingerprint"])
    plan.retry_failed()
    return plan, url, folder


def look(run: Path, url: str | None = None) -> Plan:
    """Open a sweep for a look at it."""
    return Plan(check_sweep(run), run, storages.open_storage(url or url_of(run), run))


def check_sweep(run: Path) -> SweepSettings:
    """The settings of a sweep's folder.

    Raises:
        UsageError: it is none.
    """
    if not (run / STORAGE).exists():
        raise UsageError(f"{run} has no {STORAGE}, so it is no sweep; name a folder that `emokit sweep` made.")
    return SweepSettings.make(runs.read_settings(run), str(run / runs.SETTINGS))


def url_of(run: Path) -> str | None:
    """Where a sweep's trials are kept; None for its own journal."""
    url = read_json(run / STORAGE)["url"]
    if url and "***" in url:
        raise UsageError(f"{run} keeps its trials in {url}; give --storage with the password too.")
    return str(url) if url else None


def order(plan: Plan, url: str | None, data: Path, device: str, precision: str, hours: float | None = None) -> Order:
    """What the workers of a sweep are told."""
    hours = hours if hours is not None else plan.sweep.budget.hours
    until = None if hours is None else time.time() + 3600 * hours
    return Order(
        plan.run,
        url,
        data,
        partial(train_point, plan.sweep.experiment.modality, data, device, precision),
        until,
    )


def watch(plan: Plan, order: Order, workers: int, devices: int = 0) -> Generator[dict[str, Any], None, None]:
    """Start the workers, put another in the place of one that is killed, and yield how the sweep stands every second.

    Args:
        plan: the sweep.
        order: what each worker is told.
        workers: how many.
        devices: GPUs that they share, one each in turn; 0 for none.

    Raises:
        WorkError: every worker has ended by an error.
    """
    written = 0.0
    try:
        with worker_pool(carry_out, plan.run / WORKERS, workers, devices) as pool:
            for worker in pool:
                worker.submit(order)
            # All are asked, not the first that is at work alone: whoever was killed is replaced now.
            while [worker for worker in pool if worker.is_busy()]:
                found = summary.summarise(plan)
                if time.monotonic() - written > WRITE_SECONDS:
                    summary.write(plan, found)
                    written = time.monotonic()
                yield found
                time.sleep(WATCH_SECONDS)
    finally:
        found = summary.summarise(plan, importance=True)
        summary.write(plan, found)
    errors = [worker.error for worker in pool if worker.error]
    if len(errors) == len(pool):
        raise WorkError(
            f"{str(errors[0]).rstrip('.')}; go on with `emokit sweep --resume {plan.run}` when that is mended."
        )
    yield found


def work_here(plan: Plan, order: Order) -> dict[str, Any]:
    """Do all of a sweep's work in this process; returns what it came to."""
    Worker(plan, order.train(), order.until).work()
    found = summary.summarise(plan, importance=True)
    summary.write(plan, found)
    return found


def _opened(sweep: SweepSettings, run: Path, url: str | None, fingerprint: str) -> Plan:
    plan = Plan(sweep, run, storages.open_storage(url, run))
    plan.search.study.set_user_attr(ABOUT, _about(sweep, fingerprint))
    plan.search.fill()
    return plan


def _about(sweep: SweepSettings, fingerprint: str) -> dict[str, Any]:
    settings = flat(sweep.as_dict())
    settings.pop("budget.hours")  # how long one command works is that command's own affair
    return {"settings": json.loads(json.dumps(settings)), "data_fingerprint": fingerprint}


def _check_study(storage: Any, sweep: SweepSettings, fingerprint: str, url: str, data: Path) -> None:
    """A study of that name must be of this space and these data."""
    found = {study.study_name: study for study in storage.get_all_studies()}.get(sweep.name)
    if found is None:
        return
    before, now = found.user_attrs.get(ABOUT), _about(sweep, fingerprint)
    where = f"The study {sweep.name} in {storages.shown(url)}"
    if before is None:
        raise UsageError(f"{where} was not made by emokit; give the sweep another name.")
    for key in sorted(before["settings"].keys() | now["settings"].keys()):
        then, here = before["settings"].get(key), now["settings"].get(key)
        if then != here:
            raise UsageError(
                f"{where} was started with {key} = {then!r} and this sweep has {here!r}; "
                "join it with the same file, or give the sweep another name."
            )
    if before["data_fingerprint"] != fingerprint:
        raise DataError(
            f"{where} was started on other data than {data}; prepare the same, or give the sweep another name."
        )
