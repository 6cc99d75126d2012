"""The runs of a cross-validation's folds: trained one after the other in this process, or at the same time by workers."""

import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from emokit import runs, workers
from emokit.data.prepared import Prepared
from emokit.errors import Collapsed, EmokitError, MemoryFull, WorkError
from emokit.locks import patience

if TYPE_CHECKING:
    from emokit.training.loop import Epoch

MOST_DEATHS = 10  # of a fold's workers without an epoch in between, before the cause is taken to kill every worker

OnEpoch = Callable[[str, dict[str, Any]], None]
"""(fold, line of `log.jsonl`): called after an epoch."""
OnDeath = Callable[[str], None]
"""(fold): called after a worker was killed."""
Ended = Generator[tuple[str, Collapsed | None], None, None]
"""(fold, its collapse): yielded when a fold has ended."""


class TrainFold(Protocol):
    """Trains on the data of one fold into its run folder, resuming an interrupted run; workers pickle it."""

    def __call__(self, data: Prepared, run: Path, *, on_epoch: "Callable[[Epoch], None] | None" = None) -> Any:
        """Train, and write `metrics.json` last."""


@dataclass(frozen=True)
class Fold:
    """One fold to train."""

    name: str
    data: Callable[[], Prepared]
    """Returns its utterances with their splits; called in the process that trains."""
    run: Path


def train_here(folds: Iterable[Fold], train: TrainFold, on_epoch: OnEpoch) -> Ended:
    """Train fold after fold in this process, and yield each one that has ended.

    Raises:
        EmokitError: a fold failed other than by a collapse.
    """
    for fold in folds:
        try:
            collapsed = _train(train, fold, _epoch_listener(on_epoch, fold.name))
        except EmokitError as error:
            raise _with_fold(fold, error) from error
        yield fold.name, collapsed


def _train(train: TrainFold, fold: Fold, on_epoch: "Callable[[Epoch], None] | None" = None) -> Collapsed | None:
    """Train one fold and return its collapse, if it collapsed."""
    with patience():  # the workers of a killed command may not have ended yet
        if runs.is_complete(fold.run):
            runs.tidy(fold.run)
            return None  # completed by a worker that was killed before it could report
        runs.clear_unless_begun(fold.run)
        try:
            train(fold.data(), fold.run, on_epoch=on_epoch)
        except Collapsed as error:
            return error.with_traceback(None)  # the traceback would hold the model in memory
    return None


def _with_fold(fold: Fold, error: EmokitError) -> EmokitError:
    """The same error with the name of its fold."""
    return type(error)(f"Fold {fold.name}: {error}")


def _epoch_listener(on_epoch: OnEpoch, name: str) -> "Callable[[Epoch], None]":
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
    """Train several folds at the same time in worker processes; a killed worker is replaced and its fold resumed.

    Args:
        folds: the folds to train.
        train: trains one fold.
        on_epoch: called for each epoch, up to `workers.WATCH_SECONDS` after its end.
        on_death: called for each worker that was killed and replaced.
        logs: the folder of the workers' logs.
        at_once: the number of workers.
        devices: the number of GPUs that they share; 0 for none.

    Yields:
        each fold that has ended, in the order of their ends.

    Raises:
        EmokitError: a fold failed other than by a collapse; the others are stopped and can be resumed.
        WorkError: a fold's worker was killed `MOST_DEATHS` times without an epoch in between.
    """
    waiting = iter(folds)
    tasks: dict[workers.WorkerProcess, _Task] = {}

    def start_next(worker: workers.WorkerProcess) -> None:
        if fold := next(waiting, None):
            tasks[worker] = _Task(fold, worker)
        else:
            worker.terminate()  # frees its memory for the others

    with workers.worker_pool(partial(_train, train), logs, at_once, devices) as pool:
        for worker in pool:
            start_next(worker)
        while tasks:
            for worker, task in list(tasks.items()):
                if task.is_over(on_epoch, on_death):
                    del tasks[worker]
                    yield task.fold.name, task.collapse()
                    start_next(worker)
            if tasks:
                time.sleep(workers.WATCH_SECONDS)


class _Task:
    """A fold and the worker that trains it."""

    def __init__(self, fold: Fold, worker: workers.WorkerProcess) -> None:
        self.fold, self.worker = fold, worker
        self._last_epoch = runs.last_epoch(fold.run)
        self._deaths = 0  # since the last epoch
        worker.submit(fold)

    def is_over(self, on_epoch: OnEpoch, on_death: OnDeath) -> bool:
        """Whether the fold has ended; reports epochs and deaths since the last call.

        Raises:
            WorkError: its workers are killed repeatedly.
        """
        deaths = self.worker.deaths
        is_busy = self.worker.is_busy()
        if not is_busy and not self.worker.has_result:
            self.worker.restart()  # a signal from outside terminated it
            is_busy = True
        for line in runs.read_log(self.fold.run):
            if int(line["epoch"]) > self._last_epoch:
                self._last_epoch = int(line["epoch"])
                self._deaths = 0
                on_epoch(self.fold.name, line)
        if self.worker.deaths > deaths:
            self._deaths += 1
            if self._deaths == MOST_DEATHS:
                raise WorkError(
                    f"The worker of fold {self.fold.name} was killed {MOST_DEATHS} times without an epoch in between, "
                    "probably out of memory; resume with --resume and fewer --workers."
                )
            on_death(self.fold.name)
        return not is_busy

    def collapse(self) -> Collapsed | None:
        """The collapse of the fold, if it collapsed.

        Raises:
            EmokitError: it failed with another error.
        """
        error = self.worker.error
        if isinstance(error, MemoryFull):
            error = MemoryFull(f"{str(error).rstrip('.')}; or resume with --resume and fewer --workers.")
        if error:
            raise _with_fold(self.fold, error)
        collapsed: Collapsed | None = self.worker.result
        return collapsed
