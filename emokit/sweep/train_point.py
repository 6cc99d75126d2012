"""Training one point of a sweep with its modality, on train and dev only."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from emokit.modality.registry import modality
from emokit.settings import Settings

# (an epoch's line of log.jsonl) -> None; raises to stop the training
OnEpoch = Callable[[dict[str, Any]], None]
# (settings, run folder, on_epoch): trains into the folder, or resumes what was begun there
TrainPoint = Callable[[Settings, Path, OnEpoch], None]

HELD_OUT = ("dev",)


def train_point(name: str, data: Path, device: str, precision: str) -> TrainPoint:
    """Make the function that trains a point; it does not read test.

    Args:
        name: of the modality.
        data: the prepared folder, opened once, at the first point.
        device, precision: how to compute.
    """
    opened: list[Any] = []

    def train(settings: Settings, folder: Path, on_epoch: OnEpoch) -> None:
        from emokit.data.prepared import open_prepared
        from emokit.training.memory import ANYWHERE, explained

        if not opened:
            opened.append(open_prepared(data))
        with explained(lambda: ANYWHERE):
            modality(name).train(
                settings,
                opened[0],
                folder,
                device=device,
                precision=precision,
                resume=True,
                on_epoch=lambda epoch: on_epoch(epoch.as_log()),
                held_out=HELD_OUT,
            )

    return train
