"""Folds side by side, with trainings made up: nothing lost, nothing done twice, whoever dies."""

import os
import signal
import subprocess
import sys
import time
import weakref
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import pandas
import pytest

from emokit import runs
from emokit.data.prepared import Prepared
from emokit.errors import Collapsed, EmokitError, WorkError
from emokit.training.cross_validation.fold_runs import Fold, train_by_workers, train_here
from tests.conftest import is_running

KILLED = 0  # among the epochs that are told: a worker was killed

MADE_UP = '''
import json
import os
import signal
import time
from pathlib import Path

from emokit.errors import Collapsed, WorkError


def wait_for(path):
    for _ in range(1200):
        if path.exists():
            return
        time.sleep(0.05)
    raise WorkError(f"{path} never came.")


def train(data, run, *, on_epoch=None):
    """Trains three epochs in no time, and does to itself what its run folder's name says."""
    run.mkdir(parents=True, exist_ok=True)
    (run / "settings.yaml").write_text("{}")
    (run / f"pid-{os.getpid()}").touch()
    done = len((run / "log.jsonl").read_text().splitlines()) if (run / "log.jsonl").exists() else 0
    for epoch in range(done + 1, 4):
        if run.name == "dies-once" and epoch == 3 and done == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if run.name == "asked-to-stop" and epoch == 2 and len(list(run.glob("pid-*"))) == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        if run.name == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if run.name == "collapses":
            raise Collapsed("One label for all of dev.")
        if run.name == "bug":
            1 / 0
        if run.name == "full":
            wait_for(run.parent / "slow" / "log.jsonl")
            raise WorkError("The disk is full.")
        if run.name == "slow" and epoch == 2:
            time.sleep(600)
        if run.name in ("one", "two"):  # each waits for the other: this ends only where both are at work
            wait_for(run.parent / {"one": "two", "two": "one"}[run.name] / "settings.yaml")
        with (run / "log.jsonl").open("a") as log:
            log.write(json.dumps({"epoch": epoch}) + "\\n")
    (run / "metrics.json").write_text(json.dumps({"utterances": len(data.table)}))
'''

COMMAND = """
import sys
from functools import partial
from pathlib import Path

import made_up_fold
import pandas
from emokit.data.prepared import Prepared
from emokit.fold_runs import Fold, train_by_workers


def data():
    return Prepared(Path(), pandas.DataFrame(), {}, "made up")


if __name__ == "__main__":
    root = Path(sys.argv[1]) / "folds"
    folds = [Fold(name, data, root / name / "slow") for name in ("a", "b")]
    list(train_by_workers(folds, made_up_fold.train, lambda name, line: None, print, root / "workers", 2, 0))
"""


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A training that a worker's process can import."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "made_up_fold.py").write_text(MADE_UP)
    monkeypatch.syspath_prepend(tmp_path / "modules")
    monkeypatch.delitem(sys.modules, "made_up_fold", raising=False)
    monkeypatch.setattr("emokit.workers.WATCH_SECONDS", 0.1)
    import made_up_fold  # type: ignore[import-not-found]

    return made_up_fold.train


@pytest.fixture
def fold(tmp_path: Path) -> Any:
    """Makes the fold of that name."""

    def make(name: str) -> Fold:
        data = Prepared(tmp_path, pandas.DataFrame({"utterance_id": ["a", "b"]}), {}, "made up")
        return Fold(name, partial(deepcopy, data), tmp_path / "folds" / name)

    return make


def by_workers(folds: list[Fold], train: Any, num_workers: int) -> tuple[dict[str, Any], list[tuple[str, int]]]:
    """What each fold ended with, and the epochs that were told."""
    told: list[tuple[str, int]] = []
    logs = folds[0].run.parent / "workers"
    logs.parent.mkdir()
    tell = lambda name, line: told.append((name, line["epoch"]))  # noqa: E731
    return dict(
        train_by_workers(folds, train, tell, lambda name: told.append((name, KILLED)), logs, num_workers, 0)
    ), told


def pids(run: Path) -> list[int]:
    """Of the processes that trained there."""
    return [int(path.name.removeprefix("pid-")) for path in run.glob("pid-*")]


def test_folds_are_trained_at_once_by_as_many_processes_as_there_are_workers(train: Any, fold: Any) -> None:
    folds = [fold("one"), fold("two"), fold("three")]
    ended, told = by_workers(folds, train, 2)
    assert ended == {"one": None, "two": None, "three": None}
    assert sorted(told) == sorted((name, epoch) for name in ended for epoch in (1, 2, 3))
    assert all(runs.read_metrics(one.run) == {"utterances": 2} for one in folds)
    workers = {pid for one in folds for pid in pids(one.run)}
    assert len(workers) == 2
    assert not any(map(is_running, workers))


@pytest.mark.parametrize("how", ["dies-once", "asked-to-stop"])
def test_a_worker_that_is_killed_is_replaced_and_its_fold_gone_on_with(train: Any, fold: Any, how: str) -> None:
    ended, told = by_workers([fold(how)], train, 2)
    assert ended == {how: None}
    assert [epoch for epoch in told if epoch != (how, KILLED)] == [(how, 1), (how, 2), (how, 3)]
    assert told.count((how, KILLED)) == 1
    assert len(pids(fold(how).run)) == 2


def test_a_worker_that_dies_between_two_folds_is_replaced_for_the_second(train: Any, fold: Any, tmp_path: Path) -> None:
    first, second = fold("first"), fold("three")
    (tmp_path / "folds").mkdir()
    ended = train_by_workers([first, second], train, lambda name, line: None, print, tmp_path / "folds" / "logs", 1, 0)
    assert next(ended) == ("first", None)
    (worker,) = pids(first.run)
    os.kill(worker, signal.SIGKILL)  # the second fold is given to it when the next one is asked for
    for _ in range(600):
        if not is_running(worker):
            break
        time.sleep(0.05)
    assert list(ended) == [("three", None)]
    assert worker not in pids(second.run)


def test_an_error_that_is_a_bug_names_its_fold_and_its_log(train: Any, fold: Any) -> None:
    buggy = fold("bug")
    with pytest.raises(EmokitError) as error:
        by_workers([buggy], train, 2)
    log = buggy.run.parent / "workers" / "0.log"
    assert str(error.value) == f"Fold bug: A worker ended by an error of its own, a bug; its traceback is in {log}."
    assert "ZeroDivisionError" in log.read_text()


def test_a_log_with_a_gap_is_told_by_its_numbers(train: Any, fold: Any) -> None:
    gap = fold("three")
    gap.run.mkdir(parents=True)
    (gap.run / runs.SETTINGS).write_text("{}")
    (gap.run / runs.LOG).write_text('{"epoch": 2}\n')  # of three in all; the made-up training counts the lines
    told: list[tuple[str, int]] = []
    tell = lambda name, line: told.append((name, line["epoch"]))  # noqa: E731
    dict(train_by_workers([gap], train, tell, print, gap.run.parent / "workers", 1, 0))
    assert told == [("three", 3)]


def test_what_kills_every_worker_does_not_go_on_for_ever(
    train: Any, fold: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emokit.training.cross_validation.fold_runs.MOST_DEATHS", 2)
    with pytest.raises(WorkError) as error:
        by_workers([fold("dies")], train, 2)
    assert str(error.value) == (
        "The worker of fold dies was killed 2 times without an epoch in between, as a full memory does; "
        "go on with --resume and fewer --workers."
    )


@pytest.mark.parametrize("work", [train_here, None])
def test_a_fold_that_collapses_does_not_keep_the_others_from_their_work(train: Any, fold: Any, work: Any) -> None:
    folds = [fold("collapses"), fold("three")]
    ended = dict(work(folds, train, lambda name, line: None)) if work else by_workers(folds, train, 2)[0]
    assert list(map(type, (ended["collapses"], ended["three"]))) == [Collapsed, type(None)]
    assert str(ended["collapses"]) == "One label for all of dev."


def test_another_error_stops_them_all_and_is_told_with_its_fold(train: Any, fold: Any) -> None:
    slow = fold("slow")
    with pytest.raises(WorkError) as error:
        by_workers([slow, fold("full")], train, 2)
    assert str(error.value) == "Fold full: The disk is full."
    assert not any(map(is_running, pids(slow.run)))
    assert not runs.is_complete(slow.run)


def test_an_error_is_told_with_its_fold_without_workers_too(train: Any, fold: Any) -> None:
    full = fold("full")
    (full.run.parent / "slow").mkdir(parents=True)
    (full.run.parent / "slow" / "log.jsonl").touch()
    with pytest.raises(WorkError) as error:
        dict(train_here([full], train, lambda name, line: None))
    assert str(error.value) == "Fold full: The disk is full."


def test_a_worker_killed_after_its_last_file_has_nothing_left_to_do(train: Any, fold: Any) -> None:
    one = fold("three")
    train(one.data(), one.run)
    before = (one.run / runs.METRICS).stat().st_mtime_ns
    assert dict(train_here([one], train, lambda name, line: None)) == {"three": None}
    assert (one.run / runs.METRICS).stat().st_mtime_ns == before


def test_what_collapsed_is_not_kept_in_memory(fold: Any) -> None:
    models: list[weakref.ref[Any]] = []

    class Model:
        pass

    def train(data: Any, run: Path, *, on_epoch: Any = None) -> None:
        model = Model()
        models.append(weakref.ref(model))
        raise Collapsed("One label for all of dev.")

    for _, error in train_here([fold("one"), fold("two")], train, lambda name, line: None):
        assert error
        assert models[-1]() is None


def test_ctrl_c_reaches_the_command_and_its_workers_are_gone_with_it(train: Any, fold: Any, tmp_path: Path) -> None:
    (tmp_path / "modules" / "command.py").write_text(COMMAND)
    (tmp_path / "folds").mkdir()
    paths = os.pathsep.join([str(Path(__file__).parents[1]), str(tmp_path / "modules")])
    command = subprocess.Popen(
        [sys.executable, str(tmp_path / "modules" / "command.py"), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": paths},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        slow = [tmp_path / "folds" / name / "slow" for name in ("a", "b")]
        for _ in range(600):
            if all((run / runs.LOG).exists() for run in slow):
                break
            time.sleep(0.1)
        workers = [pid for run in slow for pid in pids(run)]
        assert len(workers) == 2
        command.send_signal(signal.SIGINT)
        _, said = command.communicate(timeout=60)
        assert said.rstrip().endswith("KeyboardInterrupt")
        assert not any(map(is_running, workers))
    finally:
        command.kill()
        command.wait()


def test_a_folder_without_settings_is_begun_anew(train: Any, fold: Any) -> None:
    one = fold("three")
    one.run.mkdir(parents=True)
    (one.run / ".settings.yaml.1.part").write_text("na")
    assert dict(train_here([one], train, lambda name, line: None)) == {"three": None}
    assert not (one.run / ".settings.yaml.1.part").exists()
