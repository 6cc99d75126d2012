"""Two richer fusion methods: a weight per modality and class, and logistic regression on the log probabilities of all modalities.

Both minimise negative log-likelihood; the regularisation strength is chosen on folds of whole dialogues (or speakers).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy
import scipy.optimize
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from emokit.fusion.late.combine import tempered
from emokit.fusion.late.inputs import Panel
from emokit.metrics import SMALLEST_PROBABILITY

INNER_FOLDS = 3
# In the order of decreasing regularisation, so that a tie is resolved in favour of more.
PENALTIES = (1.0, 0.1, 0.01, 0.001)  # per squared distance to equal weights
INVERSE_PENALTIES = (0.001, 0.01, 0.1, 1.0)  # scikit-learn's C

Fitted = TypeVar("Fitted", "PerClass", "Stacked")


def fold_numbers(clusters: numpy.ndarray, folds: int) -> numpy.ndarray:
    """(utterances,) fold of each utterance; a cluster is in one fold, and there are at most as many folds as clusters."""
    numbers = numpy.zeros(len(clusters), dtype=int)
    folds = min(folds, len(numpy.unique(clusters)))
    if folds < 2:
        return numbers
    splitter = GroupKFold(folds)
    for number, (_, held_out) in enumerate(splitter.split(clusters, groups=clusters)):
        numbers[held_out] = number
    return numbers


def logarithms(panel: Panel, temperatures: Sequence[float]) -> numpy.ndarray:
    """(modalities, utterances, classes) logarithms of the calibrated probabilities; uniform where a modality is missing."""
    return numpy.log(numpy.maximum(tempered(panel.probabilities, temperatures), SMALLEST_PROBABILITY))


@dataclass(frozen=True)
class PerClass:
    """Log pooling with a weight per modality and class: weights (modalities, classes)."""

    weights: numpy.ndarray
    temperatures: tuple[float, ...]
    strength: float

    @classmethod
    def fit(cls, panel: Panel, temperatures: tuple[float, ...], strength: float) -> "PerClass":
        """The weights with the smallest negative log-likelihood plus L2 penalty on the distance to equal weights."""
        logs, targets = logarithms(panel, temperatures), panel.targets
        equal = numpy.full((len(logs), len(panel.labels)), 1 / len(logs))
        truth = numpy.eye(len(panel.labels))[targets]

        def cost(flat: numpy.ndarray) -> tuple[float, numpy.ndarray]:
            weights = flat.reshape(equal.shape)
            scores = log_softmax((weights[:, None, :] * logs).sum(axis=0), axis=1)
            deviation = weights - equal
            gradient = ((numpy.exp(scores) - truth) * logs).mean(axis=1) + 2 * strength * deviation
            loss = -(scores * truth).sum() / len(truth) + strength * (deviation**2).sum()
            return float(loss), gradient.ravel()

        optimum = scipy.optimize.minimize(cost, equal.ravel(), jac=True, method="L-BFGS-B")
        return cls(optimum.x.reshape(equal.shape), temperatures, strength)

    def pooled(self, panel: Panel) -> numpy.ndarray:
        """(utterances, classes) fused probabilities."""
        logs = logarithms(panel, self.temperatures)
        probabilities: numpy.ndarray = softmax((self.weights[:, None, :] * logs).sum(axis=0), axis=1)
        return probabilities


@dataclass(frozen=True)
class Stacked:
    """Logistic regression on the log probabilities of all modalities and classes."""

    model: LogisticRegression
    temperatures: tuple[float, ...]
    strength: float

    @classmethod
    def fit(cls, panel: Panel, temperatures: tuple[float, ...], strength: float) -> "Stacked":
        """Fit with scikit-learn's L2 penalty of 1 / `strength`."""
        features, num_classes = cls.features(panel, temperatures), len(panel.labels)
        # One uniform row per class, so that the regression has every class even where dev lacks it.
        uniform = numpy.full((num_classes, features.shape[1]), -numpy.log(num_classes))
        model = LogisticRegression(C=strength, max_iter=2000)
        model.fit(numpy.vstack([features, uniform]), numpy.concatenate([panel.targets, numpy.arange(num_classes)]))
        return cls(model, temperatures, strength)

    @staticmethod
    def features(panel: Panel, temperatures: tuple[float, ...]) -> numpy.ndarray:
        """(utterances, modalities * classes) inputs of the regression."""
        logs = logarithms(panel, temperatures)
        return logs.transpose(1, 0, 2).reshape(logs.shape[1], -1)

    def pooled(self, panel: Panel) -> numpy.ndarray:
        """(utterances, classes) fused probabilities."""
        probabilities: numpy.ndarray = self.model.predict_proba(self.features(panel, self.temperatures))
        return probabilities


def fit_per_class(panel: Panel, temperatures: tuple[float, ...]) -> PerClass:
    """Weights per modality and class; the penalty is chosen on inner folds."""
    return _best_strength(PerClass.fit, panel, temperatures, PENALTIES)


def fit_stacked(panel: Panel, temperatures: tuple[float, ...]) -> Stacked:
    """Logistic stacking; the penalty is chosen on inner folds."""
    return _best_strength(Stacked.fit, panel, temperatures, INVERSE_PENALTIES)


def _best_strength(
    fit: Callable[[Panel, tuple[float, ...], float], Fitted],
    panel: Panel,
    temperatures: tuple[float, ...],
    strengths: Sequence[float],
) -> Fitted:
    """Fit with the strength of the smallest negative log-likelihood on held-out folds."""
    fold = fold_numbers(panel.clusters, INNER_FOLDS)
    if fold.max() == 0:
        return fit(panel, temperatures, strengths[0])
    costs = numpy.zeros(len(strengths))
    for number in range(fold.max() + 1):
        fitted_on, held_out = panel.rows(fold != number), panel.rows(fold == number)
        rows = numpy.arange(len(held_out.table))
        for position, strength in enumerate(strengths):
            truth = fit(fitted_on, temperatures, strength).pooled(held_out)[rows, held_out.targets]
            costs[position] -= numpy.log(numpy.maximum(truth, SMALLEST_PROBABILITY)).sum()
    return fit(panel, temperatures, strengths[int(costs.argmin())])
