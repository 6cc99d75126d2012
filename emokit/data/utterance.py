"""The table of utterances: one row per utterance of every corpus, with its columns, its checks, and how to read and write it.

A reader of a corpus yields `Utterance` and `Dropped`; `prepare` adds the label, the facts about the audio, and the split.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import pandas
import pyarrow
import pyarrow.parquet

from emokit.data.sources.tree import Dropped as Dropped
from emokit.errors import DataError
from emokit.files import check_readable, kind_of, not_a, whole_file
from emokit.labels import LabelSet

SPLITS = ("train", "dev", "test")
HELD_OUT = ("dev", "test")
TABLE = "utterances.parquet"
OUTSIDE = re.compile(r"^/|^[A-Za-z]:[/\\]|(?:^|[/\\])\.\.(?:[/\\]|$)")  # in a path that is absolute or goes up

COLUMNS = {
    "utterance_id": "string",
    "corpus": "string",
    "path": "string",
    "speaker": "string",
    "gender": "string",
    "language": "string",
    "text": "string",
    "raw_label": "string",
    "label": "string",
    "intensity": "string",
    "sentence": "string",
    "dialogue": "string",
    "turn": "Int32",
    "take": "string",
    "duration_seconds": "Float64",
    "sample_rate": "Int32",
    "split": "string",
    "fold": "string",
    "flags": "object",
}
TEXT_SOURCES = TRANSCRIPT, TRANSLATION = "transcript", "translation"
"""The values of the column `text_source`; a text of the corpus itself has none."""
# Columns that a table has only where an utterance has a value in them.
OPTIONAL_COLUMNS = {
    "start_seconds": "Float64",
    "end_seconds": "Float64",
    "text_source": "string",  # who wrote the text, where it is not the corpus's own
    "soft_label": "object",  # (classes,) shares of the labels, in the order of the label set; they sum to 1
}


@dataclass(frozen=True, slots=True)
class Utterance:
    """One utterance according to its corpus; its audio has not been read."""

    utterance_id: str
    """Unique over all corpora: `corpus/…`, the corpus's file name without its suffix."""
    corpus: str
    path: str | None
    """Relative to the corpus root, with forward slashes; None for text without audio."""
    speaker: str
    """The corpus's name of the speaker; unique within the corpus."""
    raw_label: str
    """The corpus's name of the emotion."""
    gender: str | None = None
    """`female` or `male`, where the corpus states it."""
    language: str | None = None
    """ISO 639-1: `de`, `en`, `zh`."""
    text: str | None = None
    text_source: str | None = None
    """TRANSCRIPT or TRANSLATION, where a recogniser wrote the text; None for a text of the corpus."""
    intensity: str | None = None
    sentence: str | None = None
    """Id of the spoken sentence: equal for equal texts within a corpus."""
    dialogue: str | None = None
    turn: int | None = None
    take: str | None = None
    split: str | None = None
    """The corpus's official split, where it has one."""
    fold: str | None = None
    """The corpus's own fold in which it is tested, where it has folds."""
    start_seconds: float | None = None
    """Where it begins in its file; None for a file of its own."""
    end_seconds: float | None = None
    """Where it ends in its file; None for the end of the file."""
    votes: Mapping[str, float] | None = None
    """Raw label -> votes of annotators for it, where they are to become a soft label."""
    flags: tuple[str, ...] = ()
    """Its irregularities, one short phrase each."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence of a reader on the whole corpus, for the notes of the ledger."""

    sentence: str


def check(table: pandas.DataFrame, labels: LabelSet, source: str) -> None:
    """Refuse a table of utterances that violates the contract; the message names the utterance and both values.

    Raises:
        DataError: columns are missing, ids repeat, a label or split is unknown, or a path leads out of its corpus.
    """
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise DataError(f"{source} lacks the column {missing[0]}; make it again with `emokit prepare`.")
    check_text(table, [name for name, kind in COLUMNS.items() if kind == "string"], source)
    check_soft_labels(table, labels, source)
    repeated = table["utterance_id"][table["utterance_id"].duplicated()]
    if len(repeated):
        raise DataError(f"{source} has the utterance {repeated.iloc[0]} twice; make it again with `emokit prepare`.")
    for column, known in (("label", labels), ("split", SPLITS)):
        wrong = table[~table[column].isin(known)]
        if len(wrong):
            row = wrong.iloc[0]
            raise DataError(
                f"{source} gives {row['utterance_id']} the {column} {row[column]!r}; expected one of {', '.join(known)}."
            )
    outside = table[[isinstance(path, str) and OUTSIDE.search(path) is not None for path in table["path"]]]
    if len(outside):
        row = outside.iloc[0]
        raise DataError(
            f"{source} gives {row['utterance_id']} the path {row['path']!r}; expected one below the root of its corpus: "
            "make it again with `emokit prepare`."
        )


def check_soft_labels(table: pandas.DataFrame, labels: LabelSet, source: str) -> None:
    """Refuse soft labels that are no shares of the labels.

    Raises:
        DataError: names the utterance.
    """
    for utterance_id, shares in zip(table["utterance_id"], soft_labels(table), strict=True):
        if shares is None:
            continue
        values = numpy.asarray(shares, dtype=object)
        is_right = values.shape == (len(labels),) and all(isinstance(value, float | numpy.floating) for value in values)
        if not is_right or not (min(values) >= 0 and abs(sum(values) - 1) < 1e-6):
            raise DataError(
                f"{source} gives {utterance_id} a soft label that is not {len(labels)} shares of 0 or more with the sum 1; "
                "make it again with `emokit prepare`."
            )


def check_text(table: pandas.DataFrame, columns: Iterable[str], source: str) -> None:
    """Refuse names that are stored as numbers: of the speakers 03 and 3, or the dialogues 1 and 1.0, one would be the other.

    Raises:
        DataError: names the column and its first value that is no text.
    """
    for column in columns:
        values = table[column]
        if isinstance(values.dtype, pandas.StringDtype):
            continue
        wrong = [value for value in values.dropna().unique() if not isinstance(value, str)]
        if wrong:
            raise DataError(
                f"{source} has {wrong[0]!s} in its column {column} as {type(wrong[0]).__name__}, where text was expected; write "
                "the column as text, so that names such as 03 stay as they are."
            )


def write_table(table: pandas.DataFrame, labels: LabelSet, path: Path) -> None:
    """Write utterances as parquet, ordered by id, completely or not at all."""
    check(table, labels, str(path))
    ordered = typed(table).sort_values("utterance_id", ignore_index=True)
    with whole_file(path) as temporary:
        ordered.to_parquet(temporary.absolute(), index=False)  # pandas reads a ~ at the start as a home folder


# What pyarrow and pandas raise for a damaged file, damaged metadata, or a value of another type.
UNREADABLE = (OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, pyarrow.ArrowException)


def read_parquet(path: Path, names: Iterable[str], advice: str) -> tuple[pandas.DataFrame, dict[bytes, bytes]]:
    """A parquet table and its metadata.

    Args:
        path: of the file.
        names: of the columns of text; those that the table has must hold single values.
        advice: ends the sentence on a damaged file.

    Raises:
        DataError: the file is damaged or may not be read, has a column twice, or has lists in a column of text.
    """
    check_readable(path)
    try:
        file = path.absolute()  # pyarrow reads a ~ at the start as a home folder
        columns = pyarrow.parquet.read_schema(file).names
        if len(set(columns)) < len(columns):
            name = next(name for name in columns if columns.count(name) > 1)
            raise DataError(f"{path} has {columns.count(name)} columns with the name {name}; rename one of them.")
        arrow = pyarrow.parquet.read_table(file)
        arrow.validate(full=True)  # a text that is not UTF-8 would be an error where it is first used
        # pandas keeps types and an index in metadata of its own, which may be of any shape.
        table = arrow.to_pandas()
    except UNREADABLE as error:
        raise DataError(f"{path} is no readable parquet table ({error}); {advice}.") from error
    for name in set(arrow.column_names).intersection(names):
        kind = arrow.schema.field(name).type
        if pyarrow.types.is_nested(kind):
            raise DataError(
                f"{path} has its column {name} as {kind}, where text was expected; write the column as text."
            )
    return table, arrow.schema.metadata or {}


def read_table(path: Path, labels: LabelSet) -> pandas.DataFrame:
    """Read and check a table of utterances.

    Raises:
        DataError: the file is missing, damaged or violates the contract.
    """
    if kind_of(path) != "file":
        raise DataError(f"{path} {not_a('file', path)}; make it with `emokit prepare`.")
    advice = "make it again with `emokit prepare`"
    table, _ = read_parquet(path, [name for name, kind in COLUMNS.items() if kind == "string"], advice)
    check(table, labels, str(path))
    try:
        return typed(table)
    except UNREADABLE as error:
        raise DataError(f"{path} has a column of another type than text or number ({error}); {advice}.") from error


def typed(table: pandas.DataFrame) -> pandas.DataFrame:
    """The contract's columns, in its order, with its types; optional ones only where they have a value."""
    columns = COLUMNS | used_columns(table)
    return table[list(columns)].astype({name: kind for name, kind in columns.items() if kind != "object"})


def soft_labels(table: pandas.DataFrame) -> list[Any]:
    """Per utterance, its (classes,) shares of the labels; None for one without."""
    if "soft_label" not in table:
        return [None] * len(table)
    return [shares if isinstance(shares, list | numpy.ndarray) else None for shares in table["soft_label"]]


def used_columns(table: pandas.DataFrame) -> dict[str, str]:
    """The optional columns in which an utterance has a value, with their types."""
    return {name: kind for name, kind in OPTIONAL_COLUMNS.items() if name in table and table[name].notna().any()}


def has_speakers(rows: pandas.DataFrame) -> bool:
    """Whether the utterances of a corpus name their speakers; where they do not, each counts as a speaker of its own."""
    return bool((rows["speaker"] != rows["utterance_id"].str.partition("/")[2]).any())
