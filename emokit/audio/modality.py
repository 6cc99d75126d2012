"""The audio modality: settings, training, prediction, export and model card of audio runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emokit.modality.protocol import ENGINE, Modality, Option, Plan, Progress

if TYPE_CHECKING:
    import pandas

    from emokit.data.prepared import Prepared
    from emokit.modality.predictor import Predictor
    from emokit.model_card import CardFacts
    from emokit.settings import Settings

# Kind of model -> what it does not use; see `Modality.unused`.
OF_ACRNN = tuple(
    f"model.{name}"
    for name in (
        *("channels", "stem_channels", "time_poolings", "skip_connections", "attention_reduction"),
        *("lstm_hidden_size", "lstm_num_layers", "num_attention_heads"),
    )
)
OF_ENCODER = ("model.name", "model.revision", "model.frozen")
OF_HEAD = ("model.classifier_hidden_size", "model.dropout")
OF_PROBE = ("model.layers", "model.functionals")
WITHOUT_EPOCHS = ("training", "augmentation", "precision", "compile")
UNUSED = {
    "functionals": (*WITHOUT_EPOCHS, "model"),
    "probe": (*WITHOUT_EPOCHS, *OF_ACRNN, *OF_HEAD, "model.frozen"),
    "acrnn": (
        *(*OF_ENCODER, *OF_PROBE),
        *("training.encoder_lr_multiplier", "training.layer_decay", "training.max_seconds_per_batch"),
    ),
    "pretrained": (*OF_ACRNN, *OF_PROBE),
    # Its layers are computed once, from the recordings as they are.
    "frozen": (
        *(*OF_ACRNN, *OF_PROBE, "augmentation"),
        *("training.encoder_lr_multiplier", "training.layer_decay", "training.max_seconds_per_batch"),
    ),
}
AUTO_MODEL, AUTO_EXTRACTOR = "AutoModelForAudioClassification", "AutoFeatureExtractor"
EXTRACTOR_MODULE = "emokit.audio.spectrogram.feature_extractor"


class AudioModality(Modality):
    """Emotion from speech: an ACRNN, a pretrained speech encoder, a probe of one, or functionals."""

    name = "audio"
    summary = "Train an ACRNN, a pretrained speech encoder, a probe of one, or functionals with logistic regression."
    examples = (
        "emokit train audio experiments/audio/emodb_quick.yaml --data prepared --run runs/emodb",
        "emokit train audio wavlm --data prepared --set model.name=DIR --run runs/wavlm",
    )
    medium = "in speech"
    simple_baseline = (
        "functionals of 32 bands and 20 cepstra (their distribution and trend over time), logistic regression (balanced "
        "classes, C chosen on dev)"
    )
    options = (
        Option(
            "timestamps",
            "Audio runs only: one line per window, with its start and end in seconds.",
            ("predict",),
            role="table",
        ),
        ENGINE,
    )
    auto_models = (
        (AUTO_MODEL, "emokit.audio.spectrogram.acrnn", "AcrnnConfig", "AcrnnForAudioClassification"),
        (AUTO_EXTRACTOR, EXTRACTOR_MODULE, "AcrnnConfig", "LogMelFeatureExtractor"),
        (AUTO_MODEL, "emokit.audio.functionals.model", "FunctionalsConfig", "FunctionalsForAudioClassification"),
        (AUTO_MODEL, "emokit.audio.waveform.encoder", "SpeechConfig", "SpeechForAudioClassification"),
        (AUTO_MODEL, "emokit.audio.probe.model", "ProbeConfig", "ProbeForAudioClassification"),
    )

    def settings(self) -> "type[Settings]":
        """As `Modality.settings`."""
        from emokit.audio.settings import AudioSettings

        return AudioSettings

    def unused(self, settings: Any) -> tuple[str, ...]:
        """As `Modality.unused`."""
        kind = "frozen" if settings.model.kind == "pretrained" and settings.model.frozen else settings.model.kind
        return UNUSED[kind]

    def train(self, settings: Any, prepared: "Prepared", run: Path, **options: Any) -> dict[str, Any]:
        """As `Modality.train`."""
        from emokit.audio.train import train

        return train(self, settings, prepared, run, **options)

    def plan(self, settings: Any, prepared: "Prepared", **options: Any) -> Plan:
        """As `Modality.plan`."""
        from emokit.audio.family import family
        from emokit.audio.splits import split_tables

        tables = split_tables(settings, prepared)
        sizes = {split: len(rows) for split, rows in tables.items()}
        return Plan(sizes, family(settings.model.kind).plan(settings, tables["train"]))

    def check_data(self, settings: Any, prepared: "Prepared", held_out: tuple[str, ...] = ("dev", "test")) -> None:
        """As `Modality.check_data`; an encoder must be there too."""
        from emokit.audio.family import family
        from emokit.audio.splits import split_tables

        tables = split_tables(settings, prepared, held_out)
        family(settings.model.kind).plan(settings, tables["train"])

    def compute_features(
        self, settings: Any, prepared: "Prepared", rows: "pandas.DataFrame", progress: Progress | None = None
    ) -> None:
        """As `Modality.compute_features`."""
        from emokit.audio.family import family
        from emokit.audio.spectrogram.speeds import log_mels
        from emokit.audio.splits import features_of

        with_audio = rows[rows["path"].notna()]
        log_mels(prepared, features_of(settings, prepared), with_audio, progress=progress)
        family(settings.model.kind).compute_features(settings, prepared, with_audio, progress)

    def load(self, run: Path | None, device: str = "auto", **options: Any) -> "Predictor":
        """As `Modality.load`."""
        from emokit.audio.predictor import AudioPredictor
        from emokit.errors import UsageError

        if run is None:
            raise UsageError("There is no pretrained audio model; name a run folder.")
        return AudioPredictor(run, device, **options)

    def export(self, run: Path, out: Path, *, force: bool = False, **options: Any) -> float:
        """As `Modality.export`; an ACRNN takes windows (windows, frames, mels) of decibels, an encoder its processor's output."""
        from emokit.audio.predictor import AudioPredictor
        from emokit.training.onnx import check_packages

        check_packages()
        return AudioPredictor(run, "cpu", "torch").export(out, force=force)

    def card(self, settings: Mapping[str, Any]) -> "CardFacts":
        """As `Modality.card`."""
        from emokit.model_card import CardFacts, in_python

        loading = "RUN is this folder; the model itself is in `model/`, in transformers' format."
        return CardFacts(
            reads="a recording of one utterance",
            example="some.wav",
            loading=loading + in_python(AUTO_MODEL, own=True),
            pipeline_tag="audio-classification",
            tags=("speech",),
        )


AUDIO = AudioModality()
