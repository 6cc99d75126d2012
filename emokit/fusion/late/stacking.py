"""Two richer ways to fuse, for the ladder: a weight per modality and class, and logistic regression on all logarithms.

Both are fitted by negative log-likelihood; how strongly they are held back is chosen on folds of whole dialogues (or speakers).
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
from emokit.labels import NUM_LABELS
from emokit.metrics import SMALLEST_PROBABILITY

INNER_FOLDS = 3
# Those that hold back most come first.
PULLS = (1.0, 0.1, 0.01, 0.001)  # towards equal weights, per squared distance
INVERSE_PENALTIES = (0.001, 0.01, 0.1, 1.0)  # scikit-learn's C

Fitted = TypeVar("Fitted", "PerClass", "Stacked")


def fold_numbers(clusters: numpy.ndarray, folds: int) -> numpy.ndarray:
    """(utterances,) the fold of each, with whole clusters in one fold; as many folds as there are clusters at most."""
    numbers = numpy.zeros(len(clusters), dtype=int)
    folds = min(folds, len(numpy.unique(clusters)))
    if folds < 2:
        return numbers
    splitter = GroupKFold(folds)
    for number, (_, held_out) in enumerate(splitter.split(clusters, groups=clusters)):
        numbers[held_out] = number
    return numbers


def logarithms(panel: Panel, temperatures: Sequence[float]) -> numpy.ndarray:
    """(modalities, utterances, classes) of the tempered probabilities; all alike where a modality says nothing."""
    return numpy.log(numpy.maximum(tempered(panel.probabilities, temperatures), SMALLEST_PROBABILITY))


@dataclass(frozen=True)
class PerClass:
    """A weight per modality and class on the logarithms: weights (modalities, classes)."""

    weights: numpy.ndarray
    temperatures: tuple[float, ...]
    strength: float

    @classmethod
    def fit(cls, panel: Panel, temperatures: tuple[float, ...], strength: float) -> "PerClass":
        """The weights of least negative log-likelihood, drawn towards equal ones."""
        logs, targets = logarithms(panel, temperatures), panel.targets
        equal = numpy.full((len(logs), NUM_LABELS), 1 / len(logs))
        truth = numpy.eye(NUM_LABELS)[targets]

        def cost(flat: numpy.ndarray) -> tuple[float, numpy.ndarray]:
            weights = flat.reshape(equal.shape)
            scores = log_softmax((weights[:, None, :] * logs).sum(axis=0), axis=1)
            away = weights - equal
            slope = ((numpy.exp(scores) - truth) * logs).mean(axis=1) + 2 * strength * away
            return float(-(scores * truth).sum() / len(truth) + strength * (away**2).sum()), slope.ravel()

        found = scipy.optimize.minimize(cost, equal.ravel(), jac=True, method="L-BFGS-B")
        return cls(found.x.reshape(equal.shape), temperatures, strength)

    def pooled(self, panel: Panel) -> numpy.ndarray:
        """(utterances, classes) probabilities."""
        logs = logarithms(panel, self.temperatures)
        found: numpy.ndarray = softmax((self.weights[:, None, :] * logs).sum(axis=0), axis=1)
        return found


@dataclass(frozen=True)
class Stacked:
    """Logistic regression on the logarithms of all modalities and classes."""

    model: LogisticRegression
    temperatures: tuple[float, ...]
    strength: float

    @classmethod
    def fit(cls, panel: Panel, temperatures: tuple[float, ...], strength: float) -> "Stacked":
        """Fit with scikit-learn's L2 penalty of 1 / `strength`."""
        features = cls.features(panel, temperatures)
        # One row per class where every modality says nothing, so that each class is known wherever it is rare.
        nothing = numpy.full((NUM_LABELS, features.shape[1]), -numpy.log(NUM_LABELS))
        model = LogisticRegression(C=strength, max_iter=2000)
        model.fit(numpy.vstack([features, nothing]), numpy.concatenate([panel.targets, numpy.arange(NUM_LABELS)]))
        return cls(model, temperatures, strength)

    @staticmethod
    def features(panel: Panel, temperatures: tuple[float, ...]) -> numpy.ndarray:
        """(utterances, modalities * classes)."""
        logs = logarithms(panel, temperatures)
        return logs.transpose(1, 0, 2).reshape(logs.shape[1], -1)

    def pooled(self, panel: Panel) -> numpy.ndarray:
        """(utterances, classes) probabilities."""
        found: numpy.ndarray = self.model.predict_proba(self.features(panel, self.temperatures))
        return found


def fit_per_class(panel: Panel, temperatures: tuple[float, ...]) -> PerClass:
    """A weight per modality and class; its pull towards equal weights is chosen on inner folds."""
    return _chosen(PerClass.fit, panel, temperatures, PULLS)


def fit_stacked(panel: Panel, temperatures: tuple[float, ...]) -> Stacked:
    """Logistic stacking; its penalty is chosen on inner folds."""
    return _chosen(Stacked.fit, panel, temperatures, INVERSE_PENALTIES)


def _chosen(
    fit: Callable[[Panel, tuple[float, ...], float], Fitted],
    panel: Panel,
    temperatures: tuple[float, ...],
    strengths: Sequence[float],
) -> Fitted:
    """Fit with the strength of least negative log-likelihood on utterances that were not fitted on."""
    fold = fold_numbers(panel.clusters, INNER_FOLDS)
    if fold.max() == 0:
        return fit(panel, temperatures, strengths[0])
    costs = numpy.zeros(len(strengths))
    for number in range(fold.max() + 1):
        rest, held_out = panel.rows(fold != number), panel.rows(fold == number)
        rows = numpy.arange(len(held_out.table))
        for position, strength in enumerate(strengths):
            truth = fit(rest, temperatures, strength).pooled(held_out)[rows, held_out.targets]
            costs[position] -= numpy.log(numpy.maximum(truth, SMALLEST_PROBABILITY)).sum()
    return fit(panel, temperatures, strengths[int(costs.argmin())])
