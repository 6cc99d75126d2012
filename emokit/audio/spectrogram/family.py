"""The family of the ACRNN, and the prediction from spectrograms that functionals share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
import torch

from emokit.audio.family import OnnxInputs, RecordingEmbedding, RecordingPredictions, TrainableModel
from emokit.audio.settings import AudioSettings
from emokit.audio.spectrogram import recordings
from emokit.audio.spectrogram.acrnn import AcrnnConfig, AcrnnForAudioClassification
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.audio.spectrogram.normalise import Statistics, of_log_mels, statistics_of
from emokit.audio.spectrogram.predict import predict_log_mels, window_batches
from emokit.audio.spectrogram.windows import on_device
from emokit.audio.windows import pool_steps
from emokit.engines.by_torch import TorchEngine
from emokit.errors import DataError
from emokit.labels import LabelSet
from emokit.modality.protocol import Progress
from emokit.read_files import in_words
from emokit.runtime import seed_everything
from emokit.training.model_checks import load_pretrained
from emokit.training.plain_model import PlainModel

if TYPE_CHECKING:
    import pandas

    from emokit.audio.spectrogram.batches import TrainingBatches
    from emokit.audio.splits import SplitData
    from emokit.data.prepared import Prepared


NORMALISATIONS = ("train", "utterance", "speaker")
NOT_IN_CONFIG = {"kind", "name", "revision", "frozen", "layers", "functionals"}


class SpectrogramFamily:
    """Prediction and export of models that take windows of log-mels: their config has the windows and the features."""

    model_class: type[PlainModel]

    def load_model(self, folder: Path) -> Any:
        """As `ModelFamily.load_model`."""
        model = load_pretrained(self.model_class, folder)
        _check_config(model, folder)
        return model

    def config_of(self, settings: AudioSettings) -> dict[str, Any]:
        """As `ModelFamily.config_of`: the windows and the features; the model's shape is in its subclasses."""
        return {
            "n_mels": settings.features.n_mels,
            "window_frames": settings.features.num_frames(settings.data.window_seconds),
            "window_overlap": settings.data.window_overlap,
            "normalisation": settings.data.normalisation,
            "features": settings.features.as_dict(),
        }

    def predict_rows(
        self, model: Any, settings: AudioSettings, prepared: Prepared, rows: pandas.DataFrame
    ) -> numpy.ndarray:
        """As `ModelFamily.predict_rows`."""
        return recordings.predict_rows(TorchEngine(model, model.device), model.config, settings, prepared, rows)

    def predict_recordings(self, model: Any, paths: Sequence[Path]) -> Iterator[RecordingPredictions | DataError]:
        """As `ModelFamily.predict_recordings`; with `data.speaker_normalisation` all files count as one speaker's."""
        return recordings.predict_recordings(TorchEngine(model, model.device), model.config, paths)

    def embed_recordings(
        self, model: Any, paths: Sequence[Path], steps: int
    ) -> Iterator[RecordingEmbedding | DataError]:
        """As `ModelFamily.embed_recordings`; speakers as in `predict_recordings`."""
        speaker = recordings.speaker_statistics(model.config, paths)
        for path in paths:
            try:
                log_mel, flags, _ = recordings.read_log_mel(model.config, path)
            except DataError as error:
                yield error
            else:
                statistics = recordings.own_statistics(model.config, log_mel, speaker)
                yield RecordingEmbedding(embed_log_mel(model, log_mel, statistics, steps), flags)

    def onnx_inputs(self, model: Any) -> OnnxInputs:
        """As `ModelFamily.onnx_inputs`: windows (windows, frames, mels) of decibels."""
        config, random = model.config, numpy.random.default_rng(0)
        shape = (config.window_frames, config.n_mels)
        batches = [
            {"input_features": torch.from_numpy(random.normal(-40, 15, (count, *shape)).astype(numpy.float32))}
            for count in (3, 1)
        ]
        names = ("window_frames", "window_overlap", "normalisation", "features")
        about = {name: getattr(config, name) for name in names} | {"normalisation": of_log_mels(config)}
        return OnnxInputs(batches, {"input_features": {0: "batch"}}, about)


class AcrnnFamily(SpectrogramFamily):
    """The ACRNN, trained on windows of log-mels."""

    has_epochs = True
    model_class = AcrnnForAudioClassification

    def config_of(self, settings: AudioSettings) -> dict[str, Any]:
        """As `ModelFamily.config_of`, with the shape, whose default values are those of the config."""
        given = settings.model.model_dump(exclude=NOT_IN_CONFIG)
        shape = AcrnnConfig(**given)
        return super().config_of(settings) | {name: getattr(shape, name) for name in given}

    def plan(self, settings: AudioSettings, train: pandas.DataFrame) -> dict[str, Any]:
        """As `ModelFamily.plan`."""
        batches = len(train) // settings.training.batch_size
        return {"steps_per_epoch": -(-batches // settings.training.gradient_accumulation_steps)}

    def compute_features(
        self, settings: AudioSettings, prepared: Prepared, rows: pandas.DataFrame, progress: Progress | None = None
    ) -> None:
        """As `ModelFamily.compute_features`: log-mels at every speed factor."""
        from emokit.audio.spectrogram.speeds import versions

        versions(prepared, settings.features, rows, settings.augmentation.speed_factors, progress)

    def new_model(self, settings: AudioSettings, train: SplitData, labels: LabelSet) -> AcrnnForAudioClassification:
        """As `ModelFamily.new_model`; the model holds the training split's mean and deviation."""
        seed_everything(settings.training.seed)
        config = AcrnnConfig(id2label=labels.id2label, label2id=labels.label2id, **self.config_of(settings))
        model = AcrnnForAudioClassification(config)
        if train.statistics is None:
            statistics = Statistics()
            for log_mel in train.log_mels:
                statistics.add(log_mel)
            model.standardise_with(*torch.from_numpy(statistics.result()))
        # Convolutions in bf16 run several times as fast when the channels of a position are adjacent in memory.
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub has it with a type only
        return model

    def trainable(
        self,
        settings: AudioSettings,
        model: AcrnnForAudioClassification,
        prepared: Prepared,
        splits: Mapping[str, SplitData],
        device: torch.device,
        progress: Progress | None = None,
    ) -> TrainableModel:
        """As `ModelFamily.trainable`."""
        from emokit.audio.spectrogram.feature_extractor import feature_extractor_of

        def predict(current: torch.nn.Module, split: str) -> numpy.ndarray:
            data, frames, overlap = splits[split], model.config.window_frames, settings.data.window_overlap
            return predict_log_mels(TorchEngine(current, device), data.log_mels, frames, overlap, data.statistics)

        batches = new_batches(settings, prepared, splits["train"], device, progress)
        return TrainableModel(model, batches, predict, save_beside=feature_extractor_of(model).save_pretrained)


def new_batches(
    settings: AudioSettings,
    prepared: Prepared,
    train: SplitData,
    device: torch.device,
    progress: Progress | None = None,
) -> TrainingBatches:
    """The training split's batches, with the augmentation of the settings; features are copied to a GPU where they fit."""
    from emokit.audio.spectrogram.augment import Augment
    from emokit.audio.spectrogram.batches import TrainingBatches
    from emokit.audio.spectrogram.speeds import versions

    features, training, speed_factors = settings.features, settings.training, settings.augmentation.speed_factors
    white_noise = LogMel(features).filters.sum(axis=0)  # power per mel bin of noise with equal power at all frequencies
    augment = Augment(settings.augmentation, features.sample_rate / features.hop_length, white_noise)
    at_speeds = versions(prepared, features, train.table, speed_factors, progress)
    statistics = [
        train.statistics if factor == 1 else statistics_of(settings.data, train.table, log_mels)
        for factor, log_mels in zip(speed_factors, at_speeds, strict=True)
    ]
    return TrainingBatches(
        on_device(at_speeds, device),
        train.shares,
        augment,
        statistics,
        window_frames=features.num_frames(settings.data.window_seconds),
        batch_size=training.batch_size,
        mixup_alpha=training.mixup_alpha,
        balanced=training.class_balancing == "sampler",
        seed=training.seed,
    )


def _check_config(model: Any, folder: Path) -> None:
    """Refuse a config that the model does not work with: it may have been edited.

    Raises:
        DataError: names the file and the fault.
    """
    config = model.config
    try:
        for name, kinds in (("window_frames", int), ("window_overlap", int | float)):
            value = getattr(config, name)
            if isinstance(value, bool) or not isinstance(value, kinds):
                raise ValueError(f"{name} is {value!r}")
        if config.window_frames < 1 or not 0 <= config.window_overlap < 1:
            raise ValueError(f"window_frames is {config.window_frames}, window_overlap {config.window_overlap}")
        if config.normalisation not in NORMALISATIONS:
            raise ValueError(f"normalisation is {config.normalisation!r}")
        window = torch.zeros(1, config.window_frames, recordings.features_of(config).n_mels)
        with torch.inference_mode():
            model(input_features=window)
    except Exception as error:  # torch raises many kinds
        raise DataError(
            f"{folder / 'config.json'} does not describe the model beside it ({in_words(error)}); "
            "train the run again with --force."
        ) from error


def embed_log_mel(model: Any, log_mel: numpy.ndarray, statistics: numpy.ndarray | None, steps: int) -> numpy.ndarray:
    """(steps, dim) float32: the model's time steps over an utterance's windows.

    Args:
        model: takes windows of log-mels.
        log_mel: (frames, mels) decibels.
        statistics: (1, 2, mels) that it is standardised with; None for decibels.
        steps: largest number of vectors.
    """
    config, size = model.config, TorchEngine(model, model.device).batch_windows
    _, batches = window_batches([log_mel], config.window_frames, config.window_overlap, statistics, size)
    with torch.inference_mode():
        frames = [
            window
            for windows in batches
            for window in model.time_steps(torch.from_numpy(windows).to(model.device)).cpu().numpy()
        ]
    return pool_steps(frames, steps)
