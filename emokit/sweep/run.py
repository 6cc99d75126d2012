"""A sweep from its settings to its result files: begun, joined or resumed, and its workers supervised."""

import contextlib
import json
import time
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

from emokit import runs
from emokit.data.prepared import open_prepared
from emokit.errors import DataError, UsageError, WorkError
from emokit.files import refuse_links, write_json
from emokit.locks import Held, hold, release, released_on_error
from emokit.read_files import in_words
from emokit.safe_text import mask_secrets
from emokit.schema.base import read_checked, validated
from emokit.schema.sweep import Storage, Sweep
from emokit.settings import flat, inputs_of
from emokit.sweep import storage as storages
from emokit.sweep import summary
from emokit.sweep.journal import damaged
from emokit.sweep.plan import Plan
from emokit.sweep.settings import SweepSettings, refuse_old
from emokit.sweep.space import check_data, check_resolved, grid_size
from emokit.sweep.train_point import HELD_OUT, train_point
from emokit.sweep.worker import Order, Worker, run_worker
from emokit.workers import WATCH_SECONDS, WORKERS, worker_pool

STORAGE = runs.STORAGE
STUDY_ATTR = "emokit"
MOST_POINTS = 100_000  # of a grid, which is listed as a whole
WRITE_SECONDS = 10.0


def begin(
    sweep: SweepSettings, data: Path, run: Path, url: str | None = None, *, device: str = "auto", force: bool = False
) -> Plan:
    """Make a sweep's folder and its study, or join a study in a shared storage.

    This process holds the folder's lock until the work ends, so that no other replaces the folder.

    Raises:
        UsageError: the folder exists, the storage is unreachable, or its study has other settings.
        DataError: its study uses other data, or no point can be trained on the data.
        WorkError: the folder cannot be written.
    """
    check_startable(sweep, run, url, data, force=force)
    prepared = open_prepared(data)
    check_data(sweep, prepared, HELD_OUT)
    if url:
        _check_study(storages.open_storage(url, run), sweep, prepared.fingerprint, url, data)
    seed = sweep.seed
    runs.start(
        run, sweep, seed=seed, device=device, data=prepared.folder, fingerprint=prepared.fingerprint, force=force
    )
    with released_on_error(run):
        write_json(run / STORAGE, {"url": url and storages.public_url(url)})
        return _open(sweep, run, url, prepared.fingerprint)


def check_startable(
    sweep: SweepSettings, run: Path, url: str | None = None, data: Path | None = None, *, force: bool = False
) -> None:
    """Refuse what `begin` refuses before it reads data or asks a server; arguments as those of `begin`.

    Raises:
        UsageError: the grid is too large, the folder exists, or the storage's URL is wrong.
    """
    if sweep.is_grid and (size := grid_size(sweep)) > MOST_POINTS:
        raise UsageError(
            f"The space has a grid of {size} points and at most {MOST_POINTS} can be trained; vary less, or sample it with "
            "choice: in place of grid: and a budget."
        )
    if url:
        storages.parse_url(url)
    if (run / runs.SETTINGS).exists() and not force:
        if not (run / STORAGE).exists():
            raise UsageError(f"{run} exists and is no complete sweep; replace it with --force, or name another --run.")
        raise UsageError(
            f"{run} exists; resume it with `emokit sweep --resume {run}`, replace it with --force, or name another --run."
        )
    runs.check_startable(run, resume=False, force=force, inputs=inputs_of(sweep, data))


def resume(run: Path, url: str | None = None, data: Path | None = None) -> tuple[Plan, str | None, Path]:
    """Open a sweep to continue it; what failed is retried.

    Returns:
        the plan, the storage's URL and the prepared folder.

    Raises:
        UsageError: the folder is no sweep, the storage is unreachable, or its study has other settings.
        DataError: the data differ from the sweep's, a file is damaged, or an older emokit made the sweep.
    """
    sweep = check_sweep(run)
    if not url:
        _check_settings(read_plan(run))  # what is damaged must not be written into
    environment = runs.read_environment(run)
    folder = data or Path(environment.get("data") or "prepared")
    if open_prepared(folder).fingerprint != environment.get("data_fingerprint", ""):
        raise DataError(f"{run} was begun with other data than {folder}; resume it with its original --data.")
    if url:
        _check_study(storages.open_storage(url, run), sweep, environment.get("data_fingerprint", ""), url, folder)
    with contextlib.suppress(Held):  # several commands may work on one sweep
        hold(run)
    with released_on_error(run):
        plan = _open(sweep, run, url, environment.get("data_fingerprint", ""))
        plan.retry_failed()
    return plan, url, folder


def read_plan(run: Path, url: str | None = None) -> Plan:
    """Open a sweep to show its state; nothing is retried.

    Raises:
        UsageError: the folder is no sweep, or the storage is unreachable.
        DataError: a file is damaged, or an older emokit made the sweep.
    """
    sweep = check_sweep(run)
    if not url:
        check_no_server(run)
        journal = run / storages.JOURNAL
        if (run / Plan.TRIALS).exists() and not (journal.exists() and journal.stat().st_size):
            state = "is empty" if journal.exists() else "is gone"
            raise damaged(journal, f"it {state}, and points were trained")
    plan = Plan(sweep, run, storages.open_storage(url, run, shows=True))
    _check_trials(plan, url)
    return plan


def _check_trials(plan: Plan, url: str | None) -> None:
    """Refuse trials that emokit did not write, before anything is shown or added."""
    try:
        validated(Sweep, summary.summarise(plan))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"its trials have no {error}" if isinstance(error, KeyError) else in_words(error)
        if url:
            raise DataError(
                f"The study {plan.sweep.name} in {storages.public_url(url)} is damaged ({reason}); give the sweep another name."
            ) from error
        raise damaged(plan.run / storages.JOURNAL, reason) from error


def check_sweep(run: Path) -> SweepSettings:
    """The settings of a sweep's folder.

    Raises:
        UsageError: the folder is no sweep.
        DataError: it has a link in it, or an emokit with other names of settings made it.
    """
    refuse_links(run)
    if not (run / STORAGE).exists():
        if (run / Plan.TRIALS).exists():
            raise damaged(run / STORAGE, "it is gone, and points were trained")
        if (run / runs.SETTINGS).exists() and "space" in runs.read_settings(run):
            raise UsageError(f"{run} was interrupted before its first point; begin the sweep again with --force.")
        raise UsageError(f"{run} has no {STORAGE}, so it is no sweep; name a folder that `emokit sweep` made.")
    settings = runs.read_settings(run)
    refuse_old(run, settings)
    source = run / runs.SETTINGS
    check_resolved(SweepSettings.make(settings, str(source), DataError), source)
    return SweepSettings.resolved(settings, str(source))


def check_no_server(run: Path) -> None:
    """Refuse a sweep whose storage is a server: a folder from somebody else must not choose whom the user's password is sent to.

    Raises:
        UsageError: names the server.
    """
    url = read_checked(Storage, run / STORAGE, "name a folder that `emokit sweep` made")["url"]
    if url:
        raise UsageError(
            f"{run} has its storage at {mask_secrets(str(url))}, and no server is contacted that the command does not name; "
            "add --storage with its URL, the password included."
        )


def order(plan: Plan, url: str | None, data: Path, device: str, precision: str, hours: float | None = None) -> Order:
    """What each worker of a sweep is given."""
    hours = hours if hours is not None else plan.sweep.budget.hours
    deadline = None if hours is None else time.time() + 3600 * hours
    make_train_point = partial(train_point, plan.sweep.experiment.modality, data, device, precision)
    return Order(plan.run, url, data, make_train_point, deadline)


def watch(plan: Plan, order: Order, workers: int, devices: int = 0) -> Generator[dict[str, Any], None, None]:
    """Start the workers, replace killed ones, and yield the sweep's summary every second.

    Args:
        plan: the sweep.
        order: what each worker is given.
        workers: number of processes.
        devices: number of GPUs, assigned to the workers in turn; 0 for none.

    Raises:
        WorkError: every worker ended with an error.
    """
    last_write = 0.0
    try:
        with worker_pool(run_worker, plan.run / WORKERS, workers, devices) as pool:
            for worker in pool:
                worker.submit(order)
            # A list, not any(): `is_busy` of every worker must be called, because it replaces a killed one.
            while [worker for worker in pool if worker.is_busy()]:
                result = summary.summarise(plan)
                if time.monotonic() - last_write > WRITE_SECONDS:
                    summary.write(plan, result)
                    last_write = time.monotonic()
                yield result
                time.sleep(WATCH_SECONDS)
    finally:
        result = summary.summarise(plan, importance=True)
        summary.write(plan, result)
        release(plan.run)
    errors = [worker.error for worker in pool if worker.error]
    if len(errors) == len(pool):
        raise WorkError(f"{str(errors[0]).rstrip('.')}; resume with `{order.resume_command}` when that is fixed.")
    yield result


def work_here(plan: Plan, order: Order) -> dict[str, Any]:
    """Do all work of a sweep in this process; returns its summary."""
    try:
        Worker(plan, order.make_train_point(), order.deadline).run()
        result = summary.summarise(plan, importance=True)
        summary.write(plan, result)
    finally:
        release(plan.run)
    return result


def _open(sweep: SweepSettings, run: Path, url: str | None, fingerprint: str) -> Plan:
    plan = Plan(sweep, run, storages.open_storage(url, run))
    plan.search.study.set_user_attr(STUDY_ATTR, _identity(sweep, fingerprint))
    plan.search.fill()
    return plan


def _identity(sweep: SweepSettings, fingerprint: str) -> dict[str, Any]:
    """What all commands that work on one study must have in common."""
    settings = flat(sweep.as_dict())
    settings.pop("budget.hours")  # the time limit of a command, which may differ
    return {"settings": json.loads(json.dumps(settings)), "data_fingerprint": fingerprint}


def _check_settings(plan: Plan) -> None:
    """Refuse settings that somebody changed since the first points were trained with them."""
    before = (plan.search.study.user_attrs.get(STUDY_ATTR) or {}).get("settings", {})
    now = _identity(plan.sweep, "")["settings"]
    for key in sorted(before.keys() & now.keys()):  # a later emokit may have more
        if before[key] != now[key]:
            raise DataError(
                f"{plan.run / runs.SETTINGS} has {key} = {now[key]!r} and the sweep was begun with {before[key]!r}; put that "
                "back, or sweep into another folder with --run."
            )


def _check_study(storage: Any, sweep: SweepSettings, fingerprint: str, url: str, data: Path) -> None:
    """If the storage has a study of this name, it must have the same settings and data."""
    study = {study.study_name: study for study in storage.get_all_studies()}.get(sweep.name)
    if study is None:
        return
    before, now = study.user_attrs.get(STUDY_ATTR), _identity(sweep, fingerprint)
    study_name = f"The study {sweep.name} in {storages.public_url(url)}"
    if before is None:
        raise UsageError(f"{study_name} was not made by emokit; give the sweep another name.")
    for key in sorted(before["settings"].keys() | now["settings"].keys()):
        value_before, value_now = before["settings"].get(key), now["settings"].get(key)
        if value_before != value_now:
            raise UsageError(
                f"{study_name} has {key} = {value_before!r} and this sweep has {value_now!r}; "
                "join it with the same file, or give the sweep another name."
            )
    if before.get("data_fingerprint") != fingerprint:
        raise DataError(
            f"{study_name} uses other data than {data}; prepare the same data, or give the sweep another name."
        )
