"""A linear model fitted on the splits of a training."""

from collections.abc import Mapping, Sequence

import numpy
import pandas

from emokit.audio.settings import AudioSettings
from emokit.audio.splits import SplitData
from emokit.errors import DataError
from emokit.training.linear.fit import fit_by_inner_folds, fit_on_dev, predict
from emokit.training.linear.model import LinearClassifier
from emokit.training.linear.vectors import FEWEST_UTTERANCES, Vectors, speakers_of, with_speakers

DECLARED = (
    "dev was trained on; its scores are those of inner folds over speakers (over utterances where speakers are unknown), "
    "on which the strength of regularisation was chosen too (data.train_on_dev)"
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
        tables = pandas.concat([train.table, dev.table], ignore_index=True)
        pool = Vectors(
            numpy.concatenate([vectors["train"].owners, vectors["dev"].owners + len(train.table)]),
            numpy.concatenate([vectors["train"].values, vectors["dev"].values]),
        )
        if settings.data.speaker_normalisation:  # one mean and deviation for a speaker of both
            pool = _by_speaker(pool, "train", tables)
        held_out = fit_by_inner_folds(
            model,
            pool,
            numpy.concatenate([train.shares, dev.shares]),
            numpy.concatenate([train.targets, dev.targets]),
            speakers_of(tables),
            strengths,
        )
        results["dev"] = held_out[len(train.table) :]
    else:
        fit_on_dev(model, vectors["train"], train.shares, vectors["dev"], dev.targets, strengths)
    for split, of_split in vectors.items():
        if split != "train" and split not in results:
            results[split] = predict(model, of_split, len(splits[split].table))
    return results


def _by_speaker(vectors: Vectors, split: str, rows: pandas.DataFrame) -> Vectors:
    standardised = with_speakers(vectors, speakers_of(rows))
    if standardised.standardised_share == 0:
        raise DataError(
            f"data.speaker_normalisation was set and no speaker of {split} has {FEWEST_UTTERANCES} utterances or more; "
            "leave it out, or prepare data with speakers."
        )
    return standardised
