"""The family of probes: the layers of an encoder are computed once, and the regression is fitted in seconds."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
import torch
from transformers import PretrainedConfig

from emokit.audio.family import FittedModel, OnnxInputs
from emokit.audio.functionals.model import NUM_FUNCTIONALS, FunctionalsConfig, FunctionalsForAudioClassification
from emokit.audio.linear.family import LinearFamily
from emokit.audio.probe.model import ProbeConfig, ProbeForAudioClassification
from emokit.audio.settings import AudioSettings, FeatureSettings
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.audio.waveform.family import encoder_inputs, read_with_processor
from emokit.audio.waveform.predict import layer_statistics
from emokit.audio.waveform.pretrained import find_processor, load_encoder, read_encoder_config
from emokit.data.audio_io.plausible import checked_features
from emokit.data.audio_io.read import read_audio, resample
from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet
from emokit.modality.protocol import Progress
from emokit.runtime import choose_device
from emokit.training.linear.vectors import Vectors
from emokit.training.model_checks import CONFIG, load_pretrained

if TYPE_CHECKING:
    import pandas

    from emokit.audio.splits import SplitData
    from emokit.data.prepared import Prepared


STRENGTHS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)


class ProbeFamily(LinearFamily):
    """Logistic regression on the layers of a frozen encoder."""

    def plan(self, settings: AudioSettings, train: pandas.DataFrame) -> dict[str, Any]:
        """As `ModelFamily.plan`."""
        folder, _ = find_processor(settings)
        check_layers(settings, read_encoder_config(settings, folder))
        return super().plan(settings, train)

    def compute_features(
        self, settings: AudioSettings, prepared: Prepared, rows: pandas.DataFrame, progress: Progress | None = None
    ) -> None:
        """As `ModelFamily.compute_features`: the layers of the encoder."""
        from emokit.audio.waveform.layer_cache import layers_of

        model = self.new_model(settings, None, prepared.labels)
        layers_of(model.to(choose_device("auto")), prepared, rows, progress)

    def new_model(
        self, settings: AudioSettings, train: SplitData | None, labels: LabelSet
    ) -> ProbeForAudioClassification:
        """As `ModelFamily.new_model`: the pretrained encoder, unfitted."""
        encoder, processor = load_encoder(settings)
        check_layers(settings, encoder.config)
        config = ProbeConfig(
            encoder=encoder.config.to_dict(),
            sample_rate=processor.sample_rate,
            **self.config_of(settings),
            id2label=labels.id2label,
            label2id=labels.label2id,
        )
        model = ProbeForAudioClassification(config, encoder).eval()
        model.processor = processor
        return model

    def fit(
        self,
        settings: AudioSettings,
        model: Any,
        prepared: Prepared,
        splits: Mapping[str, SplitData],
        device: torch.device,
        progress: Progress | None = None,
    ) -> FittedModel:
        """As `ModelFamily.fit`: the encoder computes on the device, the regression on the CPU."""
        import pandas

        from emokit.audio.feature_cache import prepared_features
        from emokit.audio.linear.splits import fit_splits
        from emokit.audio.waveform.layer_cache import layers_of

        if settings.model.functionals:
            model.config.features = prepared_features(prepared).as_dict()
        every = pandas.concat([data.table for data in splits.values()], ignore_index=True)
        layers_of(model.to(device), prepared, every, progress)
        vectors = {split: self.vectors_of_rows(model, prepared, data.table) for split, data in splits.items()}
        probabilities = fit_splits(model.cpu(), settings, splits, vectors, STRENGTHS)
        return FittedModel(model, probabilities, model.processor.extractor.save_pretrained)

    def load_model(self, folder: Path) -> ProbeForAudioClassification:
        """As `ModelFamily.load_model`, with the processor; the settings of the log-mels are checked."""
        model: ProbeForAudioClassification = load_pretrained(ProbeForAudioClassification, folder)
        if not all(isinstance(layer, int) and 0 <= layer < model.num_states for layer in model.chosen):
            raise DataError(
                f"{folder} has a probe of the layers {model.chosen} of an encoder with the layers 0 to {model.num_states - 1}; "
                "train the run again with --force."
            )
        if model.config.functionals:
            FeatureSettings.resolved(model.config.features, str(folder / CONFIG))
        return read_with_processor(model, folder)

    def config_of(self, settings: AudioSettings) -> dict[str, Any]:
        """As `ModelFamily.config_of`: the windows and the choice of layers; the encoder states its own."""
        return {
            "window_seconds": settings.data.window_seconds,
            "window_overlap": settings.data.window_overlap,
            "layers": None if settings.model.layers is None else list(settings.model.layers),
            "functionals": settings.model.functionals,
            "normalisation": settings.data.normalisation,
        }

    def vectors_of_rows(
        self, model: Any, prepared: Prepared, rows: pandas.DataFrame, progress: Progress | None = None
    ) -> Vectors:
        """As `LinearFamily.vectors_of_rows`."""
        from emokit.audio.spectrogram.speeds import log_mels
        from emokit.audio.waveform.layer_cache import layers_of

        layers = layers_of(model, prepared, rows, progress)
        values = [_flat(model, entry) for entry in layers]
        if model.config.functionals:
            store = log_mels(prepared, _features(model), rows, progress=progress)
            of_rows = (store[utterance_id] for utterance_id in rows["utterance_id"])
            values = [
                numpy.concatenate([entry, _functionals(model, log_mel, len(entry))], axis=1)
                for entry, log_mel in zip(values, of_rows, strict=True)
            ]
        owners = numpy.repeat(numpy.arange(len(rows)), [len(entry) for entry in values])
        return Vectors(owners, numpy.concatenate(values))

    def vectors_of_recording(self, model: Any, path: Path) -> tuple[numpy.ndarray, numpy.ndarray, tuple[str, ...]]:
        """As `LinearFamily.vectors_of_recording`."""
        rate = model.processor.sample_rate
        audio = read_audio(path)
        waveform = resample(audio.waveform, audio.sample_rate, rate)
        spans, layers = layer_statistics(model, [waveform])
        values = _flat(model, layers)
        if model.config.functionals:
            features = _features(model)
            at_rate = resample(audio.waveform, audio.sample_rate, features.sample_rate)
            log_mel = checked_features(LogMel(features), at_rate, path)
            values = numpy.concatenate([values, _functionals(model, log_mel, len(values))], axis=1)
        seconds = numpy.array([span for _, *span in spans]) / rate
        return seconds, values, tuple(map(str, audio.flags))

    def onnx_inputs(self, model: Any) -> OnnxInputs:
        """As `ModelFamily.onnx_inputs`: the output of the processor, and functionals where the probe takes them."""
        inputs = encoder_inputs(model)
        if not model.config.functionals:
            return inputs
        random = torch.Generator().manual_seed(0)
        batches = []
        for batch in inputs.batches:
            count = len(next(iter(batch.values())))
            batches.append({**batch, "functionals": torch.randn(count, NUM_FUNCTIONALS, generator=random)})
        dynamic = {**inputs.dynamic, "functionals": {0: "batch"}}
        return OnnxInputs(batches, dynamic, inputs.about, inputs.save_beside)


def check_layers(settings: AudioSettings, encoder: PretrainedConfig) -> None:
    """Refuse layers that an encoder does not have.

    Args:
        settings: of the experiment.
        encoder: the encoder's config.

    Raises:
        UsageError: names the layer, and those that there are.
    """
    top = encoder.num_hidden_layers
    if settings.model.layers is not None and max(settings.model.layers) > top:
        raise UsageError(
            f"model.layers has {max(settings.model.layers)} and {settings.model.name} has the layers 0 to {top}; "
            "choose among them."
        )


def _flat(model: Any, layers: numpy.ndarray) -> numpy.ndarray:
    """(windows, layers, 2, dim) of all layers -> (windows, values) float32 of those that the probe takes."""
    chosen: numpy.ndarray = layers[:, model.chosen].astype(numpy.float32).reshape(len(layers), -1)
    return chosen


def _features(model: Any) -> FeatureSettings:
    return FeatureSettings.make(model.config.features)


def _functionals(model: Any, log_mel: numpy.ndarray, count: int) -> numpy.ndarray:
    """(count, functionals) float32 of the windows of a log-mel (frames, mels): those that the encoder was given."""
    features, config = _features(model), model.config
    frames = min(len(log_mel), features.num_frames(config.window_seconds))
    # Spread over the recording as the windows of samples are, whose number differs from that of frames at some lengths.
    starts = numpy.linspace(0, len(log_mel) - frames, count).round().astype(int)
    summarise = _summariser(features.n_mels, features.top_db)
    with torch.inference_mode():
        windows = torch.from_numpy(
            numpy.stack([log_mel[start : start + frames] for start in starts]).astype(numpy.float32)
        )
        result: numpy.ndarray = summarise(windows).numpy()
    return result


@functools.lru_cache(maxsize=4)
def _summariser(n_mels: int, top_db: float) -> Callable[[torch.Tensor], torch.Tensor]:
    """The functionals of windows (windows, frames, mels) in decibels."""
    config = FunctionalsConfig(n_mels=n_mels, features={"top_db": top_db}, num_labels=2)
    return FunctionalsForAudioClassification(config).summarised
