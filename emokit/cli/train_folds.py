"""`emokit train … --folds`: the events of a cross-validation on the terminal."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from emokit.cli import console, tables
from emokit.data.prepared import Prepared
from emokit.errors import Collapsed
from emokit.training.cross_validation.run import FoldListener, cross_validate
from emokit.training.run import OnBatch
from emokit.workers import WORKERS, size


def train_folds(
    train: Callable[..., Any],
    settings: Any,
    prepared: Prepared,
    folder: Path,
    folds: str,
    *,
    workers: int | None,
    device: str,
    progress: console.Progress,
    **how: Any,
) -> dict[str, Any]:
    """Cross-validate and print each epoch and fold; `how` is passed to `cross_validate`."""
    num_workers, devices = size(workers, device)
    printer = _FoldPrinter(folder, settings.training.checkpoint, progress)
    # Workers are other processes: only a fold that is trained in this one can report its batches.
    on_batch = printer.batch if num_workers == 1 else None
    return cross_validate(
        folder,
        settings,
        prepared,
        folds,
        partial(_train_fold, train, on_batch),
        device=device,
        workers=num_workers,
        devices=devices,
        listener=printer,
        **how,
    )


def _train_fold(
    train: Callable[..., Any], on_batch: OnBatch | None, data: Prepared, run: Path, *, on_epoch: Any = None
) -> None:
    """Train a fold, in this process or in a worker's."""
    # An interrupted fold is resumed: its settings were checked with those of the folder above it.
    train(data, run, resume=True, on_epoch=on_epoch, on_batch=on_batch)


class _FoldPrinter(FoldListener):
    """A line for each epoch, each fold and each collapse, and the progress bar."""

    def __init__(self, run: Path, checkpoint: str, progress: console.Progress) -> None:
        self._run, self._checkpoint, self._progress = run, checkpoint, progress
        self._epochs = (0, 0)  # done, of at most

    def begins(self, at_once: int) -> None:
        console.say(f"{at_once} folds at once; the output of their workers is in {self._run / WORKERS}")

    def epoch(self, name: str, line: dict[str, Any]) -> None:
        console.say(f"fold {name}  {tables.epoch_line(line, self._checkpoint)}")

    def fold(self, name: str, fold_metrics: dict[str, Any]) -> None:
        console.say(tables.fold_line(name, fold_metrics))

    def replaced(self, name: str) -> None:
        console.say(f"fold {name}: its worker was killed or stopped; another one continues")

    def collapsed(self, name: str, error: Collapsed) -> None:
        console.say(f"fold {name}: {error}")

    def progress(self, done: int, total: int) -> None:
        self._epochs = (done, total)
        self._progress(done, total)

    def batch(self, epoch: int, done: int, size: int) -> None:
        """A batch of the fold that is trained in this process."""
        epochs, total = self._epochs
        self._progress(epochs + done / size, total, f"batch {done} of {size}")
