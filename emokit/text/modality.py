"""The text modality, as the rest of emokit sees it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emokit.errors import UsageError
from emokit.modality import transcribing
from emokit.modality.protocol import ENGINE, Modality, Option, Plan, Progress
from emokit.text.card import SIMPLE_BASELINE, card_facts

if TYPE_CHECKING:
    import pandas

    from emokit.data.prepared import Prepared
    from emokit.modality.predictor import Predictor
    from emokit.model_card import CardFacts
    from emokit.settings import Settings


# Kind of model -> what it does not use; see `Modality.unused`.
UNUSED = {
    "tfidf": ("training", "features", "model", "precision", "compile", "trust_remote_code"),
    "probe": ("training", "model.labels", "model.tiny", "precision", "compile", "trust_remote_code"),
    "zero_shot": ("training", "model.layers", "model.tiny", "precision", "compile"),
    "tiny": ("model.name", "model.revision", "model.layers", "model.labels", "trust_remote_code"),
    "pretrained": ("model.layers", "model.labels", "model.tiny"),
}


class TextModality(Modality):
    """Emotion from text; the methods import what they need, so that importing this module stays fast."""

    name = "text"
    summary = "Fine-tune a text encoder on prepared comments and dialogues, probe it, train a tiny one, or fit a bag of words."
    examples = ("emokit train text default --data prepared --set model.name=DIR --run runs/text",)
    medium = "in text"
    simple_baseline = SIMPLE_BASELINE
    options = (
        Option(
            "file",
            "Text runs only: text file with one sentence per line, or CSV or TSV table (.csv, .tsv).",
            ("predict",),
            Path,
            role="inputs",
        ),
        Option("column", "Text runs only: column of --file that holds the texts.", ("predict",), str, role="inputs"),
        Option("trust_remote_code", "Run the code that comes with a pretrained model.", ("train", "predict", "export")),
        *transcribing.OPTIONS,
        ENGINE,
    )

    auto_models = (
        (
            "AutoModelForSequenceClassification",
            "emokit.text.probe.model",
            "TextProbeConfig",
            "ProbeForTextClassification",
        ),
    )

    def settings(self) -> "type[Settings]":
        """`TextSettings`."""
        from emokit.text.settings import TextSettings

        return TextSettings

    def unused(self, settings: Any) -> tuple[str, ...]:
        """As `Modality.unused`."""
        return UNUSED[settings.model.kind]

    def train(
        self, settings: Any, prepared: "Prepared", run: Path, *, progress: Progress | None = None, **options: Any
    ) -> dict[str, Any]:
        """As `Modality.train`, with `trust_remote_code`; `progress` is of the layers that a probe needs."""
        from emokit.text.train import train

        return train(settings, prepared, run, progress=progress, **options)

    def plan(self, settings: Any, prepared: "Prepared", **options: Any) -> Plan:
        """Steps per epoch, share of padding and truncated texts, for `--dry-run`."""
        from emokit.text.train import plan

        return plan(settings, prepared, **options)

    def check_data(self, settings: Any, prepared: "Prepared", held_out: tuple[str, ...] = ("dev", "test")) -> None:
        """As `Modality.check_data`; a pretrained model must be there too."""
        from emokit.text.splits import read_splits
        from emokit.training.hub import find_model

        read_splits(settings, prepared, held_out)
        if settings.model.kind == "pretrained":
            find_model(settings.model.name, settings.model.revision)

    def compute_features(
        self, settings: Any, prepared: "Prepared", rows: "pandas.DataFrame", progress: Progress | None = None
    ) -> None:
        """The layers of the encoder that a probe takes; other models have no cached features."""
        if settings.model.kind != "probe":
            return
        from emokit.text.probe.fit import compute_layers

        compute_layers(settings, prepared, rows, progress)

    def load(self, run: Path | None, device: str = "auto", **options: Any) -> "Predictor":
        """Load the model of a complete run.

        Raises:
            UsageError: no run was given, the device is unknown, or the model needs remote code that was not allowed.
            DataError: the run is incomplete or its model is damaged.
        """
        from emokit.text.predictor import load

        if run is None:
            raise UsageError("There is no pretrained text model; name a run folder.")
        return load(run, device, **options)

    def export(self, run: Path, out: Path, *, force: bool = False, **options: Any) -> float:
        """Write the model of a complete run as ONNX; see `emokit.text.export`."""
        from emokit.text.export import export_onnx

        return export_onnx(run, out, force=force, **options)

    def card(self, settings: Mapping[str, Any]) -> "CardFacts":
        """The facts of the model card."""
        return card_facts(settings)


TEXT: Modality = TextModality()
