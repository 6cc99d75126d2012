"""Predictions: the probabilities that a model gives to each utterance, as one table that every command reads.

Columns: `utterance_id corpus speaker dialogue split label`, then `p_<label>` for each label of the label set, in its order
(float32, each row sums to 1). The parquet metadata hold the label set, the model's name and the fingerprint of the data. Tables
are joined by `utterance_id`, never by row number. Such a table can be fused and reported, whichever program wrote it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy
import pandas
import pyarrow
import pyarrow.parquet

from emokit.data.utterance import SPLITS, check_text, read_parquet
from emokit.delimited import is_delimited, write_table
from emokit.errors import DataError, EmokitError, UsageError
from emokit.files import kind_of, not_a, whole_file
from emokit.labels import LabelSet
from emokit.read_files import in_words

KEYS = ("utterance_id", "corpus", "speaker", "dialogue", "split", "label")
LABELS_KEY, MODEL_KEY, FINGERPRINT_KEY = "emokit.labels", "emokit.model", "emokit.fingerprint"
# Sums of float32 numbers are this close to one; a table with a larger difference does not hold probabilities.
SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Predictions:
    """A checked table of predictions, its label set, and the model and data it was made from."""

    table: pandas.DataFrame
    labels: LabelSet
    model: str = ""
    fingerprint: str = ""

    @property
    def probabilities(self) -> numpy.ndarray:
        """(utterances, classes) float64, in the order of the label set."""
        return self.table[self.labels.columns].to_numpy(numpy.float64)

    @property
    def targets(self) -> numpy.ndarray:
        """(utterances,) int64 targets of the true labels."""
        return self.labels.targets(self.table["label"])

    @property
    def clusters(self) -> numpy.ndarray:
        """(utterances,) the unit that is resampled as a whole: the dialogue where there is one, else the speaker, per corpus."""
        # As objects: other programs may store dialogues as numbers or categories, which cannot hold a speaker's name.
        unit = self.table["dialogue"].astype(object).where(self.table["dialogue"].notna(), self.table["speaker"])
        return (self.table["corpus"].astype(str) + "/" + unit.astype(str)).to_numpy()

    def of_split(self, split: str) -> "Predictions":
        """The rows of one split."""
        rows = self.table[self.table["split"] == split].reset_index(drop=True)
        return Predictions(rows, self.labels, self.model, self.fingerprint)


def relabelled(predictions: Predictions, label_map: Mapping[str, str]) -> Predictions:
    """The predictions with labels renamed or merged; the probabilities of labels that become one are added up."""
    labels, shares = predictions.labels.merged(label_map)
    if labels == predictions.labels:
        return predictions
    table = predictions.table[list(KEYS)].copy()
    table["label"] = table["label"].replace(dict(label_map))
    table[labels.columns] = (predictions.probabilities @ shares).astype(numpy.float32)
    return Predictions(table, labels, predictions.model, predictions.fingerprint)


def read_label_map(maps: Iterable[str]) -> dict[str, str]:
    """Label -> new label, of options such as `joy=happy`.

    Raises:
        UsageError: one has another form, or a label is named twice.
    """
    label_map: dict[str, str] = {}
    for text in maps:
        label, separator, name = (part.strip() for part in text.partition("="))
        if not (label and separator and name):
            raise UsageError(f"--map {text} was given where LABEL=LABEL was expected, such as --map joy=happy.")
        if label in label_map:
            raise UsageError(f"--map was given twice for {label}; give it once.")
        label_map[label] = name
    return label_map


def check_label_map(label_map: Mapping[str, str], label_sets: Iterable[LabelSet]) -> None:
    """Refuse a map of a label that none of these label sets has.

    Raises:
        UsageError: names it.
    """
    known = list(dict.fromkeys(label for labels in label_sets for label in labels))
    unused = next((label for label in label_map if label not in known), None)
    if unused is not None:
        raise UsageError(
            f"--map {unused}={label_map[unused]} maps nothing: the labels are {', '.join(known)}; name one of them."
        )


def make(
    utterances: pandas.DataFrame,
    probabilities: numpy.ndarray,
    *,
    labels: Sequence[str],
    model: str,
    fingerprint: str,
) -> Predictions:
    """Put probabilities (utterances, classes) beside their utterances, row by row.

    Raises:
        DataError: the values are not probabilities (NaN, negative, rows that do not sum to one).
    """
    label_set = LabelSet(labels)
    table = utterances[list(KEYS)].reset_index(drop=True).copy()
    table[label_set.columns] = numpy.asarray(probabilities, dtype=numpy.float32)
    check(table, label_set, model)
    return Predictions(table, label_set, model, fingerprint)


def write(predictions: Predictions, path: Path) -> None:
    """Write predictions in the order of their ids, completely or not at all: as CSV or TSV by the ending, else as parquet."""
    check(predictions.table, predictions.labels, str(path))
    check_text(predictions.table, KEYS, str(path))
    columns = [*KEYS, *predictions.labels.columns]
    ordered = predictions.table.sort_values("utterance_id", ignore_index=True)[columns]
    if is_delimited(path):
        keys = (ordered[key].astype(object).where(ordered[key].notna(), None) for key in KEYS)
        write_table(path, columns, zip(*keys, *ordered[predictions.labels.columns].to_numpy().T, strict=True))
        return
    arrow = pyarrow.Table.from_pandas(ordered, preserve_index=False)
    about = metadata(predictions.labels, predictions.model, predictions.fingerprint)
    with whole_file(path) as temporary:
        pyarrow.parquet.write_table(
            arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **about}),
            temporary.absolute(),  # pyarrow reads a ~ at the start as a home folder
        )


def metadata(labels: LabelSet, model: str = "", fingerprint: str = "") -> dict[str, str]:
    """The metadata of a parquet table of predictions."""
    return {LABELS_KEY: json.dumps(labels), MODEL_KEY: model, FINGERPRINT_KEY: fingerprint}


def read(path: Path) -> Predictions:
    """Read and check a table of predictions.

    Raises:
        DataError: the file is missing, damaged or breaks the contract.
    """
    if kind_of(path) != "file":
        state = "does not exist" if kind_of(path) is None else not_a("file", path)
        raise DataError(f"{path} {state}; make it with `emokit predict` or by training a run.")
    table, metadata = read_parquet(path, KEYS, "make it again")
    labels = label_set_of(table, str(path), metadata.get(LABELS_KEY.encode()))
    check(table, labels, str(path))
    check_text(table, KEYS, str(path))
    model, fingerprint = metadata.get(MODEL_KEY.encode(), b"unknown"), metadata.get(FINGERPRINT_KEY.encode(), b"")
    return Predictions(table, labels, model.decode(errors="replace"), fingerprint.decode(errors="replace"))


def label_set_of(table: pandas.DataFrame, source: str, stored: bytes | None = None) -> LabelSet:
    """The label set of a table: the one stored in its metadata, else the order of its probability columns.

    Raises:
        DataError: there are no probability columns, or the stored label set is damaged or lacks a column of the table.
    """
    columns = [str(name).removeprefix("p_") for name in table.columns if str(name).startswith("p_")]
    try:
        names = columns if stored is None else json.loads(stored)
        if not all(isinstance(name, str) for name in names):
            raise ValueError(f"{names!r} where names were expected")
        labels = LabelSet(names)
    except (ValueError, TypeError, RecursionError, EmokitError) as error:
        if stored is None:
            raise DataError(
                f"{source} has {len(columns)} columns of probabilities (p_<label>); expected one for each of two or more labels."
            ) from error
        raise DataError(
            f"{source} has a damaged label set in its metadata ({in_words(error)}); make it again."
        ) from error
    unknown = [name for name in columns if name not in labels]
    if unknown:
        raise DataError(f"{source} has the class {unknown[0]}, which its label set lacks; expected {' '.join(labels)}.")
    return labels


def check(table: pandas.DataFrame, labels: LabelSet, source: str) -> None:
    """Refuse a table that breaks the contract; the message names the column or utterance and its value.

    Raises:
        DataError: columns are missing, ids repeat, labels or splits are unknown, or rows are not probabilities.
    """
    expected = (*KEYS, *labels.columns)
    missing = [column for column in expected if column not in table.columns]
    if missing:
        raise DataError(f"{source} lacks the column {missing[0]}; expected {' '.join(expected)}.")
    if table["utterance_id"].isna().any():
        raise DataError(f"{source} has a row without an utterance_id; each row must have one.")
    repeated = table["utterance_id"][table["utterance_id"].duplicated()]
    if len(repeated):
        raise DataError(f"{source} has {repeated.iloc[0]} twice; each utterance_id must be unique.")
    for column, known in (("label", labels), ("split", SPLITS)):
        wrong = table[~table[column].isin(known)]
        if len(wrong):
            row = wrong.iloc[0]
            value = f"no {column}" if pandas.isna(row[column]) else f"the {column} {row[column]!r}"
            raise DataError(f"{source} gives {row['utterance_id']} {value}; expected one of {', '.join(known)}.")
    try:
        values = table[labels.columns].to_numpy(numpy.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{source} has probabilities that are no numbers ({in_words(error)}); each row must sum to 1."
        ) from error
    valid = numpy.isfinite(values).all(axis=1) & (values >= 0).all(axis=1)
    sums = values.sum(axis=1)
    wrong_rows = numpy.flatnonzero(~valid | (numpy.abs(sums - 1) > SUM_TOLERANCE))
    if len(wrong_rows):
        row = wrong_rows[0]
        fault = f"sum to {sums[row]:.4f}" if valid[row] else "are not all numbers of zero or more"
        raise DataError(
            f"{source} gives {table['utterance_id'].iloc[row]} probabilities that {fault}; each row must sum to 1."
        )
