"""The audio modality: settings, training, prediction, export and model card of audio runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emokit.modality.protocol import Modality, Option, Plan, Progress

if TYPE_CHECKING:
    import pandas

    from emokit.data.prepared import Prepared
    from emokit.modality.predictor import Predictor
    from emokit.model_card import CardFacts
    from emokit.settings import Settings

# Kind of model -> what it does not use; see `Modality.unused`.
UNUSED = {
    "functionals": ("training", "augmentation", "model", "precision", "compile"),
    "acrnn": (
        *("model.name", "model.revision", "model.frozen"),
        *("training.encoder_lr_multiplier", "training.layer_decay", "training.max_seconds_per_batch"),
    ),
    "pretrained": (
        *("model.channels", "model.stem_channels", "model.time_poolings", "model.skip_connections"),
        *("model.attention_reduction", "model.lstm_hidden_size", "model.lstm_num_layers", "model.num_attention_heads"),
    ),
}
AUTO_MODEL, AUTO_EXTRACTOR = "AutoModelForAudioClassification", "AutoFeatureExtractor"
EXTRACTOR_MODULE = "emokit.audio.spectrogram.feature_extractor"


class AudioModality(Modality):
    """Emotion from speech: an ACRNN, functionals, or a pretrained speech encoder."""

    name = "audio"
    summary = "Train an ACRNN, functionals with logistic regression, or a pretrained speech encoder."
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
    )
    auto_models = (
        (AUTO_MODEL, "emokit.audio.spectrogram.acrnn", "AcrnnConfig", "AcrnnForAudioClassification"),
        (AUTO_EXTRACTOR, EXTRACTOR_MODULE, "AcrnnConfig", "LogMelFeatureExtractor"),
        (AUTO_MODEL, "emokit.audio.functionals.model", "FunctionalsConfig", "FunctionalsForAudioClassification"),
        (AUTO_MODEL, "emokit.audio.waveform.encoder", "SpeechConfig", "SpeechForAudioClassification"),
    )

    def settings(self) -> "type[Settings]":
        """As `Modality.settings`."""
        from emokit.audio.settings import AudioSettings

        return AudioSettings

    def unused(self, settings: Any) -> tuple[str, ...]:
        """As `Modality.unused`."""
        return UNUSED[settings.model.kind]

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
        """As `Modality.check_data`."""
        from emokit.audio.splits import split_tables

        split_tables(settings, prepared, held_out)

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
        return AudioPredictor(run, device)

    def export(self, run: Path, out: Path, *, force: bool = False, **options: Any) -> float:
        """As `Modality.export`; an ACRNN takes windows (windows, frames, mels) of decibels, an encoder its processor's output."""
        from emokit.audio.predictor import AudioPredictor
        from emokit.training.onnx import check_packages, write_onnx

        check_packages()
        predictor = AudioPredictor(run, "cpu")
        inputs = predictor.family.onnx_inputs(predictor.model)
        return write_onnx(
            predictor.model,
            inputs.batches,
            inputs.dynamic,
            out,
            inputs.about,
            save_beside=inputs.save_beside,
            force=force,
        )

    def card(self, settings: Mapping[str, Any]) -> "CardFacts":
        """As `Modality.card`."""
        from emokit.model_card import CardFacts, in_python

        loading = "RUN is this folder; the model itself is in `model/`, in transformers' format."
        return CardFacts(
            reads="a recording of one utterance",
            example="some.wav",
            loading=loading
            + in_python("AutoModelForAudioClassification", "    import emokit.hf  # registers emokit's models\n"),
            pipeline_tag="audio-classification",
            tags=("speech",),
        )


AUDIO = AudioModality()
