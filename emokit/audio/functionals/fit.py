"""Fitting functionals with logistic regression: the simple baseline of every audio run, and a run of its own."""

import copy
import warnings
from collections.abc import Callable, Iterable, Mapping

import numpy
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from emokit import metrics
from emokit.audio.functionals.model import FunctionalsConfig, FunctionalsForAudioClassification
from emokit.audio.settings import AudioSettings, FeatureSettings
from emokit.audio.spectrogram.predict import predict_log_mels, window_batches
from emokit.audio.splits import SplitData
from emokit.labels import LabelSet
from emokit.training.splits import weighted_rows

STRENGTHS = (1e-3, 1e-2, 1e-1)
MAX_ITERATIONS = 300  # more iterations change no dev prediction


def new_model(
    settings: AudioSettings, features: FeatureSettings, labels: LabelSet
) -> FunctionalsForAudioClassification:
    """An unfitted model for windows of log-mels with these settings."""
    config = FunctionalsConfig(
        n_mels=features.n_mels,
        window_frames=features.num_frames(settings.data.window_seconds),
        window_overlap=settings.data.window_overlap,
        normalisation=settings.data.normalisation,
        features=features.as_dict(),
        id2label=labels.id2label,
        label2id=labels.label2id,
    )
    return FunctionalsForAudioClassification(config).eval()


def fit_splits(
    settings: AudioSettings, features: FeatureSettings, splits: Mapping[str, SplitData]
) -> FunctionalsForAudioClassification:
    """The model fitted on the windows of train, its strength of regularisation chosen on dev.

    Args:
        settings: of the experiment.
        features: of the splits' log-mels.
        splits: `train` and `dev` at least.
    """
    train, dev = splits["train"], splits["dev"]
    model = new_model(settings, features, train.labels)
    config = model.config
    places, windows = window_batches(train.log_mels, config.window_frames, config.window_overlap, train.statistics)
    shares = train.shares[[row for row, _ in places]]
    fit(model, windows, shares, lambda candidate: predict(candidate, dev), dev.targets)
    return model


def predict(model: FunctionalsForAudioClassification, data: SplitData) -> numpy.ndarray:
    """(utterances, classes) probabilities of a split."""
    config = model.config
    return predict_log_mels(
        model, data.log_mels, config.window_frames, torch.device("cpu"), config.window_overlap, data.statistics
    )


def fit(
    model: FunctionalsForAudioClassification,
    windows: Iterable[torch.Tensor],
    shares: numpy.ndarray,
    predict_dev: Callable[[FunctionalsForAudioClassification], numpy.ndarray],
    dev_targets: numpy.ndarray,
) -> None:
    """Fit with the strength of regularisation that has the highest UAR on dev (the strongest one in a tie).

    Args:
        model: fitted in place.
        windows: batches (windows, frames, mels) of the training split.
        shares: (windows, classes) share of each class in the target of each window.
        predict_dev: the model -> (utterances, classes) probabilities of dev.
        dev_targets: (utterances,) int64.
    """
    with torch.inference_mode():
        functionals = torch.cat([model.summarised(batch) for batch in windows])
        model.standardise_with(functionals)
        standardised = model.standardised(functionals).numpy()
        rows, targets, weights = weighted_rows(shares)
        fitted = standardised if weights is None else standardised[rows]
        best_uar = -1.0
        for strength in STRENGTHS:
            regression = LogisticRegression(C=strength, class_weight="balanced", max_iter=MAX_ITERATIONS)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # the number of iterations ends it
                regression.fit(fitted, targets, weights)
            candidate = copy.deepcopy(model)
            candidate.set_regression(regression)
            predicted = predict_dev(candidate).argmax(axis=1)
            uar = metrics.plain_scores(dev_targets, predicted, model.config.num_labels)["uar"]
            if uar > best_uar:
                best_uar = uar
                model.load_state_dict(candidate.state_dict())
