"""The vision modality: a pretrained face network, used without training."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emokit.modality.protocol import Modality

if TYPE_CHECKING:
    from emokit.modality.predictor import Predictor
    from emokit.model_card import CardFacts


class VisionModality(Modality):
    """Emotion from faces."""

    name = "vision"
    summary = "Read faces of video clips with DeepFace; not trained."
    medium = "in faces"
    is_trainable = False
    pretrained = "deepface"

    def load(self, run: Path | None, device: str = "auto", **options: Any) -> "Predictor":
        """As `Modality.load`: DeepFace, which chooses its own device."""
        from emokit.errors import DataError
        from emokit.vision.deepface import DEEPFACE_LABELS, deepface
        from emokit.vision.predictor import VisionPredictor

        if run is not None:
            raise DataError(f"{run} is a run of vision, which has none; use the name vision in place of a run.")
        return VisionPredictor(self.pretrained or "", deepface(), DEEPFACE_LABELS)

    def card(self, settings: Mapping[str, Any]) -> "CardFacts":
        """As `Modality.card`."""
        from emokit.model_card import CardFacts

        return CardFacts(
            "a video clip of one utterance", "clip.mp4", "The network is DeepFace's; it is downloaded once."
        )


VISION = VisionModality()
