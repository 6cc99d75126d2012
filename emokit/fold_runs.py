"""The runs of a cross-validation's folds: one after the other in this process, or side by side by workers."""

import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from emokit import crew, runs
from emokit.data.prepared import Prepared
from emokit.errors import Collapsed, WorkError

if TYPE_CHECKING:
    from emokit.training.loop import Epoch

MOST_DEATHS = 10  # of a fold's worker since its last epoch: what kills every worker must not go on for ever

# (a fold's name, an epoch's line of log.jsonl)
OnEpoch = Callable[[str, dict[str, Any]], None]


class TrainFold(Protocol):
    """Trains on one fold's data into its run folder, going on where it was begun; workers have it pickled."""

    def __call__(self, data: Prepared, run: Path, *, on_epoch: "Callable[[Epoch], None] | None" = None) -> Any:
        """Train, and write `metrics.json` last."""


@dataclass(frozen=True)
class Fold:
    """One fold to train."""

    name: str
    data: Prepared
    """Its utterances, divided into train, dev and test."""
    run: Path


# (the name of a fold that has ended, its collapse if that was its end)
Ended = Generator[tuple[str, Collapsed | None], None, None]


def train_here(folds: Iterable[Fold], train: TrainFold, on_epoch: OnEpoch) -> Ended:
    """Train fold after fold; yields each that has ended."""
    for fold in folds:
        try:
            _train(fold, train, _teller(on_epoch, fold.name))
        except Collapsed as error:
            yield fold.name, error
        else:
            yield fold.name, None


def _train(fold: Fold, train: TrainFold, on_epoch: "Callable[[Epoch], None] | None" = None) -> None:
    if runs.is_complete(fold.run):
        return  # by a worker that was killed before it could say so
    runs.clear_unless_begun(fold.run)
    train(fold.data, fold.run, on_epoch=on_epoch)


def _teller(on_epoch: OnEpoch, name: str) -> "Callable[[Epoch], None]":
    return lambda epoch: on_epoch(name, epoch.as_log())


def train_by_workers(
    folds: Iterable[Fold], train: TrainFold, on_epoch: OnEpoch, logs: Path, num_workers: int, devices: int
) -> Ended:
    """Train as many folds at once as there are workers, each in a process of its own; another takes the place of a killed one.

    Args:
        folds: made one by one, as they are begun.
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
                    at_work[number] = _Task(fold.name, fold.run, hand, len(runs.read_log(fold.run)))
                    hand.start()
            if not at_work:
                return
            for number, task in list(at_work.items()):
                works = task.hand.is_at_work()
                task.tell(on_epoch)
                if works:
                    continue
                error = task.hand.error
                if error is not None and not isinstance(error, Collapsed):
                    raise error
                del at_work[number]
                yield task.name, error
            time.sleep(crew.WATCH_SECONDS)
    finally:
        for task in at_work.values():
            task.hand.ask_to_stop()
        for task in at_work.values():
            task.hand.stop()


@dataclass
class _Task:
    """A fold that a worker trains."""

    name: str
    run: Path
    hand: crew.Hand
    told: int
    """Epochs of its log that were told, or were there before."""

    def tell(self, on_epoch: OnEpoch) -> None:
        """Tell the epochs that have ended since the last time."""
        new = runs.read_log(self.run)[self.told :]
        for line in new:
            on_epoch(self.name, line)
        self.told += len(new)
        if new:
            self.hand.deaths = 0
        elif self.hand.deaths >= MOST_DEATHS:
            raise WorkError(
                f"The worker of fold {self.name} was killed {self.hand.deaths} times without an epoch in between, as a full "
                "memory does; go on with --resume and fewer --workers."
            )
