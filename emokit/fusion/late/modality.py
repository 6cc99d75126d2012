"""Late fusion as a modality: `emokit fuse-search` makes its runs, which predict and appear in reports like all others."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emokit.modality import transcribing
from emokit.modality.protocol import Modality, Option

if TYPE_CHECKING:
    from emokit.modality.predictor import Predictor
    from emokit.model_card import CardFacts
    from emokit.settings import Settings


class LateFusion(Modality):
    """Weighted means of the predictions of several runs."""

    name = "late-fusion"
    summary = "Fuse predictions of several modalities with weights searched on dev; see `emokit fuse-search`."
    examples = ("emokit fuse-search audio=runs/a text=runs/t vision=face.parquet --run runs/fused",)
    medium = "by fusion"
    options = (
        Option(
            "text",
            "Fused runs only: sentence to predict; with clips, the text of each clip in their order.",
            ("predict",),
            list,
            role="inputs",
        ),
        *transcribing.OPTIONS,
    )
    is_trainable = False

    def settings(self) -> "type[Settings]":
        """`FusionSettings`."""
        from emokit.fusion.late.settings import FusionSettings

        return FusionSettings

    def load(self, run: Path | None, device: str = "auto", **options: Any) -> "Predictor":
        """Load a fused run and its branches; the options are those of `transcribing.recogniser_of`."""
        from emokit.errors import UsageError
        from emokit.fusion.late.predictor import load

        if run is None:
            raise UsageError("There is no pretrained model of late-fusion; name a run that `emokit fuse-search` made.")
        return load(run, device, **options)

    def card(self, settings: Mapping[str, Any]) -> "CardFacts":
        """The model card's facts of a fused run."""
        from emokit.model_card import CardFacts

        return CardFacts(
            reads="the audio, video and text of one utterance",
            example='some.mp4 --text "I did not expect that!"',
            loading="RUN is this folder; the runs that it fuses are named in `settings.yaml`, with their weights and "
            "temperatures.",
        )

    def rerun(self, run: Path, settings: Mapping[str, Any], environment: Mapping[str, Any]) -> list[str]:
        """The words of an `emokit fuse-search` with the same branches and settings."""
        from emokit.runs import SETTINGS

        branches = [
            f"{name}={os.path.normpath(run / str(path))}"
            for name, paths in (settings.get("branches") or {}).items()
            for path in paths
        ]
        return [
            "emokit", "fuse-search", *branches, "--settings", str(run / SETTINGS), "--run", f"{run}-again"
        ]  # fmt: skip


LATE_FUSION = LateFusion()
