"""The hinge of emokit: what a model says of each utterance, as one table that anything may write and everything reads.

Columns: `utterance_id corpus speaker dialogue split label p_angry … p_surprise` (float32, each row sums to 1); the parquet
metadata carry the model's name and the fingerprint of the data. Tables are joined by `utterance_id`, never by row number.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy
import pandas
import pyarrow
import pyarrow.parquet

from emokit.data.utterance import SPLITS
from emokit.errors import DataError
from emokit.files import whole_file
from emokit.labels import LABELS, TARGETS

PROBABILITIES = tuple(f"p_{label}" for label in LABELS)
KEYS = ("utterance_id", "corpus", "speaker", "dialogue", "split", "label")
# Sums of seven float32 numbers are this close to one; a table further off was not made of probabilities.
SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Predictions:
    """A checked table of predictions and where it comes from."""

    table: pandas.DataFrame
    model: str
    fingerprint: str

    @property
    def probabilities(self) -> numpy.ndarray:
        """(utterances, classes) float64, in the order of `labels.LABELS`."""
        return self.table[list(PROBABILITIES)].to_numpy(numpy.float64)

    @property
    def targets(self) -> numpy.ndarray:
        """(utterances,) int64, the number of the true label."""
        return self.table["label"].map(TARGETS).to_numpy(numpy.int64)

    @property
    def clusters(self) -> numpy.ndarray:
        """(utterances,) what is resampled as a whole: the dialogue where there is one, else the speaker, in its corpus."""
        # As objects: elsewhere dialogues may be numbers or categories, which no speaker's name can be filled into.
        unit = self.table["dialogue"].astype(object).where(self.table["dialogue"].notna(), self.table["speaker"])
        return (self.table["corpus"].astype(str) + "/" + unit.astype(str)).to_numpy()

    def of_split(self, split: str) -> "Predictions":
        """The rows of one split."""
        return Predictions(
            self.table[self.table["split"] == split].reset_index(drop=True), self.model, self.fingerprint
        )


def make(utterances: pandas.DataFrame, probabilities: numpy.ndarray, *, model: str, fingerprint: str) -> Predictions:
    """Put probabilities (utterances, classes) beside the utterances that they are of, row by row.

    Raises:
        DataError: the probabilities are not that (NaN, negative, rows that do not sum to one).
    """
    table = utterances[list(KEYS)].reset_index(drop=True).copy()
    table[list(PROBABILITIES)] = numpy.asarray(probabilities, dtype=numpy.float32)
    check(table, model)
    return Predictions(table, model, fingerprint)


def write(predictions: Predictions, path: Path) -> None:
    """Write predictions as parquet in the order of their ids, whole or not at all."""
    check(predictions.table, str(path))
    ordered = predictions.table.sort_values("utterance_id", ignore_index=True)[[*KEYS, *PROBABILITIES]]
    arrow = pyarrow.Table.from_pandas(ordered, preserve_index=False)
    about = {"emokit.model": predictions.model, "emokit.fingerprint": predictions.fingerprint}
    with whole_file(path) as temporary:
        pyarrow.parquet.write_table(
            arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **about}), temporary
        )


def read(path: Path) -> Predictions:
    """Read and check a table of predictions.

    Raises:
        DataError: the file is missing, damaged or breaks the contract.
    """
    try:
        arrow = pyarrow.parquet.read_table(path)
    except FileNotFoundError as error:
        raise DataError(f"{path} is not there; make it with `emokit predict` or by training a run.") from error
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"{path} is no readable parquet table ({error}); make it again.") from error
    about = arrow.schema.metadata or {}
    table = arrow.to_pandas()
    check(table, str(path))
    return Predictions(
        table, about.get(b"emokit.model", b"unknown").decode(), about.get(b"emokit.fingerprint", b"").decode()
    )


def check(table: pandas.DataFrame, source: str) -> None:
    """Refuse a table that breaks the contract; the message names the column or utterance and what was found.

    Raises:
        DataError: columns are missing, ids repeat, labels or splits are unknown, or rows are no probabilities.
    """
    missing = [column for column in (*KEYS, *PROBABILITIES) if column not in table.columns]
    if missing:
        raise DataError(f"{source} lacks the column {missing[0]}; expected {' '.join((*KEYS, *PROBABILITIES))}.")
    if table["utterance_id"].isna().any():
        raise DataError(f"{source} has a row without an utterance_id; each row must have one.")
    repeated = table["utterance_id"][table["utterance_id"].duplicated()]
    if len(repeated):
        raise DataError(f"{source} has {repeated.iloc[0]} twice; each utterance_id must stand once.")
    for column, known in (("label", LABELS), ("split", SPLITS)):
        wrong = table[~table[column].isin(known)]
        if len(wrong):
            row = wrong.iloc[0]
            found = f"no {column}" if pandas.isna(row[column]) else f"the {column} {row[column]!r}"
            raise DataError(f"{source} gives {row['utterance_id']} {found}; expected one of {', '.join(known)}.")
    try:
        values = table[list(PROBABILITIES)].to_numpy(numpy.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{source} has probabilities that are no numbers ({error}); each row must sum to 1.") from error
    finite = numpy.isfinite(values).all(axis=1) & (values >= 0).all(axis=1)
    sums = values.sum(axis=1)
    wrong_rows = numpy.flatnonzero(~finite | (numpy.abs(sums - 1) > SUM_TOLERANCE))
    if len(wrong_rows):
        row = wrong_rows[0]
        found = f"sum to {sums[row]:.4f}" if finite[row] else "are not all numbers of zero or more"
        raise DataError(
            f"{source} gives {table['utterance_id'].iloc[row]} probabilities that {found}; each row must sum to 1."
        )
