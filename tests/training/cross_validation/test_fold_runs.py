"""Folds trained at the same time, with simulated trainings: no epoch is lost or repeated when a worker dies."""

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
from emokit.errors import Collapsed, EmokitError, MemoryFull, WorkError
from emokit.labels import DEFAULT_LABELS
from emokit.training.cross_validation.fold_runs import Fold, train_by_workers, train_here
from tests.conftest import is_running

KILLED = 0  # among the reported epochs: a worker was killed

SIMULATED = '''
import json
import os
import signal
import time
from pathlib import Path

from emokit.errors import Collapsed, MemoryFull, WorkError


def wait_for(path):
    for _ in range(1200):
        if path.exists():
            return
        time.sleep(0.05)
    raise WorkError(f"{path} does not exist.")


def train(data, run, *, on_epoch=None):
    """Simulate three epochs, and the failure that the name of the run folder says."""
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
        if run.name == "memory":
            raise MemoryFull("Out of memory with a batch of 8.")
        if run.name == "full":
            wait_for(run.parent / "slow" / "log.jsonl")
            raise WorkError("The disk is full.")
        if run.name == "slow" and epoch == 2:
            time.sleep(600)
        if run.name in ("first", "second"):  # each waits for the other, so both must run at the same time
            wait_for(run.parent / {"first": "second", "second": "first"}[run.name] / "settings.yaml")
        with (run / "log.jsonl").open("a") as log:
            log.write(json.dumps({"epoch": epoch}) + "\\n")
    (run / "metrics.json").write_text(json.dumps({"labels": ["a", "b"], "splits": {}, "parameters": len(data.table)}))
'''

COMMAND = """
import sys
from functools import partial
from pathlib import Path

import pandas
import simulated_fold
from emokit.data.prepared import Prepared
from emokit.labels import DEFAULT_LABELS
from emokit.training.cross_validation.fold_runs import Fold, train_by_workers


def data():
    return Prepared(Path(), pandas.DataFrame(), {}, "simulated", DEFAULT_LABELS)


if __name__ == "__main__":
    root = Path(sys.argv[1]) / "folds"
    folds = [Fold(name, data, root / name / "slow") for name in ("a", "b")]
    list(train_by_workers(folds, simulated_fold.train, lambda name, line: None, print, root / "workers", 2, 0))
"""


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A simulated training that a worker's process can import."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "simulated_fold.py").write_text(SIMULATED)
    monkeypatch.syspath_prepend(tmp_path / "modules")
    monkeypatch.delitem(sys.modules, "simulated_fold", raising=False)
    monkeypatch.setattr("emokit.workers.WATCH_SECONDS", 0.1)
    import simulated_fold  # type: ignore[import-not-found]

    return simulated_fold.train


@pytest.fixture
def fold(tmp_path: Path) -> Any:
    """Makes a fold of this name."""

    def make(name: str) -> Fold:
        table = pandas.DataFrame({"utterance_id": ["a", "b"]})
        data = Prepared(tmp_path, table, {}, "simulated", DEFAULT_LABELS)
        return Fold(name, partial(deepcopy, data), tmp_path / "folds" / name)

    return make


def by_workers(folds: list[Fold], train: Any, num_workers: int) -> tuple[dict[str, Any], list[tuple[str, int]]]:
    """The end of each fold, and the reported epochs."""
    reported: list[tuple[str, int]] = []
    logs = folds[0].run.parent / "workers"
    logs.parent.mkdir(parents=True, exist_ok=True)
    on_epoch = lambda name, line: reported.append((name, line["epoch"]))  # noqa: E731
    on_death = lambda name: reported.append((name, KILLED))  # noqa: E731
    return dict(train_by_workers(folds, train, on_epoch, on_death, logs, num_workers, 0)), reported


def pids(run: Path) -> list[int]:
    """The processes that trained in this run folder."""
    return [int(path.name.removeprefix("pid-")) for path in run.glob("pid-*")]


def test_folds_are_trained_at_the_same_time_by_one_process_per_worker(train: Any, fold: Any) -> None:
    folds = [fold("first"), fold("second"), fold("third")]
    ended, reported = by_workers(folds, train, 2)
    assert ended == {"first": None, "second": None, "third": None}
    assert sorted(reported) == sorted((name, epoch) for name in ended for epoch in (1, 2, 3))
    assert all(runs.read_metrics(trained.run)["parameters"] == 2 for trained in folds)
    workers = {pid for trained in folds for pid in pids(trained.run)}
    assert len(workers) == 2
    assert not any(map(is_running, workers))


@pytest.mark.parametrize("name", ["dies-once", "asked-to-stop"])
def test_a_killed_worker_is_replaced_and_its_fold_resumed(train: Any, fold: Any, name: str) -> None:
    ended, reported = by_workers([fold(name)], train, 2)
    assert ended == {name: None}
    assert [epoch for epoch in reported if epoch != (name, KILLED)] == [(name, 1), (name, 2), (name, 3)]
    assert reported.count((name, KILLED)) == 1
    assert len(pids(fold(name).run)) == 2


def test_a_worker_that_dies_between_two_folds_is_replaced_for_the_second(train: Any, fold: Any, tmp_path: Path) -> None:
    first, second = fold("third"), fold("fourth")
    (tmp_path / "folds").mkdir()
    ended = train_by_workers([first, second], train, lambda name, line: None, print, tmp_path / "folds" / "logs", 1, 0)
    assert next(ended) == ("third", None)
    (worker,) = pids(first.run)
    os.kill(worker, signal.SIGKILL)  # it gets the second fold when the generator is resumed
    for _ in range(600):
        if not is_running(worker):
            break
        time.sleep(0.05)
    assert list(ended) == [("fourth", None)]
    assert worker not in pids(second.run)


def test_an_error_that_is_a_bug_names_its_fold_and_its_log(train: Any, fold: Any) -> None:
    buggy = fold("bug")
    with pytest.raises(EmokitError) as error:
        by_workers([buggy], train, 2)
    log = buggy.run.parent / "workers" / "0.log"
    assert str(error.value) == f"Fold bug: A worker ended by a bug of emokit; its traceback is in {log}."
    assert "ZeroDivisionError" in log.read_text()


def test_only_epochs_after_the_last_one_of_the_log_are_reported(train: Any, fold: Any) -> None:
    gap = fold("third")
    gap.run.mkdir(parents=True)
    (gap.run / runs.SETTINGS).write_text("{}")
    (gap.run / runs.LOG).write_text('{"epoch": 2}\n')  # the simulated training counts the lines
    assert by_workers([gap], train, 1)[1] == [("third", 3)]


def test_a_fold_whose_workers_are_all_killed_is_given_up(
    train: Any, fold: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emokit.training.cross_validation.fold_runs.MOST_DEATHS", 2)
    with pytest.raises(WorkError) as error:
        by_workers([fold("dies")], train, 2)
    assert str(error.value) == (
        "The worker of fold dies was killed 2 times without an epoch in between, probably out of memory; "
        "resume with --resume and fewer --workers."
    )


def test_a_worker_without_enough_memory_advises_fewer_workers(train: Any, fold: Any) -> None:
    with pytest.raises(MemoryFull) as error:
        by_workers([fold("memory")], train, 2)
    assert str(error.value) == (
        "Fold memory: Out of memory with a batch of 8; or resume with --resume and fewer --workers."
    )


@pytest.mark.parametrize("work", [train_here, None])
def test_the_other_folds_are_trained_when_one_collapses(train: Any, fold: Any, work: Any) -> None:
    folds = [fold("collapses"), fold("third")]
    ended = dict(work(folds, train, lambda name, line: None)) if work else by_workers(folds, train, 2)[0]
    assert list(map(type, (ended["collapses"], ended["third"]))) == [Collapsed, type(None)]
    assert str(ended["collapses"]) == "One label for all of dev."


def test_another_error_stops_all_workers_and_names_its_fold(train: Any, fold: Any) -> None:
    slow = fold("slow")
    with pytest.raises(WorkError) as error:
        by_workers([slow, fold("full")], train, 2)
    assert str(error.value) == "Fold full: The disk is full."
    assert not any(map(is_running, pids(slow.run)))
    assert not runs.is_complete(slow.run)


def test_an_error_without_workers_names_its_fold_too(train: Any, fold: Any) -> None:
    full = fold("full")
    (full.run.parent / "slow").mkdir(parents=True)
    (full.run.parent / "slow" / "log.jsonl").touch()
    with pytest.raises(WorkError) as error:
        dict(train_here([full], train, lambda name, line: None))
    assert str(error.value) == "Fold full: The disk is full."


def test_a_complete_fold_is_not_trained_again(train: Any, fold: Any) -> None:
    complete = fold("third")
    train(complete.data(), complete.run)
    before = (complete.run / runs.METRICS).stat().st_mtime_ns
    assert dict(train_here([complete], train, lambda name, line: None)) == {"third": None}
    assert (complete.run / runs.METRICS).stat().st_mtime_ns == before


def test_the_model_of_a_collapsed_fold_is_freed(fold: Any) -> None:
    models: list[weakref.ref[Any]] = []

    class Model:
        pass

    def train(data: Any, run: Path, *, on_epoch: Any = None) -> None:
        model = Model()
        models.append(weakref.ref(model))
        raise Collapsed("One label for all of dev.")

    for _, error in train_here([fold("first"), fold("second")], train, lambda name, line: None):
        assert error
        assert models[-1]() is None


def test_ctrl_c_ends_the_command_and_its_workers(train: Any, fold: Any, tmp_path: Path) -> None:
    (tmp_path / "modules" / "command.py").write_text(COMMAND)
    (tmp_path / "folds").mkdir()
    paths = os.pathsep.join([str(Path(__file__).parents[3]), str(tmp_path / "modules")])
    command = subprocess.Popen(
        [sys.executable, str(tmp_path / "modules" / "command.py"), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": paths},
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job in the background ignores Ctrl-C
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
        _, errors = command.communicate(timeout=60)
        assert errors.rstrip().endswith("KeyboardInterrupt")
        assert not any(map(is_running, workers))
    finally:
        command.kill()
        command.wait()


def test_a_fold_without_settings_is_started_again(train: Any, fold: Any) -> None:
    killed = fold("third")
    killed.run.mkdir(parents=True)
    (killed.run / ".settings.yaml.1.part").write_text("na")
    assert dict(train_here([killed], train, lambda name, line: None)) == {"third": None}
    assert not (killed.run / ".settings.yaml.1.part").exists()
