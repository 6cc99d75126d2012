"""The simple baseline: functionals of each window, and a logistic regression fitted on them."""

import copy
import warnings
from collections.abc import Callable, Iterable, Sequence

import numpy
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from emokit import metrics
from emokit.audio.functionals import FunctionalsRegression

STRENGTHS = (1e-3, 1e-2, 1e-1)
MOST_ITERATIONS = 300  # more of them change nothing that dev sees
DESCRIPTION = (
    "functionals of 32 bands and 20 cepstra (their distribution and trend over time), logistic regression (balanced classes, C "
    "chosen on dev)"
)


def fit(
    model: FunctionalsRegression,
    windows: Iterable[torch.Tensor],
    targets: Sequence[int] | numpy.ndarray,
    predict_dev: Callable[[FunctionalsRegression], numpy.ndarray],
    dev_targets: numpy.ndarray,
) -> None:
    """Fit with the strength of regularisation that has the highest UAR on dev (the strongest of them in a tie).

    Args:
        model: what is fitted, in place.
        windows: batches (windows, frames, mels) of the training split.
        targets: (windows,) class numbers.
        predict_dev: the model -> (utterances, classes) probabilities of dev.
        dev_targets: (utterances,) class numbers.
    """
    with torch.inference_mode():
        found = torch.cat([model.functionals(batch) for batch in windows]).numpy()
        scaler = StandardScaler().fit(found)
        standard = scaler.transform(found)
        best = -1.0
        for strength in STRENGTHS:
            regression = LogisticRegression(C=strength, class_weight="balanced", max_iter=MOST_ITERATIONS)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                regression.fit(standard, targets)
            tried = copy.deepcopy(model)
            tried.take(scaler, regression)
            uar = metrics.plain_scores(dev_targets, predict_dev(tried).argmax(axis=1))["uar"]
            if uar > best:
                best = uar
                model.load_state_dict(tried.state_dict())
