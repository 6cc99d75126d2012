"""`emokit train … --folds`: what a person sees of a cross-validation."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from emokit.cli import console, tables
from emokit.data.prepared import Prepared
from emokit.errors import Collapsed
from emokit.runtime import quiet_libraries
from emokit.training.cross_validation.run import FoldListener, cross_validate
from emokit.workers import WORKERS, size


def train_folds(
    train: Callable[..., Any],
    settings: Any,
    prepared: Prepared,
    where: Path,
    folds: str,
    *,
    workers: int | None,
    device: str,
    progress: console.Progress,
    **how: Any,
) -> dict[str, Any]:
    """Cross-validate and show each epoch and fold; `how` goes to `cross_validate` as it is."""
    at_once, devices = size(workers, device)
    return cross_validate(
        where,
        settings,
        prepared,
        folds,
        partial(_train_fold, train),
        device=device,
        workers=at_once,
        devices=devices,
        listener=_Shown(where, settings.training.checkpoint, progress),
        **how,
    )


def _train_fold(train: Callable[..., Any], data: Prepared, run: Path, *, on_epoch: Any = None) -> None:
    """Train a fold, here or in a worker's process."""
    quiet_libraries()
    # One that was begun is gone on with: that its settings are the same was seen in the folder above it.
    train(data, run, resume=True, on_epoch=on_epoch)


class _Shown(FoldListener):
    """A line for each epoch, each fold and each collapse, and the bar."""

    def __init__(self, run: Path, keep: str, progress: console.Progress) -> None:
        self._run, self._keep, self._progress = run, keep, progress

    def begins(self, at_once: int) -> None:
        console.say(f"{at_once} folds at once; what their workers print goes to {self._run / WORKERS}")

    def epoch(self, name: str, line: dict[str, Any]) -> None:
        console.say(f"fold {name}  {tables.epoch_line(line, self._keep)}")

    def fold(self, name: str, found: dict[str, Any]) -> None:
        console.say(tables.fold_line(name, found))

    def replaced(self, name: str) -> None:
        console.say(f"fold {name}: its worker was killed or stopped; another goes on with it")

    def collapsed(self, name: str, error: Collapsed) -> None:
        console.say(f"fold {name}: {error}")

    def progress(self, done: int, total: int) -> None:
        self._progress(done, total)
