"""The runs of a cross-validation's folds: one after the other in this process, or side by side by workers."""

import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from emokit import crew, runs
from emokit.data.prepared import Prepared
from emokit.errors import Collapsed, MemoryFull, WorkError

if TYPE_CHECKING:
    from emokit.training.loop import Epoch

MOST_DEATHS = 10  # of a fold's workers since its last epoch: what kills every worker must not go on for ever

# (a fold's name, an epoch's line of log.jsonl)
OnEpoch = Callable[[str, dict[str, Any]], None]
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
    """Train fold after fold; yields each that has ended."""
    for fold in folds:
        try:
            _train(fold, train, _teller(on_epoch, fold.name))
        except Collapsed as error:
            yield fold.name, error.with_traceback(None)  # which would keep the model in memory
        else:
            yield fold.name, None


def _train(fold: Fold, train: TrainFold, on_epoch: "Callable[[Epoch], None] | None" = None) -> None:
    if runs.is_complete(fold.run):
        return  # by a worker that was killed before it could say so
    runs.clear_unless_begun(fold.run)
    train(fold.data(), fold.run, on_epoch=on_epoch)


def _teller(on_epoch: OnEpoch, name: str) -> "Callable[[Epoch], None]":
    return lambda epoch: on_epoch(name, epoch.as_log())


def train_by_workers(
    folds: Iterable[Fold], train: TrainFold, on_epoch: OnEpoch, logs: Path, num_workers: int, devices: int
) -> Ended:
    """Train as many folds at once as there are workers, each in a process of its own; another takes the place of a killed one.

    Args:
        folds: what is to be trained.
        train: trains one.
        on_epoch: told each epoch, some time after it ended.
        logs: the folder for what the workers print.
        num_workers: how many folds at once.
        devices: GPUs that they share, one each in turn; 0 for none.

    Yields:
        each fold that has ended, in that order.

    Raises:
        EmokitError: what ended a fold's training otherwise; the others are stopped and can be gone on with.
        WorkError: a fold's worker was killed ten times without an epoch in between.
    """
    waiting = iter(folds)
    at_work: dict[int, _Task] = {}
    try:
        while True:
            for number in sorted(set(range(num_workers)) - at_work.keys()):
                if fold := next(waiting, None):
                    hand = crew.Hand(partial(_train, fold, train), logs / f"{number}.log", number, num_workers, devices)
                    at_work[number] = _Task(fold, hand)
                    hand.start()
            if not at_work:
                return
            for number, task in list(at_work.items()):
                if not task.is_over(on_epoch):
                    continue
                del at_work[number]
                yield task.fold.name, task.collapse()
            time.sleep(crew.WATCH_SECONDS)
    finally:
        for task in at_work.values():
            task.hand.ask_to_stop()
        for task in at_work.values():
            task.hand.stop()


class _Task:
    """A fold that a worker trains."""

    def __init__(self, fold: Fold, hand: crew.Hand) -> None:
        self.fold, self.hand = fold, hand
        self._told = max((int(line["epoch"]) for line in runs.read_log(fold.run)), default=0)

    def is_over(self, on_epoch: OnEpoch) -> bool:
        """Whether it has ended; tells the epochs that did since the last time.

        Raises:
            WorkError: its workers are killed again and again.
        """
        works = self.hand.is_at_work()
        for line in runs.read_log(self.fold.run):
            if int(line["epoch"]) > self._told:
                self._told = int(line["epoch"])
                self.hand.deaths = 0
                on_epoch(self.fold.name, line)
        if not works and not self.hand.error and not runs.is_complete(self.fold.run):
            self.hand.replace()  # somebody else asked it to stop
            works = True
        if self.hand.deaths >= MOST_DEATHS:
            raise WorkError(
                f"The worker of fold {self.fold.name} was killed {self.hand.deaths} times without an epoch in between, as a "
                "full memory does; go on with --resume and fewer --workers."
            )
        return not works

    def collapse(self) -> Collapsed | None:
        """Its collapse, if it ended by one.

        Raises:
            EmokitError: it ended by another error.
        """
        error = self.hand.error
        if error is None or isinstance(error, Collapsed):
            return error
        said = f"Fold {self.fold.name}: {error}"
        if isinstance(error, MemoryFull):
            said = f"{said.rstrip('.')}; or go on with --resume and fewer --workers."
        raise type(error)(said)
