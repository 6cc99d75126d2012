"""A linear model fitted on the splits of a training."""

from collections.abc import Mapping, Sequence

import numpy
import pandas

from emokit.audio.linear.fit import fit_by_inner_folds, fit_on_dev, predict
from emokit.audio.linear.model import LinearClassifier
from emokit.audio.linear.vectors import Vectors, speakers_of, with_speakers
from emokit.audio.settings import AudioSettings
from emokit.audio.splits import SplitData

DECLARED = (
    "dev was trained on, and its scores are those of inner folds: each utterance was predicted by a model that was not fitted on "
    "its speaker (data.train_on_dev)"
)


def fit_splits(
    model: LinearClassifier,
    settings: AudioSettings,
    splits: Mapping[str, SplitData],
    vectors: Mapping[str, Vectors],
    strengths: Sequence[float],
) -> dict[str, numpy.ndarray]:
    """Fit on train, or on train and dev with `data.train_on_dev`, and predict the other splits.

    Args:
        model: fitted in place.
        settings: of the experiment.
        splits: `train` and `dev` at least.
        vectors: of each split.
        strengths: inverse strengths of regularisation to choose from: on dev, or by inner folds where dev is trained on.

    Returns:
        split -> (utterances, classes) float64 probabilities of all but train; with `data.train_on_dev` those of dev are of the
        inner folds, each by a regression that was not fitted on its speaker.
    """
    if settings.data.speaker_normalisation:
        vectors = {
            split: with_speakers(of_split, speakers_of(splits[split].table)) for split, of_split in vectors.items()
        }
    train, dev = splits["train"], splits["dev"]
    results: dict[str, numpy.ndarray] = {}
    if settings.data.train_on_dev:
        held_out = fit_by_inner_folds(
            model,
            _together(vectors["train"], vectors["dev"], len(train.table)),
            numpy.concatenate([train.shares, dev.shares]),
            numpy.concatenate([train.targets, dev.targets]),
            speakers_of(pandas.concat([train.table, dev.table], ignore_index=True)),
            strengths,
        )
        results["dev"] = held_out[len(train.table) :]
    else:
        fit_on_dev(model, vectors["train"], train.shares, vectors["dev"], dev.targets, strengths)
    for split, of_split in vectors.items():
        if split != "train" and split not in results:
            results[split] = predict(model, of_split, len(splits[split].table))
    return results


def _together(train: Vectors, dev: Vectors, num_train: int) -> Vectors:
    statistics = None
    if train.statistics is not None and dev.statistics is not None:
        statistics = numpy.concatenate([train.statistics, dev.statistics])
    return Vectors(
        numpy.concatenate([train.owners, dev.owners + num_train]),
        numpy.concatenate([train.values, dev.values]),
        statistics,
    )
