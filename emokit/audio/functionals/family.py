"""The family of functionals: fitted at once, without epochs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
import torch

from emokit.audio.family import FittedModel
from emokit.audio.functionals.fit import fit_splits, new_model, vectors_of
from emokit.audio.functionals.model import FunctionalsForAudioClassification
from emokit.audio.linear.family import VECTORS, LinearFamily
from emokit.audio.settings import AudioSettings
from emokit.audio.spectrogram.family import SpectrogramFamily
from emokit.audio.spectrogram.normalise import group_statistics
from emokit.audio.spectrogram.recordings import features_of, own_statistics, read_log_mel, window_seconds
from emokit.audio.windows import window_starts
from emokit.labels import LabelSet
from emokit.modality.protocol import Progress
from emokit.training.linear.vectors import Vectors

if TYPE_CHECKING:
    import pandas

    from emokit.audio.splits import SplitData
    from emokit.data.prepared import Prepared


class FunctionalsFamily(LinearFamily, SpectrogramFamily):
    """Functionals of windows of log-mels with logistic regression; `functionals.fit` fits it."""

    model_class = FunctionalsForAudioClassification

    def config_of(self, settings: AudioSettings) -> dict[str, Any]:
        """As `ModelFamily.config_of`: the windows and the features, and what is standardised by speaker."""
        by_speaker = {"normalised": VECTORS} if settings.data.speaker_normalisation else {}
        return super().config_of(settings) | by_speaker

    def compute_features(
        self, settings: AudioSettings, prepared: Prepared, rows: pandas.DataFrame, progress: Progress | None = None
    ) -> None:
        """As `ModelFamily.compute_features`: log-mels are all it needs."""

    def new_model(
        self, settings: AudioSettings, train: SplitData, labels: LabelSet
    ) -> FunctionalsForAudioClassification:
        """As `ModelFamily.new_model`."""
        return new_model(settings, settings.features, labels)

    def fit(
        self,
        settings: AudioSettings,
        model: Any,
        prepared: Prepared,
        splits: Mapping[str, SplitData],
        device: torch.device,
        progress: Progress | None = None,
    ) -> FittedModel:
        """As `ModelFamily.fit`."""
        from emokit.audio.spectrogram.feature_extractor import feature_extractor_of

        fitted, probabilities = fit_splits(settings, settings.features, splits)
        return FittedModel(fitted, probabilities, feature_extractor_of(fitted).save_pretrained)

    def vectors_of_rows(
        self, model: Any, prepared: Prepared, rows: pandas.DataFrame, progress: Progress | None = None
    ) -> Vectors:
        """As `LinearFamily.vectors_of_rows`."""
        from emokit.audio.spectrogram.speeds import versions

        (log_mels,) = versions(prepared, features_of(model.config), rows, [1], progress)
        by_utterance = model.config.normalisation == "utterance"
        return vectors_of(model, log_mels, group_statistics(log_mels, range(len(log_mels))) if by_utterance else None)

    def vectors_of_recording(self, model: Any, path: Path) -> tuple[numpy.ndarray, numpy.ndarray, tuple[str, ...]]:
        """As `LinearFamily.vectors_of_recording`."""
        log_mel, flags, num_samples = read_log_mel(model.config, path)
        by_utterance, config = model.config.normalisation == "utterance", model.config
        vectors = vectors_of(model, [log_mel], own_statistics(model.config, log_mel) if by_utterance else None)
        starts = window_starts(len(log_mel), config.window_frames, config.window_overlap)
        return window_seconds(model.config, [(0, start) for start in starts], num_samples), vectors.values, flags
