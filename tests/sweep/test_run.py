import errno
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from emokit import runs
from emokit.errors import DataError, UsageError, WorkError
from emokit.sweep import run as work
from emokit.sweep.plan import Plan
from emokit.sweep.run import begin, look, order, resume, watch, work_here
from emokit.sweep.settings import SweepSettings
from emokit.sweep.storage import open_storage
from emokit.sweep.summary import summarise
from emokit.sweep.worker import Order

Make = Callable[..., SweepSettings]

HANDS = '''
import os
import signal
import time

import made_up
from emokit.errors import WorkError


def killed_once():
    """Training whose process is killed in the first point that it meets, once."""
    plain = made_up.training(0)

    def train(settings, folder, on_epoch):
        flag = folder.parent / "killed"
        if not flag.exists():
            flag.mkdir(parents=True)
            os.kill(os.getpid(), signal.SIGKILL)
        plain(settings, folder, on_epoch)

    return train


def second_killed():
    """Training whose second worker is killed once; the first one waits for it to be replaced."""
    plain = made_up.training(0)

    def train(settings, folder, on_epoch):
        sweep = folder.parent.parent
        log = sweep / "workers" / "1.log"  # the other's may not be there yet
        if not (log.exists() and os.path.samestat(os.fstat(1), os.stat(log))):
            for _ in range(600):
                if (sweep / "replaced").exists():
                    return plain(settings, folder, on_epoch)
                time.sleep(0.1)
            print("Nobody came.", flush=True)
        if not (sweep / "killed").exists():
            (sweep / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        (sweep / "replaced").touch()
        return plain(settings, folder, on_epoch)

    return train


def full():
    def train(settings, folder, on_epoch):
        raise WorkError("The disk that holds it is full; free some space.")

    return train
'''


@pytest.fixture
def pool(crew: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Trainings that a worker's process can import."""
    import made_up  # type: ignore[import-not-found]

    monkeypatch.setattr("emokit.workers.WATCH_SECONDS", 0.1)
    Path(made_up.__file__).with_name("pool.py").write_text(HANDS)
    monkeypatch.delitem(sys.modules, "pool", raising=False)
    import pool  # type: ignore[import-not-found]

    return pool


@pytest.fixture
def begun_with(tmp_path: Path, small_prepared: Path) -> Callable[..., tuple[Plan, Order]]:
    """Begins a sweep as the command does; nothing of it needs torch."""

    def begin_with(sweep: SweepSettings, train: Any = None) -> tuple[Plan, Order]:
        plan = begin(sweep, small_prepared, tmp_path / "sweep", device="cpu")
        return plan, replace(order(plan, None, small_prepared, "cpu", "auto"), train=train)

    return begin_with


def test_a_worker_that_is_killed_is_replaced(begun_with: Any, made_up: Make, pool: Any) -> None:
    plan, told = begun_with(made_up(space={"training.lr": {"grid": [0.05, 0.1, 0.2]}}), pool.killed_once)
    *_, found = watch(plan, told, 1)
    assert found["counts"]["complete"] == 3
    assert sorted(entry["attempt"] for entry in found["trials"]) == [0, 0, 1]
    assert found == json.loads((plan.run / "sweep.json").read_text())


def test_a_worker_is_replaced_while_the_others_are_at_work(begun_with: Any, made_up: Make, pool: Any) -> None:
    plan, told = begun_with(made_up(), pool.second_killed)
    *_, found = watch(plan, told, 2)
    assert found["counts"]["complete"] == 12
    assert "Nobody came." not in (plan.run / "workers" / "0.log").read_text()
    assert (plan.run / "killed").exists()


def test_when_every_worker_has_ended_by_an_error_it_is_told_and_nothing_is_lost(
    begun_with: Any, made_up: Make, pool: Any
) -> None:
    plan, told = begun_with(made_up(), pool.full)
    with pytest.raises(WorkError) as error:
        list(watch(plan, told, 1))
    assert str(error.value) == (
        "The disk that holds it is full; free some space; "
        f"go on with `emokit sweep --resume {plan.run}` when that is mended."
    )
    assert json.loads((plan.run / "sweep.json").read_text())["counts"]["waiting"] == 12


def test_a_sweep_is_gone_on_with_on_its_own_data_only(
    begun_with: Any, made_up: Make, tmp_path: Path, text_prepared: Path
) -> None:
    plan, _ = begun_with(made_up())
    with pytest.raises(DataError) as error:
        resume(plan.run, data=text_prepared)
    assert str(error.value) == (
        f"{plan.run} was begun on other data than {text_prepared}; resume with the --data it was begun with."
    )
    opened, url, data = resume(plan.run)
    assert (opened.sweep, url, data) == (plan.sweep, None, Path(runs.read_environment(plan.run)["data"]))


def test_what_failed_is_tried_again_when_the_sweep_is_gone_on_with_confirming_included(
    begun_with: Any, made_up: Make, crew: Any
) -> None:
    import made_up as module

    broken = True

    def train(settings: Any, folder: Path, on_epoch: Any) -> None:
        if broken and settings.training.seed == 2:
            raise RuntimeError("a cable came loose")
        module.training(0)(settings, folder, on_epoch)

    plan, told = begun_with(made_up(confirm={"best": 1, "seeds": 2}), lambda: train)
    found = work_here(plan, told)
    assert [entry["state"] for entry in found["confirmations"]] == ["complete", "failed"]
    broken = False
    again, _, _ = resume(plan.run)
    found = work_here(again, told)
    assert [entry["state"] for entry in found["confirmations"]] == ["complete", "complete"]
    assert found["best"]["is_confirmed"]


def test_a_folder_that_was_begun_is_not_begun_again_unless_forced(
    begun_with: Any, made_up: Make, small_prepared: Path
) -> None:
    plan, _ = begun_with(made_up())
    with pytest.raises(UsageError) as error:
        begin(made_up(), small_prepared, plan.run)
    assert str(error.value) == (
        f"{plan.run} was begun; go on with it by `emokit sweep --resume {plan.run}`, "
        "replace it with --force, or name another --run."
    )
    small = made_up(space={"training.lr": {"grid": [0.1]}})
    assert len(summarise(begin(small, small_prepared, plan.run, force=True))["trials"]) == 1


def test_a_study_that_was_started_with_another_space_or_other_data_says_what_differs(
    begun_with: Any,
    made_up: Make,
    small_prepared: Path,
    text_prepared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan, _ = begun_with(made_up())
    # The journal stands in for a database that two machines share.
    monkeypatch.setattr(work.storages, "open_storage", lambda url, run: open_storage(None, plan.run))
    shared, elsewhere = "postgresql://host/sweeps", tmp_path / "elsewhere"
    where = "The study sweep in postgresql+psycopg://host/sweeps was started"
    with pytest.raises(UsageError) as error:
        begin(made_up(pruner="median"), small_prepared, elsewhere, shared)
    assert str(error.value) == (
        f"{where} with pruner = 'none' and this sweep has 'median'; "
        "join it with the same file, or give the sweep another name."
    )
    with pytest.raises(DataError) as problem:
        begin(made_up(), text_prepared, elsewhere, shared)
    assert str(problem.value) == (
        f"{where} on other data than {text_prepared}; prepare the same, or give the sweep another name."
    )
    assert not elsewhere.exists()
    joined = begin(made_up(budget={"hours": 2}), small_prepared, elsewhere, shared)
    assert len(joined.search.study.trials) == 12
    assert resume(plan.run, shared)[0].sweep == plan.sweep
    settings = plan.run / "settings.yaml"
    settings.write_text(settings.read_text().replace("pruner: none", "pruner: median"))
    with pytest.raises(UsageError, match=r" was started with pruner = 'none' and this sweep has 'median'; "):
        resume(plan.run, shared)


def test_a_storage_with_a_password_keeps_it_out_of_the_folder(begun_with: Any, made_up: Make) -> None:
    plan, _ = begun_with(made_up())
    (plan.run / "storage.json").write_text('{"url": "postgresql+psycopg://ann:***@host/sweeps"}')
    with pytest.raises(UsageError) as error:
        look(plan.run)
    assert str(error.value) == (
        f"{plan.run} keeps its trials in postgresql+psycopg://ann:***@host/sweeps; give --storage with the password too."
    )


def test_a_folder_that_cannot_be_written_is_named(
    made_up: Make, small_prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(WorkError) as error:
        begin(made_up(), small_prepared, tmp_path / "sweep")
    assert (
        str(error.value)
        == f"{tmp_path / 'sweep'} cannot be written (Read-only file system); name a folder that can be."
    )


def test_what_a_sweep_came_to_is_written_for_spreadsheets_and_for_train(
    begun_with: Any, made_up: Make, crew: Any, tmp_path: Path
) -> None:
    import made_up as module

    plan, told = begun_with(made_up(confirm={"best": 2, "seeds": 2}), lambda: module.training(0))
    found = work_here(plan, told)
    header, *rows = (plan.run / "trials.csv").read_text().splitlines()
    assert header == "point,state,value,best_epoch,epochs,seconds,training.lr,training.weight_decay,reason"
    assert len(rows) == 12 + 4
    assert rows[7].startswith("0007,complete,0.9375,4,4,0.0,0.1,0.3,")  # 1 - 0.5 to the fourth
    best = (plan.run / "best.yaml").read_text()
    assert best.startswith(
        "# Point 0007 of the sweep sweep: uar on dev mean 0.9375 ± 0.0000 over 2 fresh seeds;\n"
        "# chosen among 12 points, so a little of it is luck. Test was not touched.\n"
    )
    training = yaml.safe_load(best)["training"]
    assert (training["lr"], training["weight_decay"], training["seed"]) == (0.1, 0.3, 0)
    journal = (plan.run / "journal.log").read_bytes()
    assert summarise(look(plan.run))["counts"] == found["counts"]
    assert (plan.run / "journal.log").read_bytes() == journal
    assert found["importance"].keys() == {"training.lr", "training.weight_decay"}
    assert sum(found["importance"].values()) == pytest.approx(1)
    assert [one["point"] for one in found["confirmed"]] == ["0007", "0004"]
