"""Pooling: weighted means of probabilities, or of their logarithms, over the modalities that an utterance has.

Weights are integer numbers of steps. The weighted values are rounded to multiples of a power of two that is too small to change a
label. Sums of their products are exact, so ties are the same on every machine and in every order of the rows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy
from scipy.special import softmax

from emokit.fusion.late.inputs import Panel
from emokit.fusion.late.settings import FusionResult, Pooling
from emokit.metrics import SMALLEST_PROBABILITY

# The largest number of steps that `SearchSettings` allows; a sum of that many terms stays below 2**53 multiples of these units.
LARGEST_STEPS = 2000
LINEAR_UNIT, LOG_UNIT = 2.0**-40, 2.0**-36


@dataclass(frozen=True)
class Terms:
    """The values that weights are multiplied by.

    pooling: `linear` or `log`
    values: (modalities, classes, utterances) probabilities or their logarithms; 0 where a modality is missing
    present: (modalities, utterances) whether the utterance has the modality
    """

    pooling: Pooling
    values: numpy.ndarray
    present: numpy.ndarray

    @classmethod
    def from_panel(cls, panel: Panel, pooling: Pooling) -> "Terms":
        """The terms of a panel's probabilities."""
        if pooling == "linear":
            values, unit = panel.probabilities, LINEAR_UNIT
        else:
            values, unit = numpy.log(numpy.maximum(panel.probabilities, SMALLEST_PROBABILITY)), LOG_UNIT
        exact = numpy.round(values / unit) * unit * panel.present[:, :, None]
        return cls(pooling, numpy.ascontiguousarray(exact.transpose(0, 2, 1)), panel.present)

    def sums(self, weights: numpy.ndarray) -> numpy.ndarray:
        """(points, classes, utterances) weighted sums for weights (points, modalities) in steps.

        Where all modalities of an utterance have weight 0, they are weighted equally.
        """
        modalities, classes, utterances = self.values.shape
        flat = weights.astype(numpy.float64) @ self.values.reshape(modalities, -1)
        sums = flat.reshape(len(weights), classes, utterances)
        if not self.present.all():
            unweighted = (weights @ self.present) == 0
            sums = numpy.where(unweighted[:, None, :], self.values.sum(axis=0), sums)
        return sums

    def total_weights(self, weights: numpy.ndarray) -> numpy.ndarray:
        """(points, utterances) sums of the weights over the modalities that an utterance has."""
        totals = weights @ self.present.astype(numpy.float64)
        return numpy.where(totals == 0, self.present.sum(axis=0), totals)

    def log_probabilities(self, weights: numpy.ndarray) -> numpy.ndarray:
        """(points, classes, utterances) logarithms of the pooled probabilities."""
        means = self.sums(weights) / self.total_weights(weights)[:, None, :]
        if self.pooling == "linear":
            return numpy.log(numpy.maximum(means, SMALLEST_PROBABILITY))
        means -= means.max(axis=1, keepdims=True)
        return means - numpy.log(numpy.exp(means).sum(axis=1, keepdims=True))

    def log_probabilities_of(self, targets: numpy.ndarray, weights: numpy.ndarray) -> numpy.ndarray:
        """(points, utterances) logarithms of the pooled probabilities of the true classes (utterances,)."""
        rows = numpy.arange(len(targets))
        if self.pooling == "log":
            return self.log_probabilities(weights)[:, targets, rows]
        # A mean of probabilities needs no normalisation, so the other classes are not computed.
        truth = Terms(self.pooling, self.values[:, targets, rows][:, None, :], self.present)
        return truth.log_probabilities(weights)[:, 0]


def first_largest(sums: numpy.ndarray) -> numpy.ndarray:
    """(points, classes, utterances) -> (points, utterances) int16: the class with the largest sum, the first in a tie."""
    largest = sums[:, 0].copy()
    predicted = numpy.zeros(largest.shape, dtype=numpy.int16)
    for target in range(1, sums.shape[1]):
        numpy.copyto(predicted, numpy.int16(target), where=sums[:, target] > largest)
        numpy.maximum(largest, sums[:, target], out=largest)
    return predicted


def tempered(probabilities: numpy.ndarray, temperature: float | Sequence[float]) -> numpy.ndarray:
    """Temperature scaling of probabilities (…, classes): logarithms are divided by the temperature, then normalised.

    A sequence has one temperature per index of the first axis.
    """
    if numpy.all(numpy.asarray(temperature) == 1):
        return probabilities
    logs = numpy.log(numpy.maximum(probabilities, SMALLEST_PROBABILITY))
    divisor = (
        numpy.reshape(temperature, (-1,) + (1,) * (probabilities.ndim - 1)) if numpy.ndim(temperature) else temperature
    )
    scaled: numpy.ndarray = softmax(logs / divisor, axis=-1)
    return scaled


@dataclass(frozen=True)
class Weighted:
    """Fusion by weights, pooling and temperatures.

    weights: in steps, per modality; their sum stands for 1
    temperatures: per modality, before pooling
    temperature: after pooling
    """

    weights: tuple[int, ...]
    pooling: Pooling
    temperatures: tuple[float, ...]
    temperature: float = 1.0

    @classmethod
    def from_result(cls, result: FusionResult, names: Sequence[str]) -> "Weighted":
        """The fusion in a run's settings, for these modalities in this order."""
        fractions = [Fraction(result.weights[name]).limit_denominator(LARGEST_STEPS) for name in names]
        steps = math.lcm(*(fraction.denominator for fraction in fractions))
        weights = tuple(int(fraction * steps) for fraction in fractions)
        return cls(weights, result.pooling, tuple(result.temperatures[name] for name in names), result.temperature)

    def as_result(self, names: Sequence[str]) -> FusionResult:
        """The fusion as a run's settings hold it, by the names of the modalities."""
        return FusionResult(
            weights=dict(zip(names, self.fractions, strict=True)),
            pooling=self.pooling,
            temperatures=dict(zip(names, self.temperatures, strict=True)),
            temperature=self.temperature,
        )

    @property
    def fractions(self) -> list[float]:
        """The weights as fractions of 1."""
        return [weight / sum(self.weights) for weight in self.weights]

    def pooled(self, panel: Panel) -> numpy.ndarray:
        """(utterances, classes) fused probabilities of a panel with the same modalities."""
        calibrated = panel.with_probabilities(tempered(panel.probabilities, self.temperatures))
        terms = Terms.from_panel(calibrated, self.pooling)
        logs = terms.log_probabilities(numpy.array([self.weights]))[0].T
        probabilities: numpy.ndarray = softmax(logs / self.temperature, axis=1)
        return probabilities
