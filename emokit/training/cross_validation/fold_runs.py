"""The runs of a cross-validation's folds: one after the other in this process, or side by side by workers."""

import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from emokit import runs, workers
from emokit.data.prepared import Prepared
from emokit.errors import Collapsed, EmokitError, MemoryFull, WorkError

if TYPE_CHECKING:
    from emokit.training.loop import Epoch

MOST_DEATHS = 10  # of a fold's workers since its last epoch: what kills every worker must not go on for ever

# (a fold's name, an epoch's line of log.jsonl)
OnEpoch = Callable[[str, dict[str, Any]], None]
# (the name of a fold whose worker was killed)
OnDeath = Callable[[str], None]
# (the name of a fold that has ended, its collapse if that was its end)
Ended = Generator[tuple[str, Collapsed | None], None, None]


class TrainFold(Protocol):
    """Trains on one fold's data into its run folder, going on where it was begun; workers have it pickled."""

    def __call__(self, data: Prepared, run: Path, *, on_epoch: "Callable[[Epoch], None] | None" = None) -> Any:
        """Train, and write `metrics.json` last."""


@dataclass(frozen=True)
class Fold:
    """One fold to train."""

    name: str
    data: Callable[[], Prepared]
    """Its utterances, divided into train, dev and test; made where it is trained."""
    run: Path


def train_here(folds: Iterable[Fold], train: TrainFold, on_epoch: OnEpoch) -> Ended:
    """Train fold after fold; yields each that has ended.

    Raises:
        EmokitError: what ended a fold's training otherwise than by a collapse.
    """
    for fold in folds:
        try:
            collapsed = _train(train, fold, _teller(on_epoch, fold.name))
        except EmokitError as error:
            raise _named(fold, error) from error
        yield fold.name, collapsed


def _train(train: TrainFold, fold: Fold, on_epoch: "Callable[[Epoch], None] | None" = None) -> Collapsed | None:
    """Train one fold; returns its collapse if that was its end."""
    if runs.is_complete(fold.run):
        return None  # by a worker that was killed before it could say so
    runs.clear_unless_begun(fold.run)
    try:
        train(fold.data(), fold.run, on_epoch=on_epoch)
    except Collapsed as error:
        return error.with_traceback(None)  # which would keep the model in memory
    return None


def _named(fold: Fold, error: EmokitError) -> EmokitError:
    """The same error, saying which fold it ended."""
    return type(error)(f"Fold {fold.name}: {error}")


def _teller(on_epoch: OnEpoch, name: str) -> "Callable[[Epoch], None]":
    return lambda epoch: on_epoch(name, epoch.as_log())


def train_by_workers(
    folds: Iterable[Fold],
    train: TrainFold,
    on_epoch: OnEpoch,
    on_death: OnDeath,
    logs: Path,
    at_once: int,
    devices: int,
) -> Ended:
    """Train as many folds at once as there are workers, each a process that takes fold after fold; a killed one is replaced.

    Args:
        folds: what is to be trained.
        train: trains one.
        on_epoch: told each epoch, some time after it ended.
        on_death: told of each worker that was killed and replaced.
        logs: the folder for what the workers print.
        at_once: how many workers.
        devices: GPUs that they share, one each in turn; 0 for none.

    Yields:
        each fold that has ended, in that order.

    Raises:
        EmokitError: what ended a fold's training otherwise; the others are stopped and can be gone on with.
        WorkError: a fold's worker was killed ten times without an epoch in between.
    """
    waiting = iter(folds)
    tasks: dict[workers.WorkerProcess, _Task] = {}

    def go_on(worker: workers.WorkerProcess) -> None:
        if fold := next(waiting, None):
            tasks[worker] = _Task(fold, worker)
        else:
            worker.terminate()  # others may need the memory that it holds

    with workers.worker_pool(partial(_train, train), logs, at_once, devices) as pool:
        for worker in pool:
            go_on(worker)
        while tasks:
            for worker, task in list(tasks.items()):
                if task.is_over(on_epoch, on_death):
                    del tasks[worker]
                    yield task.fold.name, task.collapse()
                    go_on(worker)
            if tasks:
                time.sleep(workers.WATCH_SECONDS)


class _Task:
    """A fold that a worker trains."""

    def __init__(self, fold: Fold, worker: workers.WorkerProcess) -> None:
        self.fold, self.worker = fold, worker
        self._told = runs.last_epoch(fold.run)
        self._deaths = 0  # since the last epoch
        worker.submit(fold)

    def is_over(self, on_epoch: OnEpoch, on_death: OnDeath) -> bool:
        """Whether it has ended; tells the epochs that did since the last time, and each death.

        Raises:
            WorkError: its workers are killed again and again.
        """
        deaths = self.worker.deaths
        works = self.worker.is_busy()
        if not works and not self.worker.has_result:
            self.worker.restart()  # somebody else asked it to stop
            works = True
        for line in runs.read_log(self.fold.run):
            if int(line["epoch"]) > self._told:
                self._told = int(line["epoch"])
                self._deaths = 0
                on_epoch(self.fold.name, line)
        if self.worker.deaths > deaths:
            self._deaths += 1
            if self._deaths == MOST_DEATHS:
                raise WorkError(
                    f"The worker of fold {self.fold.name} was killed {MOST_DEATHS} times without an epoch in between, as a "
                    "full memory does; go on with --resume and fewer --workers."
                )
            on_death(self.fold.name)
        return not works

    def collapse(self) -> Collapsed | None:
        """Its collapse, if it ended by one.

        Raises:
            EmokitError: it ended by another error.
        """
        error = self.worker.error
        if isinstance(error, MemoryFull):
            error = MemoryFull(f"{str(error).rstrip('.')}; or go on with --resume and fewer --workers.")
        if error:
            raise _named(self.fold, error)
        collapsed: Collapsed | None = self.worker.result
        return collapsed
