"""The step from a sweep to the wings: one training of a point, on train and dev alone."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emokit.settings import Settings

if TYPE_CHECKING:
    from emokit.data.prepared import Prepared

# (an epoch's line of log.jsonl) -> None; raises to ask for no other epoch
OnEpoch = Callable[[dict[str, Any]], None]
# (settings, run folder, on_epoch): trains into the folder, going on where it was begun
TrainPoint = Callable[[Settings, Path, OnEpoch], None]

HELD_OUT = ("dev",)


def train_point(kind: str, data: Path, device: str, precision: str) -> TrainPoint:
    """What trains a point with its wing's own function; test is not even read."""
    opened: list[Prepared] = []

    def train(settings: Settings, folder: Path, on_epoch: OnEpoch) -> None:
        from emokit.data.prepared import open_prepared
        from emokit.runtime import quiet_libraries

        quiet_libraries()
        if not opened:
            opened.append(open_prepared(data))
        _wing(kind)(
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


def _wing(kind: str) -> Callable[..., Any]:
    """The training of a wing; the other wing's libraries are not loaded."""
    if kind == "audio":
        from emokit.audio import train as audio

        return audio.train
    from emokit.text import train as text

    return text.train
