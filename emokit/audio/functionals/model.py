"""Functionals of a window with logistic regression: the simple audio model.

Functionals describe the distribution of a few curves over time, as openSMILE's feature sets do (Eyben et al. 2010,
https://doi.org/10.1145/1873951.1874246). Here the curves are computed from the log-mels, so no audio is read again.

Legend of the shapes: B windows, T frames, M mel bins, K curves, D functionals.
"""

import math
from typing import Any

import numpy
import torch
from scipy.fft import dct
from torch import Tensor
from torch.nn.functional import pad

from emokit.audio.spectrogram.windows import over_windows
from emokit.training.linear.model import LinearClassifier
from emokit.training.plain_model import Output, PlainConfig, PlainModel

NUM_BANDS, NUM_CEPSTRA = 32, 20
QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
NUM_FUNCTIONALS = 2 * (NUM_BANDS + NUM_CEPSTRA) * (5 + len(QUANTILES)) + 1
# Frames below the loudest one by more than this are silence: a share of the features' dynamic range …
SPEECH_SHARE = 25 / 80
SPEECH_DEVIATIONS = 2.5  # … or a number of deviations where log-mels are standardised


class FunctionalsConfig(PlainConfig):
    """The model's windows, and the settings of the features that they are cut from."""

    model_type = "functionals"

    def __init__(
        self,
        n_mels: int = 128,
        window_frames: int = 130,
        window_overlap: float = 0.0,
        normalisation: str = "train",
        normalised: str | None = None,
        features: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.n_mels = n_mels
        self.window_frames = window_frames
        self.window_overlap = window_overlap
        self.normalisation = normalisation
        self.normalised = normalised
        self.features = features or {}
        super().__init__(**kwargs)


class FunctionalsForAudioClassification(LinearClassifier, PlainModel):
    """Logits from the functionals of the speech frames of a window."""

    config_class = FunctionalsConfig
    base_model_prefix = "functionals"
    main_input_name = "input_features"
    curves: Tensor
    """(M, bands and cepstra): maps log-mels to curves."""

    def __init__(self, config: FunctionalsConfig) -> None:
        super().__init__(config)
        decibels = SPEECH_SHARE * float(config.features.get("top_db", 80.0))
        self.speech_range = SPEECH_DEVIATIONS if config.normalisation == "utterance" else decibels
        self.register_buffer("curves", _curves(config.n_mels))
        self.add_classifier(NUM_FUNCTIONALS, config.num_labels)

    def forward(self, input_features: Tensor, return_dict: bool | None = None, **_: Any) -> Output:
        """Log-mels (B, T, M), in decibels or standardised (see `config.normalisation`) -> logits (B, classes) in float32.

        Windows (B, windows, T, M) give the logarithm of the mean probabilities over each recording's windows.
        """
        if input_features.dim() == 4:
            return Output(logits=over_windows(lambda windows: self(windows).logits, input_features))
        standard = self.standardised(self.summarised(input_features.float()))
        return Output(logits=self.classified(standard))

    def summarised(self, log_mels: Tensor) -> Tensor:
        """(B, T, M) -> (B, D): the moments, trend and quantiles of each curve and of its slope over the speech frames."""
        loudness = log_mels.mean(dim=2)
        is_speech = loudness >= loudness.max(dim=1, keepdim=True).values - self.speech_range  # (B, T)
        speech = is_speech.float()
        count = speech.sum(dim=1, keepdim=True)  # (B, 1)
        levels = log_mels @ self.curves.float()  # (B, T, K / 2)
        values = torch.cat([levels, _slopes(levels)], dim=2)  # (B, T, K)
        weights = (speech / count)[:, :, None]  # (B, T, 1)
        # From -1 at the first frame of speech to 1 at the last.
        place = 2 * (speech.cumsum(dim=1) - 1) / (count - 1).clamp_min(1) - 1  # (B, T)
        mean = (values * weights).sum(dim=1)  # (B, K)
        centred = values - mean[:, None]
        deviation = (centred.square() * weights).sum(dim=1).sqrt().clamp_min(1e-2)
        standard = centred / deviation[:, None]
        skewness = (standard**3 * weights).sum(dim=1)
        kurtosis = (standard**4 * weights).sum(dim=1).clamp_min(1)  # at least 1 wherever anything varies
        trend = (centred * weights * place[:, :, None]).sum(dim=1)
        ordered = values.masked_fill(~is_speech[:, :, None], math.inf).sort(dim=1).values
        at = (torch.tensor(QUANTILES, device=values.device) * (count - 1)).round().long()  # (B, quantiles)
        quantiles = ordered.gather(1, at[:, :, None].expand(-1, -1, values.shape[2])).flatten(1)
        return torch.cat([mean, deviation, skewness, kurtosis.log(), trend, quantiles, count.log()], dim=1)


def _slopes(levels: Tensor) -> Tensor:
    """The slope of each curve (B, T, K) per frame: the least-squares line through five frames."""
    around = pad(levels.transpose(1, 2), (2, 2), mode="replicate").transpose(1, 2)
    return (2 * (around[:, 4:] - around[:, :-4]) + around[:, 3:-1] - around[:, 1:-3]) / 10


def _curves(n_mels: int) -> Tensor:
    """(M, bands and cepstra): the mean of neighbouring mels, and the first coefficients of the cosine transform."""
    curves = numpy.zeros((n_mels, NUM_BANDS + NUM_CEPSTRA), numpy.float32)
    for band in range(NUM_BANDS):
        mels = slice(band * n_mels // NUM_BANDS, -(-(band + 1) * n_mels // NUM_BANDS))
        curves[mels, band] = 1 / (mels.stop - mels.start)
    cepstra = dct(numpy.eye(n_mels), axis=1, norm="ortho")[:, :NUM_CEPSTRA]
    curves[:, NUM_BANDS : NUM_BANDS + cepstra.shape[1]] = cepstra
    return torch.from_numpy(curves)
