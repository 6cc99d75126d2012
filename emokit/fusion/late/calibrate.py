"""Temperature scaling, one temperature per modality.

Guo et al., "On calibration of modern neural networks", ICML 2017, https://arxiv.org/abs/1706.04599. Means of calibrated
probabilities are underconfident, so one more temperature is fitted after pooling.
"""

import numpy
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from emokit.fusion.late.inputs import Panel
from emokit.fusion.late.settings import LARGEST_TEMPERATURE, SMALLEST_TEMPERATURE


class _Identity(ClassifierMixin, BaseEstimator):
    """A classifier that returns its inputs, probabilities (utterances, classes), for scikit-learn to calibrate."""

    def fit(self, probabilities: numpy.ndarray, targets: numpy.ndarray) -> "_Identity":
        self.classes_ = numpy.arange(probabilities.shape[1])
        return self

    def predict_proba(self, probabilities: numpy.ndarray) -> numpy.ndarray:
        return probabilities

    def predict(self, probabilities: numpy.ndarray) -> numpy.ndarray:
        predicted: numpy.ndarray = probabilities.argmax(axis=1)
        return predicted


def temperature(probabilities: numpy.ndarray, targets: numpy.ndarray) -> float:
    """The temperature with the smallest negative log-likelihood, fitted by scikit-learn.

    Args:
        probabilities: (utterances, classes), each row sums to 1.
        targets: (utterances,) true classes.
    """
    # scikit-learn needs every class among the targets; a uniform row costs the same at every temperature.
    num_classes = probabilities.shape[1]
    absent = numpy.setdiff1d(numpy.arange(num_classes), targets)
    uniform = numpy.full((len(absent), num_classes), 1 / num_classes)
    inputs, truth = numpy.vstack([probabilities, uniform]), numpy.concatenate([targets, absent])
    all_rows = numpy.arange(len(truth))
    calibrated = CalibratedClassifierCV(
        FrozenEstimator(_Identity().fit(inputs, truth)),
        method="temperature",
        cv=[(all_rows, all_rows)],
        ensemble=False,
    ).fit(inputs, truth)
    inverse = calibrated.calibrated_classifiers_[0].calibrators[0].beta_
    return float(numpy.clip(1 / inverse, SMALLEST_TEMPERATURE, LARGEST_TEMPERATURE))


def temperatures(panel: Panel) -> tuple[float, ...]:
    """The temperature of each modality, fitted on the utterances that have it."""
    targets = panel.targets
    return tuple(
        temperature(probabilities[present], targets[present])
        for probabilities, present in zip(panel.probabilities, panel.present, strict=True)
    )
