"""The part of a model that standardises a vector and applies a logistic regression to it.

Legend of the shapes: B windows, D values of a vector.
"""

from typing import Any

import numpy
import torch
from torch import Tensor, nn
from torch.nn.functional import linear

ABSENT_CLASS_LOGIT = -100.0  # of a class without a training utterance
SMALLEST_DEVIATION = 1e-3  # a value that hardly varies in training is not amplified
MAX_DEVIATIONS = 10.0  # a value far from its mean, as in another recording condition, is clipped here


class LinearClassifier(nn.Module):
    """A model whose classifier takes one vector per window; another base class has its config."""

    config: Any
    mean: Tensor
    """(D,) of the training split, as `deviation`."""
    deviation: Tensor
    linear: nn.Linear

    def add_classifier(self, dim: int, num_labels: int) -> None:
        """Add the buffers and the layer, unfitted."""
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("deviation", torch.ones(dim))
        self.linear = nn.Linear(dim, num_labels).requires_grad_(False)

    def standardised(self, vectors: Tensor, statistics: Tensor | None = None) -> Tensor:
        """(B, D) -> the same, in deviations from the training split's mean.

        Args:
            vectors: of windows.
            statistics: (2, D) mean and deviation to take in place of the training split's.
        """
        mean, deviation = (self.mean.float(), self.deviation.float()) if statistics is None else statistics.unbind(0)
        return ((vectors - mean) / deviation).clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS)

    def classified(self, standardised: Tensor) -> Tensor:
        """(B, D) standardised vectors -> logits (B, classes) in float32."""
        return linear(standardised, self.linear.weight.float(), self.linear.bias.float())

    def standardise_with(self, vectors: Tensor) -> None:
        """Store the mean and deviation of the training split's vectors (windows, D)."""
        self.mean.copy_(vectors.double().mean(dim=0))
        self.deviation.copy_(vectors.double().std(dim=0, correction=0).clamp_min(SMALLEST_DEVIATION))

    def set_regression(self, coefficients: numpy.ndarray, intercepts: numpy.ndarray) -> None:
        """Store a regression of standardised vectors: (classes, D) and (classes,)."""
        self.linear.weight.copy_(torch.from_numpy(coefficients).float())
        self.linear.bias.copy_(torch.from_numpy(intercepts).float())
