"""The family of pretrained speech encoders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy
import torch

from emokit.audio.family import OnnxInputs, RecordingEmbedding, RecordingPredictions, TrainableModel
from emokit.audio.recordings import read_flagged
from emokit.audio.settings import AudioSettings
from emokit.audio.waveform.encoder import UNPADDED, EncoderModel, SpeechForAudioClassification
from emokit.audio.waveform.frozen import FrozenBatches, predict_layers
from emokit.audio.waveform.predict import embed_waveform, predict_waveforms, predict_windows
from emokit.audio.waveform.pretrained import find_processor, head_of, layer_groups, pretrained, read_encoder_config
from emokit.audio.waveform.processor import PROCESSOR, check_processor, read_processor
from emokit.audio.windows import window_spans
from emokit.errors import DataError
from emokit.labels import LabelSet
from emokit.modality.protocol import Progress
from emokit.runtime import choose_device
from emokit.training.batches import LengthBatches
from emokit.training.model_checks import OF_RUN, check_agrees, load_pretrained

if TYPE_CHECKING:
    import pandas

    from emokit.audio.splits import SplitData
    from emokit.data.prepared import Prepared


# Lengths of the waveforms that are compared: several in a batch, and one alone.
NUM_SAMPLES = ((16_000, 9_000, 12_345), (7_777,))
Model = TypeVar("Model", bound=EncoderModel)


class PretrainedFamily:
    """A pretrained speech encoder with a head, trained on waveforms."""

    has_epochs = True

    def plan(self, settings: AudioSettings, train: pandas.DataFrame) -> dict[str, Any]:
        """As `ModelFamily.plan`."""
        from emokit.training.splits import target_shares

        training = settings.training
        folder, processor = find_processor(settings)
        read_encoder_config(settings, folder)
        if settings.model.frozen:
            window, overlap = settings.data.window_seconds, settings.data.window_overlap
            samples = (train["duration_seconds"].to_numpy(float) * processor.sample_rate).round().astype(int)
            windows = window_spans(samples.tolist(), round(window * processor.sample_rate), overlap)
            steps = -(-len(windows) // training.batch_size)
            return {"steps_per_epoch": -(-steps // training.gradient_accumulation_steps)}
        longest = train["duration_seconds"].to_numpy(float) / min(settings.augmentation.speed_factors)
        seconds = longest.clip(max=settings.data.window_seconds)
        batches = LengthBatches(
            processor.lengths(numpy.ceil(seconds * processor.sample_rate).astype(numpy.int64)),
            target_shares(train, LabelSet(train["label"].unique()), soft=False),
            batch_size=training.batch_size,
            budget=round(training.max_seconds_per_batch * processor.sample_rate),
            seed=training.seed,
            balanced=training.class_balancing == "sampler",
        )
        steps = -(-len(batches) // training.gradient_accumulation_steps)
        return {"steps_per_epoch": steps, "padding_share": round(batches.padding_share(), 4)}

    def compute_features(
        self, settings: AudioSettings, prepared: Prepared, rows: pandas.DataFrame, progress: Progress | None = None
    ) -> None:
        """As `ModelFamily.compute_features`: the layers of a frozen encoder, else waveforms at every speed factor."""
        from emokit.audio.waveform.batches import waveforms_of
        from emokit.audio.waveform.layer_cache import layers_of

        if settings.model.frozen:
            model = self.new_model(settings, None, prepared.labels).eval()
            layers_of(model.to(choose_device("auto")), prepared, rows, progress)
            return
        _, processor = find_processor(settings)
        for factor in sorted({1.0, *settings.augmentation.speed_factors}):
            waveforms_of(prepared, rows, processor.sample_rate, factor, progress)

    def new_model(
        self, settings: AudioSettings, train: SplitData | None, labels: LabelSet
    ) -> SpeechForAudioClassification:
        """As `ModelFamily.new_model`: the pretrained encoder with a new head."""
        return pretrained(settings, labels)

    def trainable(
        self,
        settings: AudioSettings,
        model: SpeechForAudioClassification,
        prepared: Prepared,
        splits: Mapping[str, SplitData],
        device: torch.device,
        progress: Progress | None = None,
    ) -> TrainableModel:
        """As `ModelFamily.trainable`; a frozen encoder's layers are computed before, and only what is above them is trained."""
        import pandas

        from emokit.audio.waveform.batches import WaveformBatches, waveforms_of
        from emokit.audio.waveform.layer_cache import layers_of

        training, processor, train = settings.training, model.processor, splits["train"]
        rows = pandas.concat([data.table for data in splits.values()])
        if settings.model.frozen:
            model = model.to(device)
            layers_of(model, prepared, rows, progress)
            of_split = {split: layers_of(model, prepared, data.table) for split, data in splits.items()}
            frozen_batches = FrozenBatches(of_split["train"], train.shares, training)
            save = processor.extractor.save_pretrained
            return TrainableModel(
                model, frozen_batches, lambda current, split: predict_layers(current, of_split[split]), save_beside=save
            )
        waveform_list = waveforms_of(prepared, rows, processor.sample_rate, progress=progress)
        waveform_of = dict(zip(rows["utterance_id"], waveform_list, strict=True))
        waveforms = {
            split: [waveform_of[name] for name in data.table["utterance_id"]] for split, data in splits.items()
        }
        versions = [
            waveforms["train"]
            if factor == 1
            else waveforms_of(prepared, train.table, processor.sample_rate, factor, progress)
            for factor in settings.augmentation.speed_factors
        ]
        batches = WaveformBatches(
            versions,
            train.shares,
            processor,
            settings.augmentation,
            window_seconds=settings.data.window_seconds,
            batch_size=training.batch_size,
            max_seconds_per_batch=training.max_seconds_per_batch,
            mixup_alpha=training.mixup_alpha,
            balanced=training.class_balancing == "sampler",
            seed=training.seed,
        )

        def predict(current: SpeechForAudioClassification, split: str) -> numpy.ndarray:
            return predict_waveforms(current, waveforms[split])

        groups = layer_groups(model, training)
        return TrainableModel(model.to(device), batches, predict, groups, processor.extractor.save_pretrained)

    def load_model(self, folder: Path) -> SpeechForAudioClassification:
        """As `ModelFamily.load_model`, with the processor."""
        model: SpeechForAudioClassification = load_pretrained(SpeechForAudioClassification, folder)
        if model.config.encoder["model_type"] == "whisper" and model.config.padding != UNPADDED:
            raise DataError(
                f"{folder} was trained on recordings that were padded to 30 s, and Whisper now reads them as long as they are; "
                "train the run again with --force."
            )
        return read_with_processor(model, folder)

    def config_of(self, settings: AudioSettings) -> dict[str, Any]:
        """As `ModelFamily.config_of`: the windows and the head; the encoder states its own."""
        return head_of(settings)

    def predict_rows(
        self, model: Any, settings: AudioSettings, prepared: Prepared, rows: pandas.DataFrame
    ) -> numpy.ndarray:
        """As `ModelFamily.predict_rows`."""
        from emokit.audio.waveform.batches import waveforms_of
        from emokit.audio.waveform.layer_cache import layers_of

        if model.config.frozen:
            return predict_layers(model, layers_of(model, prepared, rows))
        return predict_waveforms(model, waveforms_of(prepared, rows, model.processor.sample_rate))

    def predict_recordings(self, model: Any, paths: Sequence[Path]) -> Iterator[RecordingPredictions | DataError]:
        """As `ModelFamily.predict_recordings`."""
        rate = model.processor.sample_rate
        for path in paths:
            try:
                waveform, flags = read_flagged(path, rate)
                spans, probabilities = predict_windows(model, [waveform])
            except DataError as error:
                yield error
            else:
                seconds = numpy.array([span for _, *span in spans]) / rate
                yield RecordingPredictions(seconds, probabilities, tuple(map(str, flags)))

    def embed_recordings(
        self, model: Any, paths: Sequence[Path], steps: int
    ) -> Iterator[RecordingEmbedding | DataError]:
        """As `ModelFamily.embed_recordings`."""
        for path in paths:
            try:
                waveform, flags = read_flagged(path, model.processor.sample_rate)
            except DataError as error:
                yield error
            else:
                yield RecordingEmbedding(embed_waveform(model, waveform, steps), tuple(map(str, flags)))

    def onnx_inputs(self, model: Any) -> OnnxInputs:
        """As `ModelFamily.onnx_inputs`: the output of the processor, which is written beside the model."""
        return encoder_inputs(model)


def read_with_processor(model: Model, folder: Path) -> Model:
    """A model that was read from a folder, with its processor.

    Raises:
        DataError: the processor is missing or damaged, or of another sample rate.
    """
    model.processor = read_processor(folder, str(folder))
    check_processor(model.processor, model.encoder.config, folder, OF_RUN)
    rates = model.processor.sample_rate, model.config.sample_rate
    check_agrees(folder / PROCESSOR, *({"sampling_rate": rate} for rate in rates))
    return model


def encoder_inputs(model: EncoderModel) -> OnnxInputs:
    """Outputs of a model's processor, of waveforms of several lengths; the processor is written beside the model."""
    config, processor, random = model.config, model.processor, numpy.random.default_rng(0)
    waveforms = [[random.normal(0, 0.1, length) for length in lengths] for lengths in NUM_SAMPLES]
    batches = [processor(batch) for batch in waveforms]
    about = {name: getattr(config, name) for name in ("sample_rate", "window_seconds", "window_overlap")}
    about |= {"encoder": {"model_type": config.encoder["model_type"]}, "processor": processor.facts()}
    last = "samples" if processor.max_seconds is None else "frames"
    dynamic = {name: {0: "batch", values.ndim - 1: last} for name, values in batches[0].items()}
    return OnnxInputs(batches, dynamic, about, processor.extractor.save_pretrained)
