"""Fitting a logistic regression on vectors; the strength of its regularisation is chosen on dev, or by inner folds.

Inner folds are over speakers: each part of them is predicted by a regression on the others. Where speakers are few, none needs to
be set apart for dev, and dev is predicted by the inner folds: by regressions that were not fitted on the speaker.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import numpy
import torch

from emokit.engines.protocol import probabilities as softmax
from emokit.errors import DataError
from emokit.training.linear.model import ABSENT_CLASS_LOGIT, LinearClassifier
from emokit.training.linear.vectors import Vectors
from emokit.training.windows import average_windows

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression


MAX_ITERATIONS = 300  # more iterations change no dev prediction
INNER_FOLDS = 5

ClassWeights = Literal["balanced", "square_root"]
"""Inverse to the frequency of a class, or to its square root."""
Regression = tuple[numpy.ndarray, numpy.ndarray]
"""(classes, dim) coefficients and (classes,) intercepts."""


def standardised(model: LinearClassifier, vectors: Vectors) -> numpy.ndarray:
    """(windows, dim) float32 as the model's regression takes them: by speaker where there are statistics, else by train's."""
    with torch.inference_mode():
        result: numpy.ndarray = model.standardised(torch.from_numpy(vectors.values).to(model.mean.device)).cpu().numpy()
        if vectors.speakers is None or vectors.statistics is None:
            return result
        for number, statistics in enumerate(torch.from_numpy(vectors.statistics).to(model.mean.device)):
            windows = vectors.speakers == number
            values = torch.from_numpy(vectors.values[windows]).to(model.mean.device)
            result[windows] = model.standardised(values, statistics).cpu().numpy()
    return result


def probabilities(model: LinearClassifier, vectors: Vectors) -> numpy.ndarray:
    """(windows, classes) float64; each row sums to one."""
    with torch.inference_mode():
        # Moved to the CPU first: MPS has no float64.
        logits = model.classified(torch.from_numpy(standardised(model, vectors)).to(model.mean.device)).cpu()
        result: numpy.ndarray = logits.double().softmax(dim=1).numpy()
    return result


def predict(model: LinearClassifier, vectors: Vectors, count: int) -> numpy.ndarray:
    """(utterances, classes) float64 of `count` utterances: the mean over their windows."""
    return average_windows(vectors.owners.tolist(), probabilities(model, vectors), count)


def fit_on_dev(
    model: LinearClassifier,
    train: Vectors,
    shares: numpy.ndarray,
    dev: Vectors,
    dev_targets: numpy.ndarray,
    strengths: Sequence[float],
    *,
    metric: str = "uar",
    class_weights: ClassWeights = "balanced",
) -> None:
    """Fit on train with the strength that has the best score on dev (the strongest one in a tie).

    Args:
        model: fitted in place.
        train, dev: their vectors.
        shares: (utterances, classes) share of each class in the target of each training utterance.
        dev_targets: (utterances,) int64.
        strengths: inverse strengths of regularisation, as scikit-learn's C, from the strongest.
        metric: the score, of `metrics.plain_scores`.
        class_weights: of the regression.
    """
    from emokit import metrics

    with torch.inference_mode():
        model.standardise_with(torch.from_numpy(train.values))
    best_score = -1.0
    chosen: Regression | None = None
    for regression in _regressions(standardised(model, train), shares[train.owners], strengths, class_weights):
        with torch.inference_mode():
            model.set_regression(*regression)
        predicted = predict(model, dev, len(dev_targets)).argmax(axis=1)
        score = metrics.plain_scores(dev_targets, predicted, shares.shape[1])[metric]
        if score > best_score:
            best_score, chosen = score, regression
    if chosen is None:
        raise ValueError("there are no strengths to choose from")
    with torch.inference_mode():
        model.set_regression(*chosen)


def fit_by_inner_folds(
    model: LinearClassifier,
    vectors: Vectors,
    shares: numpy.ndarray,
    targets: numpy.ndarray,
    speakers: Sequence[Hashable],
    strengths: Sequence[float],
) -> numpy.ndarray:
    """Fit with the strength that has the highest UAR over inner folds (the strongest one in a tie).

    The mean and deviation of the vectors are those of all utterances, without their labels, in the inner folds too.

    Args:
        model: fitted in place.
        vectors: of all utterances that may be trained on.
        shares: (utterances, classes) share of each class in the target of each utterance.
        targets: (utterances,) int64.
        speakers: of each utterance.
        strengths: as `fit_on_dev` takes them.

    Returns:
        (utterances, classes) float64: each predicted by the inner fold that was not fitted on its speaker.
    """
    from emokit import metrics

    with torch.inference_mode():
        model.standardise_with(torch.from_numpy(vectors.values))
    values = standardised(model, vectors)
    count, classes = shares.shape
    held_out = {strength: numpy.zeros((count, classes)) for strength in strengths}
    for inner, outer in _inner_folds(targets, speakers):
        fitted, tested = numpy.isin(vectors.owners, inner), numpy.isin(vectors.owners, outer)
        places = numpy.searchsorted(outer, vectors.owners[tested])
        of_fold = _regressions(values[fitted], shares[vectors.owners[fitted]], strengths)
        for strength, (coefficients, intercepts) in zip(strengths, of_fold, strict=True):
            by_window = softmax(values[tested] @ coefficients.T + intercepts)
            held_out[strength][outer] = average_windows(places.tolist(), by_window, len(outer))
    scores = [
        metrics.plain_scores(targets, held_out[strength].argmax(axis=1), classes)["uar"] for strength in strengths
    ]
    best = strengths[int(numpy.argmax(scores))]
    ((coefficients, intercepts),) = _regressions(values, shares[vectors.owners], [best])
    with torch.inference_mode():
        model.set_regression(coefficients, intercepts)
    return held_out[best]


def _inner_folds(targets: numpy.ndarray, speakers: Sequence[Hashable]) -> Iterator[tuple[numpy.ndarray, numpy.ndarray]]:
    """(fitted, predicted) utterances of each inner fold: over speakers, over utterances where there is one speaker only.

    Raises:
        DataError: there is one speaker, and each class has a single utterance.
    """
    from sklearn.model_selection import GroupKFold, StratifiedKFold

    numbers = {speaker: number for number, speaker in enumerate(dict.fromkeys(speakers))}
    groups = numpy.array([numbers[speaker] for speaker in speakers])
    if len(numbers) > 1:
        yield from GroupKFold(min(INNER_FOLDS, len(numbers))).split(groups, groups=groups)
    else:
        if numpy.bincount(targets).max() < 2:
            raise DataError(
                f"{len(targets)} utterances of one speaker have one label each, and the strength of a model is chosen by "
                "predicting a part of them from the others; prepare more utterances."
            )
        most = max(2, min(INNER_FOLDS, int(numpy.bincount(targets)[numpy.unique(targets)].min())))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a class with fewer utterances than folds
            yield from StratifiedKFold(most).split(groups, targets)


def _regressions(
    values: numpy.ndarray,
    shares: numpy.ndarray,
    strengths: Sequence[float],
    class_weights: ClassWeights = "balanced",
) -> Iterator[Regression]:
    """The regressions of standardised vectors (windows, dim) on targets (windows, classes), one for each strength.

    With fewer windows than dimensions, they are fitted in the space that the windows span: the coefficients of a regularised
    regression lie in it, so that nothing changes but the time.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    from emokit.training.splits import square_root_weights, weighted_rows

    rows, targets, weights = weighted_rows(shares)
    axes = None
    if len(values) < values.shape[1]:
        axes = _axes(values)
        values = values @ axes.T
    fitted = values if weights is None else values[rows]
    if len(present := numpy.unique(targets)) == 1:  # an inner fold whose other speakers have one class only
        only = numpy.full(shares.shape[1], ABSENT_CLASS_LOGIT)
        only[present] = 0.0
        for _ in strengths:
            yield numpy.zeros((shares.shape[1], values.shape[1] if axes is None else axes.shape[1])), only
        return
    weights_of_classes = square_root_weights(shares) if class_weights == "square_root" else class_weights
    for strength in strengths:
        regression = LogisticRegression(C=strength, class_weight=weights_of_classes, max_iter=MAX_ITERATIONS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the number of iterations ends it
            regression.fit(fitted, targets, weights)
        coefficients, intercepts = of_all_classes(regression, shares.shape[1])
        yield coefficients if axes is None else coefficients @ axes, intercepts


def _axes(values: numpy.ndarray) -> numpy.ndarray:
    """(windows, dim) float64: orthonormal rows that span those of the values (windows, dim), for fewer windows than dimensions.

    Of the products of the rows with each other, which takes a fraction of the time of a singular value decomposition.
    """
    values = values.astype(numpy.float64)
    squares, directions = numpy.linalg.eigh(values @ values.T)
    spanned = squares > squares.max() * len(values) * numpy.finfo(numpy.float64).eps
    axes: numpy.ndarray = (directions[:, spanned] / numpy.sqrt(squares[spanned])).T @ values
    return axes


def of_all_classes(regression: LogisticRegression, classes: int) -> Regression:
    """The regression with a row for each class, those without a training utterance included."""
    rows, row_intercepts = regression.coef_, regression.intercept_
    if len(regression.classes_) == 2:  # scikit-learn has one row for two classes: the second's against the first's
        rows = numpy.concatenate([-rows / 2, rows / 2])
        row_intercepts = numpy.concatenate([-row_intercepts / 2, row_intercepts / 2])
    coefficients, intercepts = numpy.zeros((classes, rows.shape[1])), numpy.full(classes, ABSENT_CLASS_LOGIT)
    coefficients[regression.classes_], intercepts[regression.classes_] = rows, row_intercepts
    return coefficients, intercepts
