"""Fitting functionals with logistic regression: the simple baseline of every audio run, and a run of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy
import torch

from emokit.audio.functionals.model import FunctionalsConfig, FunctionalsForAudioClassification
from emokit.audio.linear.family import VECTORS
from emokit.audio.settings import AudioSettings, FeatureSettings
from emokit.audio.spectrogram.predict import window_batches
from emokit.labels import LabelSet
from emokit.training.linear.vectors import Vectors

if TYPE_CHECKING:
    from emokit.audio.splits import SplitData


STRENGTHS = (1e-3, 1e-2, 1e-1)
WINDOWS_AT_ONCE = 64


def new_model(
    settings: AudioSettings, features: FeatureSettings, labels: LabelSet
) -> FunctionalsForAudioClassification:
    """An unfitted model for windows of log-mels with these settings."""
    config = FunctionalsConfig(
        n_mels=features.n_mels,
        window_frames=features.num_frames(settings.data.window_seconds),
        window_overlap=settings.data.window_overlap,
        normalisation=settings.data.normalisation,
        normalised=VECTORS if settings.data.speaker_normalisation else None,
        features=features.as_dict(),
        id2label=labels.id2label,
        label2id=labels.label2id,
    )
    return FunctionalsForAudioClassification(config).eval()


def fit_splits(
    settings: AudioSettings, features: FeatureSettings, splits: Mapping[str, SplitData]
) -> tuple[FunctionalsForAudioClassification, dict[str, numpy.ndarray]]:
    """The model fitted on train.

    Args:
        settings: of the experiment.
        features: of the splits' log-mels.
        splits: `train` and `dev` at least.

    Returns:
        the model, and split -> (utterances, classes) probabilities of all but train.
    """
    from emokit.audio.linear.splits import fit_splits as fit_linear

    model = new_model(settings, features, splits["train"].labels)
    by_utterance = settings.data.utterance_normalisation
    vectors = {
        split: vectors_of(model, data.log_mels, data.statistics if by_utterance else None)
        for split, data in splits.items()
    }
    return model, fit_linear(model, settings, splits, vectors, STRENGTHS)


def vectors_of(
    model: FunctionalsForAudioClassification, log_mels: Sequence[numpy.ndarray], statistics: numpy.ndarray | None
) -> Vectors:
    """The functionals of the windows of utterances.

    Args:
        model: with its windows.
        log_mels: per utterance (frames, mels) decibels.
        statistics: (utterances, 2, mels) mean and deviation that the log-mels are standardised with; None for decibels.
    """
    config = model.config
    places, windows = window_batches(log_mels, config.window_frames, config.window_overlap, statistics, WINDOWS_AT_ONCE)
    with torch.inference_mode():
        summaries = [model.summarised(torch.from_numpy(batch).to(model.device)).cpu() for batch in windows]
        values = torch.cat(summaries).numpy()
    return Vectors(numpy.array([row for row, _ in places]), values)
