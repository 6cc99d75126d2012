"""The feature extractor of models that take windows of log-mels: for transformers' pipeline."""

import functools
import json
from typing import Any

import numpy
import torch
from transformers import BatchFeature, FeatureExtractionMixin

from emokit.audio.settings import FeatureSettings
from emokit.audio.spectrogram.acrnn import AcrnnConfig as AcrnnConfig
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.audio.spectrogram.normalise import group_statistics, of_log_mels
from emokit.audio.spectrogram.predict import window_batches
from emokit.errors import UsageError

MOST_WINDOWS = 64  # that are cut at once


class LogMelFeatureExtractor(FeatureExtractionMixin):
    """A waveform to all windows of its log-mel spectrogram, cut and standardised as `emokit predict` does it.

    Args:
        sampling_rate: of the waveforms, in Hz.
        features: settings of the log-mels.
        window_frames: frames of a window.
        window_overlap: share of a window that the next one repeats.
        normalisation: `train` leaves decibels to the model; all others use the waveform's own mean and deviation.
    """

    model_input_names = ["input_features"]  # noqa: RUF012  transformers declares it so

    def __init__(
        self,
        sampling_rate: int = 22_050,
        features: dict[str, Any] | None = None,
        window_frames: int = 130,
        window_overlap: float = 0.0,
        normalisation: str = "train",
        **kwargs: Any,
    ) -> None:
        self.sampling_rate = sampling_rate
        self.features: dict[str, Any] = features or {}
        self.window_frames, self.window_overlap = window_frames, window_overlap
        self.normalisation = normalisation
        super().__init__(**kwargs)

    def __call__(
        self,
        raw_speech: numpy.ndarray,
        sampling_rate: int | None = None,
        return_tensors: str | None = None,
        **_: Any,
    ) -> BatchFeature:
        """The input of one recording.

        Args:
            raw_speech: (samples,) waveform.
            sampling_rate: of the waveform, in Hz; None takes the model's for granted.
            return_tensors: the result has torch tensors whatever is asked for.

        Returns:
            `input_features` (1, windows, frames, mels) float32.

        Raises:
            UsageError: the waveform has another sample rate, or more than one dimension.
        """
        waveform = numpy.asarray(raw_speech, dtype=numpy.float32)
        if sampling_rate not in (None, self.sampling_rate):
            raise UsageError(
                f"The waveform has {sampling_rate} Hz and the model takes {self.sampling_rate} Hz; resample it first."
            )
        if waveform.ndim != 1:
            raise UsageError(
                f"The waveform has the shape {waveform.shape} where (samples,) was expected; average its channels first."
            )
        log_mel = _extractor(json.dumps(self.features, sort_keys=True))(waveform)
        statistics = None if self.normalisation == "train" else group_statistics([log_mel], [0])
        windows = window_batches([log_mel], self.window_frames, self.window_overlap, statistics, MOST_WINDOWS)[1]
        return BatchFeature({"input_features": torch.from_numpy(numpy.concatenate(list(windows)))[None]})


def feature_extractor_of(model: Any) -> LogMelFeatureExtractor:
    """The feature extractor of a model whose config has its windows and its features."""
    config = model.config
    return LogMelFeatureExtractor(
        sampling_rate=config.features["sample_rate"],
        features=config.features,
        window_frames=config.window_frames,
        window_overlap=config.window_overlap,
        normalisation=of_log_mels(config),
    )


@functools.lru_cache(maxsize=4)
def _extractor(features: str) -> LogMel:
    """The extractor with these settings, as JSON."""
    return LogMel(FeatureSettings.make(json.loads(features), "preprocessor_config.json"))
