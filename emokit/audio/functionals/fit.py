"""Functionals of each window and a logistic regression on them: the baseline of every audio run, and a run of its own."""

import copy
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from emokit import metrics
from emokit.audio.functionals.model import FunctionalsConfig, FunctionalsForAudioClassification
from emokit.audio.predict import probabilities, windows_of
from emokit.audio.settings import AudioSettings, FeatureSettings
from emokit.audio.splits import SplitData

STRENGTHS = (1e-3, 1e-2, 1e-1)
MOST_ITERATIONS = 300  # more of them change nothing that dev sees
DESCRIPTION = (
    "functionals of 32 bands and 20 cepstra (their distribution and trend over time), logistic regression (balanced classes, C "
    "chosen on dev)"
)


def fit_baseline(
    settings: AudioSettings, features: FeatureSettings, parts: dict[str, SplitData]
) -> FunctionalsForAudioClassification:
    """The model, fitted on the windows of train, its strength of regularisation chosen on dev.

    Args:
        settings: the experiment.
        features: what the parts' log-mels were made with.
        parts: `train` and `dev` at least.
    """
    train, dev = parts["train"], parts["dev"]
    config = FunctionalsConfig(
        n_mels=features.n_mels,
        window_frames=features.num_frames(settings.data.window_seconds),
        window_overlap=settings.data.window_overlap,
        normalisation=settings.data.normalisation,
        features=features.as_dict(),
    )
    model = FunctionalsForAudioClassification(config).eval()
    pieces, windows = windows_of(train.log_mels, config.window_frames, config.window_overlap, train.statistics)
    fit(model, windows, train.targets[[row for row, _ in pieces]], partial(said_of, dev), dev.targets)
    return model


def said_of(part: SplitData, model: FunctionalsForAudioClassification) -> numpy.ndarray:
    """(utterances, classes) probabilities of a split."""
    of = model.config
    return probabilities(
        model, part.log_mels, of.window_frames, torch.device("cpu"), of.window_overlap, part.statistics
    )


def fit(
    model: FunctionalsForAudioClassification,
    windows: Iterable[torch.Tensor],
    targets: Sequence[int] | numpy.ndarray,
    predict_dev: Callable[[FunctionalsForAudioClassification], numpy.ndarray],
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
        found = torch.cat([model.summarised(batch) for batch in windows])
        model.standardise_with(found)
        standard = model.standardised(found).numpy()
        best = -1.0
        for strength in STRENGTHS:
            regression = LogisticRegression(C=strength, class_weight="balanced", max_iter=MOST_ITERATIONS)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # the number of iterations is what ends it
                regression.fit(standard, targets)
            tried = copy.deepcopy(model)
            tried.take(regression)
            uar = metrics.plain_scores(dev_targets, predict_dev(tried).argmax(axis=1))["uar"]
            if uar > best:
                best = uar
                model.load_state_dict(tried.state_dict())
