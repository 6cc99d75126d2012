"""Checks of a prepared folder's rows before training, the same for every modality."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy
import pandas

from emokit.data.utterance import soft_labels
from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet
from emokit.training.batches import one_hot


def rows_of_corpora(table: pandas.DataFrame, corpora: Iterable[str], folder: Path, medium: str) -> pandas.DataFrame:
    """The rows of the corpora that `data.corpora` names, with a new index.

    Args:
        table: utterances that have the medium.
        corpora: names of corpora; each must have rows.
        folder: the prepared folder, for the error.
        medium: a noun for what the modality reads, such as "audio" or "text".

    Raises:
        UsageError: a corpus has no rows.
    """
    chosen, present = tuple(corpora), sorted(table["corpus"].unique())
    missing = next((corpus for corpus in chosen if corpus not in present), None)
    if missing is not None:
        raise UsageError(
            f"data.corpora names {missing} and {folder} has {medium} of {', '.join(present) or 'no corpus'}; "
            "prepare it too."
        )
    return table[table["corpus"].isin(chosen)].reset_index(drop=True)


def target_shares(table: pandas.DataFrame, labels: LabelSet, *, soft: bool = True) -> numpy.ndarray:
    """(utterances, classes) float32: the share of each class in each training target; rows sum to 1.

    Args:
        table: utterances.
        labels: the label set of the data.
        soft: whether utterances with a soft label have that one; else all have the one class of their label.
    """
    targets = one_hot(labels.targets(table["label"]), len(labels))
    for row, shares in enumerate(soft_labels(table) if soft else ()):
        if shares is not None:
            targets[row] = shares
    return targets


def weighted_rows(shares: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray | None]:
    """Soft targets for an estimator that takes one class a row: a row for each class of an utterance, with its share.

    Args:
        shares: (utterances, classes), as `target_shares` returns them.

    Returns:
        (rows,) the utterance of each row, (rows,) its class, and (rows,) its weight; None for weights that are all 1.
    """
    rows, classes = numpy.nonzero(shares)
    return rows, classes, None if len(rows) == len(shares) else shares[rows, classes].astype(numpy.float64)


def square_root_weights(shares: numpy.ndarray) -> dict[int, float]:
    """Class -> weight: the inverse square root of its frequency, with mean 1 over the utterances; none for an absent class.

    Args:
        shares: (utterances, classes), as `target_shares` returns them.
    """
    counts = shares.sum(axis=0, dtype=numpy.float64)
    weights = {target: float((len(shares) / count) ** 0.5) for target, count in enumerate(counts) if count}
    scale = len(shares) / sum(weight * counts[target] for target, weight in weights.items())
    return {target: float(weight * scale) for target, weight in weights.items()}


def check_splits(table: pandas.DataFrame, splits: Sequence[str], labels: LabelSet, folder: Path, medium: str) -> None:
    """Refuse utterances that cannot be trained on: a split is empty, or train lacks a class.

    Args:
        table: the utterances of the chosen corpora, all splits.
        splits: the splits that are read, such as train and dev.
        labels: the label set of the data.
        folder: the prepared folder, for the error.
        medium: a noun for what the modality reads, such as "audio" or "text".

    Raises:
        DataError: a split has no utterance, or train has one label only or none of a class that another split has.
    """
    present = set(table["split"])
    for split in splits:
        if split not in present:
            raise DataError(
                f"{folder} has no {split} utterances with {medium} of {', '.join(sorted(set(table['corpus']))) or 'any corpus'}; "
                f"prepare a corpus that has one, or put a corpus into {split} with --split CORPUS={split}."
            )
    trained = set(table["label"][table["split"] == "train"])
    for label in labels:
        if label not in trained and label in set(table["label"]):
            raise DataError(
                f"The train split has no utterance labelled {label}, which dev or test have; "
                "prepare more corpora or another split seed."
            )
    if "train" in splits and len(trained) < 2:
        raise DataError(
            f"The train split of {folder} has no label but {', '.join(trained)}, and a model needs two or more; "
            "prepare more corpora or another split."
        )
