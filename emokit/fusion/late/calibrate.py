"""Temperatures: one number per modality that makes its confidence honest, and the measures that show whether it did.

Guo et al., "On calibration of modern neural networks", ICML 2017, https://arxiv.org/abs/1706.04599. Means of calibrated
probabilities are not confident enough, so there is one temperature more after pooling.
"""

from typing import Any

import numpy
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from emokit.fusion.late.inputs import Panel
from emokit.labels import NUM_LABELS
from emokit.metrics import NUM_BINS, SMALLEST_PROBABILITY

# Beyond these a few utterances that are all right, or all wrong, would have the say.
SMALLEST_TEMPERATURE, LARGEST_TEMPERATURE = 0.05, 20.0


class _AsGiven(ClassifierMixin, BaseEstimator):
    """A classifier whose inputs are the probabilities it gives out, as scikit-learn wants to calibrate one."""

    def fit(self, probabilities: numpy.ndarray, targets: numpy.ndarray) -> "_AsGiven":
        self.classes_ = numpy.arange(NUM_LABELS)
        return self

    def predict_proba(self, probabilities: numpy.ndarray) -> numpy.ndarray:
        return probabilities

    def predict(self, probabilities: numpy.ndarray) -> numpy.ndarray:
        found: numpy.ndarray = probabilities.argmax(axis=1)
        return found


def temperature(probabilities: numpy.ndarray, targets: numpy.ndarray) -> float:
    """The temperature of least negative log-likelihood, as scikit-learn finds it.

    Args:
        probabilities: (utterances, classes), rows sum to one.
        targets: (utterances,) class numbers.
    """
    # scikit-learn wants every class to occur; a row that says nothing costs the same at every temperature.
    absent = numpy.setdiff1d(numpy.arange(NUM_LABELS), targets)
    nothing = numpy.full((len(absent), NUM_LABELS), 1 / NUM_LABELS)
    inputs, truth = numpy.vstack([probabilities, nothing]), numpy.concatenate([targets, absent])
    everything = numpy.arange(len(truth))
    calibrated = CalibratedClassifierCV(
        FrozenEstimator(_AsGiven().fit(inputs, truth)),
        method="temperature",
        cv=[(everything, everything)],
        ensemble=False,
    ).fit(inputs, truth)
    inverse = calibrated.calibrated_classifiers_[0].calibrators[0].beta_
    return float(numpy.clip(1 / inverse, SMALLEST_TEMPERATURE, LARGEST_TEMPERATURE))


def temperatures(panel: Panel) -> tuple[float, ...]:
    """Of each modality, on the utterances that it says something of."""
    targets = panel.targets
    return tuple(
        temperature(values[there], targets[there])
        for values, there in zip(panel.probabilities, panel.present, strict=True)
    )


def quality(probabilities: numpy.ndarray, targets: numpy.ndarray) -> dict[str, Any]:
    """How honest probabilities (utterances, classes) are: `ece`, `brier`, `nll`, and the bins of a reliability diagram.

    `brier` is the squared error summed over the classes, from 0 to 2. Each bin is [count, mean confidence, share right].
    """
    truth = probabilities[numpy.arange(len(targets)), targets]
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == targets
    # Half-open bins ((k-1)/15, k/15], as `metrics.cluster_sums` has them.
    which = numpy.clip(numpy.ceil(numpy.round(confidence * NUM_BINS, 5)).astype(int) - 1, 0, NUM_BINS - 1)
    counts = numpy.bincount(which, minlength=NUM_BINS)
    sums = numpy.bincount(which, weights=confidence, minlength=NUM_BINS)
    hits = numpy.bincount(which, weights=right, minlength=NUM_BINS)
    brier = (probabilities**2).sum(axis=1) - 2 * truth + 1
    return {
        "ece": float(numpy.abs(sums - hits).sum() / len(targets)),
        "brier": float(brier.mean()),
        "nll": float(-numpy.log(numpy.maximum(truth, SMALLEST_PROBABILITY)).mean()),
        "bins": [
            [int(count), float(total / count), float(hit / count)]
            for count, total, hit in zip(counts, sums, hits, strict=True)
            if count
        ],
    }
