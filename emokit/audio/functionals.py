"""The simple model of sound: functionals of a window, and a logistic regression on them.

Functionals describe how a few curves over time are distributed, as the sets of openSMILE do (Eyben et al. 2010,
https://doi.org/10.1145/1873951.1874246). Here the curves are made of the log-mels themselves, so nothing is read twice.

Legend of the shapes: B windows, T frames, M mel bins, K curves, D functionals.
"""

import math

import numpy
import torch
from scipy.fft import dct
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn.functional import pad
from transformers.modeling_outputs import SequenceClassifierOutput

from emokit.labels import NUM_LABELS

NUM_BANDS, NUM_CEPSTRA = 32, 20
QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
NUM_FUNCTIONALS = 2 * (NUM_BANDS + NUM_CEPSTRA) * (5 + len(QUANTILES)) + 1
SPEECH_DB = 25.0  # frames that are softer than the loudest one by more than this are silence
SPEECH_DEVIATIONS = 2.5  # the same of log-mels that are standardised

NEVER = -100.0  # the logit of a class that training did not have


class FunctionalsRegression(nn.Module):
    """Seven logits from the functionals of a window's frames of speech."""

    curves: Tensor
    """(M, bands and cepstra): what makes curves of log-mels."""

    def __init__(self, num_mels: int, *, is_standardised: bool = False) -> None:
        """Set up a model that knows nothing yet.

        Args:
            num_mels: M.
            is_standardised: whether the log-mels come standardised and not in decibels.
        """
        super().__init__()
        self.range = SPEECH_DEVIATIONS if is_standardised else SPEECH_DB
        self.register_buffer("curves", _curves(num_mels))
        self.linear = nn.Linear(NUM_FUNCTIONALS, NUM_LABELS).requires_grad_(False)

    def forward(self, input_features: Tensor) -> SequenceClassifierOutput:
        """Log-mels (B, T, M) -> logits (B, 7)."""
        return SequenceClassifierOutput(logits=self.linear(self.functionals(input_features.float())))

    def functionals(self, log_mels: Tensor) -> Tensor:
        """(B, T, M) -> (B, D): of each curve and of its slope the moments, the trend and the quantiles over the speech in it."""
        loudness = log_mels.mean(dim=2)
        is_speech = loudness >= loudness.max(dim=1, keepdim=True).values - self.range  # (B, T)
        count = is_speech.sum(dim=1, keepdim=True)  # (B, 1)
        levels = log_mels @ self.curves  # (B, T, K / 2)
        values = torch.cat([levels, _slopes(levels)], dim=2)  # (B, T, K)
        weights = (is_speech / count)[:, :, None]  # (B, T, 1)
        # From -1 at the first frame of speech to 1 at the last.
        place = 2 * (is_speech.cumsum(dim=1) - 1) / (count - 1).clamp_min(1) - 1  # (B, T)
        mean = (values * weights).sum(dim=1)  # (B, K)
        centred = values - mean[:, None]
        deviation = (centred.square() * weights).sum(dim=1).sqrt().clamp_min(1e-3)
        standard = centred / deviation[:, None]
        skewness = (standard**3 * weights).sum(dim=1)
        kurtosis = (standard**4 * weights).sum(dim=1)
        trend = (values * weights * place[:, :, None]).sum(dim=1)
        ordered = values.masked_fill(~is_speech[:, :, None], math.inf).sort(dim=1).values
        at = (torch.tensor(QUANTILES, device=values.device) * (count - 1)).round().long()  # (B, quantiles)
        quantiles = ordered.gather(1, at[:, :, None].expand(-1, -1, values.shape[2])).flatten(1)
        moments = [mean, deviation, skewness, (kurtosis + 1e-3).log(), trend]
        return torch.cat([*moments, quantiles, count.log()], dim=1)

    def take(self, scaler: StandardScaler, regression: LogisticRegression) -> None:
        """Take over a standardisation of functionals and the regression that was fitted on them, as one linear map."""
        own, intercepts = regression.coef_, regression.intercept_
        if len(regression.classes_) == 2:  # scikit-learn has one row for two classes: the second's against the first's
            own, intercepts = (
                numpy.concatenate([-own / 2, own / 2]),
                numpy.concatenate([-intercepts / 2, intercepts / 2]),
            )
        own = own / scaler.scale_
        self.linear.weight.zero_()
        self.linear.bias.fill_(NEVER)
        self.linear.weight[regression.classes_] = torch.from_numpy(own).float()
        self.linear.bias[regression.classes_] = torch.from_numpy(intercepts - own @ scaler.mean_).float()


def _slopes(levels: Tensor) -> Tensor:
    """How fast each curve (B, T, K) rises by the frame: the line of least squares through five frames."""
    around = pad(levels.transpose(1, 2), (2, 2), mode="replicate").transpose(1, 2)
    return (2 * (around[:, 4:] - around[:, :-4]) + around[:, 3:-1] - around[:, 1:-3]) / 10


def _curves(num_mels: int) -> Tensor:
    """(M, bands and cepstra): the mean of neighbouring mels, and the first coefficients of the cosine transform."""
    curves = numpy.zeros((num_mels, NUM_BANDS + NUM_CEPSTRA), numpy.float32)
    for band in range(NUM_BANDS):
        mels = slice(band * num_mels // NUM_BANDS, -(-(band + 1) * num_mels // NUM_BANDS))
        curves[mels, band] = 1 / (mels.stop - mels.start)
    cepstra = dct(numpy.eye(num_mels), axis=1, norm="ortho")[:, :NUM_CEPSTRA]
    curves[:, NUM_BANDS : NUM_BANDS + cepstra.shape[1]] = cepstra
    return torch.from_numpy(curves)
