"""Pooling: weighted means of probabilities, or of their logarithms, over the modalities that say something.

Weights are whole numbers of steps, and what is weighted is rounded to multiples of a power of two so small that no label hangs
on it. Sums of such products are exact, so a tie is a tie on every machine, in every order of the rows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy
from scipy.special import softmax

from emokit.fusion.late.inputs import Panel
from emokit.fusion.late.settings import Fused, Pooling
from emokit.metrics import SMALLEST_PROBABILITY

# As many steps as `SearchSettings` allows; the sum of so many terms stays below 2**53 multiples of these units.
LARGEST_STEPS = 2000
LINEAR_UNIT, LOG_UNIT = 2.0**-40, 2.0**-36


@dataclass(frozen=True)
class Terms:
    """What weights are multiplied with.

    pooling: `linear` or `log`
    values: (modalities, classes, utterances) probabilities or their logarithms; 0 where a modality says nothing
    present: (modalities, utterances)
    """

    pooling: Pooling
    values: numpy.ndarray
    present: numpy.ndarray

    @classmethod
    def of(cls, panel: Panel, pooling: Pooling) -> "Terms":
        """The terms of a panel."""
        if pooling == "linear":
            values, unit = panel.probabilities, LINEAR_UNIT
        else:
            values, unit = numpy.log(numpy.maximum(panel.probabilities, SMALLEST_PROBABILITY)), LOG_UNIT
        exact = numpy.round(values / unit) * unit * panel.present[:, :, None]
        return cls(pooling, numpy.ascontiguousarray(exact.transpose(0, 2, 1)), panel.present)

    def sums(self, weights: numpy.ndarray) -> numpy.ndarray:
        """(points, classes, utterances) weighted sums for weights (points, modalities) in whole steps.

        Where all that an utterance has weighs nothing, what it has weighs the same.
        """
        modalities, classes, utterances = self.values.shape
        flat = weights.astype(numpy.float64) @ self.values.reshape(modalities, -1)
        sums = flat.reshape(len(weights), classes, utterances)
        if not self.present.all():
            nothing = (weights @ self.present) == 0
            sums = numpy.where(nothing[:, None, :], self.values.sum(axis=0), sums)
        return sums

    def masses(self, weights: numpy.ndarray) -> numpy.ndarray:
        """(points, utterances) what the weights sum to over the modalities that say something."""
        masses = weights @ self.present.astype(numpy.float64)
        return numpy.where(masses == 0, self.present.sum(axis=0), masses)

    def log_probabilities(self, weights: numpy.ndarray) -> numpy.ndarray:
        """(points, classes, utterances) logarithms of the pooled probabilities."""
        means = self.sums(weights) / self.masses(weights)[:, None, :]
        if self.pooling == "linear":
            return numpy.log(numpy.maximum(means, SMALLEST_PROBABILITY))
        means -= means.max(axis=1, keepdims=True)
        return means - numpy.log(numpy.exp(means).sum(axis=1, keepdims=True))

    def log_truths(self, weights: numpy.ndarray, targets: numpy.ndarray) -> numpy.ndarray:
        """(points, utterances) logarithms of the pooled probabilities of the true classes."""
        rows = numpy.arange(len(targets))
        if self.pooling == "log":
            return self.log_probabilities(weights)[:, targets, rows]
        # The other classes play no part in a mean of probabilities.
        truth = Terms(self.pooling, self.values[:, targets, rows][:, None, :], self.present)
        return truth.log_probabilities(weights)[:, 0]


def first_largest(sums: numpy.ndarray) -> numpy.ndarray:
    """(points, classes, utterances) -> (points, utterances) int8: the class with the largest sum, the first of equals."""
    largest = sums[:, 0].copy()
    predicted = numpy.zeros(largest.shape, dtype=numpy.int8)
    for target in range(1, sums.shape[1]):
        numpy.copyto(predicted, numpy.int8(target), where=sums[:, target] > largest)
        numpy.maximum(largest, sums[:, target], out=largest)
    return predicted


def tempered(probabilities: numpy.ndarray, temperature: float | Sequence[float]) -> numpy.ndarray:
    """Probabilities (…, classes) with their logarithms divided by a temperature, or by one for each first index."""
    if numpy.all(numpy.asarray(temperature) == 1):
        return probabilities
    logs = numpy.log(numpy.maximum(probabilities, SMALLEST_PROBABILITY))
    divisor = (
        numpy.reshape(temperature, (-1,) + (1,) * (probabilities.ndim - 1)) if numpy.ndim(temperature) else temperature
    )
    found: numpy.ndarray = softmax(logs / divisor, axis=-1)
    return found


@dataclass(frozen=True)
class Weighted:
    """Weights, pooling and temperatures: a whole way to fuse.

    weights: whole numbers of steps, per modality; their sum is one
    temperatures: per modality, before pooling
    temperature: after pooling
    """

    weights: tuple[int, ...]
    pooling: Pooling
    temperatures: tuple[float, ...]
    temperature: float = 1.0

    @classmethod
    def of(cls, result: Fused, names: Sequence[str]) -> "Weighted":
        """What a run's settings hold, for these modalities in this order."""
        shares = [Fraction(result.weights[name]).limit_denominator(LARGEST_STEPS) for name in names]
        steps = math.lcm(*(share.denominator for share in shares))
        weights = tuple(int(share * steps) for share in shares)
        return cls(weights, result.pooling, tuple(result.temperatures[name] for name in names), result.temperature)

    def as_settings(self, names: Sequence[str]) -> Fused:
        """For a run's settings, by the modalities' names."""
        return Fused(
            weights=dict(zip(names, self.shares, strict=True)),
            pooling=self.pooling,
            temperatures=dict(zip(names, self.temperatures, strict=True)),
            temperature=self.temperature,
        )

    @property
    def shares(self) -> list[float]:
        """The weights as parts of one."""
        return [weight / sum(self.weights) for weight in self.weights]

    def pooled(self, panel: Panel) -> numpy.ndarray:
        """(utterances, classes) probabilities of a panel with the same modalities."""
        terms = Terms.of(panel.saying(tempered(panel.probabilities, self.temperatures)), self.pooling)
        logs = terms.log_probabilities(numpy.array([self.weights]))[0].T
        found: numpy.ndarray = softmax(logs / self.temperature, axis=1)
        return found
