"""From raw emotion corpora to a calibrated, fused, honestly scored emotion model."""

from typing import TYPE_CHECKING, Any

from emokit.runtime import VERSION as __version__

if TYPE_CHECKING:
    from pathlib import Path

    from emokit.modality.predictor import Predictor

__all__ = ["__version__", "load"]


def load(run: "Path | str", device: str = "auto", **options: Any) -> "Predictor":
    """Load the model of a run folder: `emokit.load("runs/audio").predict(["a.wav"])`.

    Args:
        run: a complete run folder, or the name of a modality with a pretrained model, such as `vision`.
        device: auto, cuda, mps or cpu.
        options: the modality's own, such as `trust_remote_code=True`.

    Raises:
        UsageError: a package is missing, or the device is not on this machine.
        DataError: the run is missing, incomplete or damaged.
    """
    # Imported here, since every command imports emokit and few load a model.
    from emokit.modality import registry

    return registry.load(run, device, **options)
