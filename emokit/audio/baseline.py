"""The simple baseline: mean and deviation of each mel bin over the utterance, and a logistic regression."""

from collections.abc import Sequence

import numpy
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
DESCRIPTION = "mean and deviation of each mel bin, logistic regression (balanced classes, C chosen on dev)"


def summary(log_mels: Sequence[numpy.ndarray]) -> numpy.ndarray:
    """(utterances, 2 * mels): the mean and the deviation over the frames of each log-mel (frames, mels)."""
    return numpy.stack(
        [
            numpy.concatenate([log_mel.mean(axis=0, dtype=numpy.float64), log_mel.std(axis=0, dtype=numpy.float64)])
            for log_mel in log_mels
        ]
    )


def fit_baseline(
    train: numpy.ndarray, train_targets: numpy.ndarray, dev: numpy.ndarray, dev_targets: numpy.ndarray
) -> Pipeline:
    """Fit with the strength of regularisation that has the highest UAR on dev (the strongest of them in a tie).

    Args:
        train, dev: summaries (utterances, 2 * mels).
        train_targets, dev_targets: (utterances,) class numbers.
    """
    best: tuple[float, Pipeline] | None = None
    for strength in STRENGTHS:
        model = make_pipeline(
            StandardScaler(), LogisticRegression(C=strength, class_weight="balanced", max_iter=1000)
        ).fit(train, train_targets)
        uar = float(recall_score(dev_targets, model.predict(dev), average="macro", labels=sorted(set(dev_targets))))
        if best is None or uar > best[0]:
            best = (uar, model)
    if best is None:
        raise ValueError("no strength was tried")
    return best[1]
