"""Tables of a user's own: CSV, TSV, JSON lines, JSON and parquet, row by row."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from emokit.data.utterance import UNREADABLE
from emokit.delimited import DELIMITERS, decoded, is_delimited, read_table
from emokit.errors import DataError
from emokit.files import can_wait, check_readable, kind_of, not_a
from emokit.safe_text import from_spreadsheet_cell

JSON_LINES = (".jsonl", ".ndjson", ".json")
PARQUET = (".parquet", ".pq")
EXPECTED = "a .csv, .tsv, .jsonl, .json or .parquet table"
BATCH_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Attributes:
        number: as a spreadsheet or an editor shows it: a header is row 1, and blank lines count.
        cells: name of a column -> cell; empty for a row that cannot be read.
        fault: why it cannot be read, as a short phrase.
    """

    number: int
    cells: Mapping[str, Any]
    fault: str = ""


@dataclass(frozen=True)
class Tabular:
    """A table: the names of its columns, and its rows.

    Attributes:
        remark: a sentence on how it was read, where that is not the usual way.
        nested: of parquet: name of a column that holds bytes or several values -> its type.
    """

    path: Path
    columns: tuple[str, ...]
    rows: Iterator[Row]
    remark: str = ""
    nested: Mapping[str, str] = field(default_factory=dict)


def is_table(path: Path) -> bool:
    """Whether a file's name ends as that of a table that can be read."""
    return is_delimited(path) or path.suffix.lower() in (*JSON_LINES, *PARQUET)


def open_table(path: Path, only: Collection[str] | None = None) -> Tabular:
    """Open a table.

    Args:
        path: of the file.
        only: the columns to read, where not all are needed; the others of a parquet file are not read.

    Raises:
        DataError: the file is not there, no table, damaged, or has an encoding other than UTF-8, UTF-16 and cp1252; of parquet
            also while its rows are read.
    """
    if can_wait(path) or kind_of(path) != "file":
        raise DataError(f"{path} {not_a('file', path)}; name {EXPECTED}.")
    if is_delimited(path):
        return _delimited(path)
    if path.suffix.lower() in JSON_LINES:
        return _json_lines(path)
    if path.suffix.lower() in PARQUET:
        return _parquet(path, only)
    raise DataError(f"{path} is no table that emokit reads; save it as {EXPECTED}.")


def _delimited(path: Path) -> Tabular:
    table = read_table(path, tolerant=True)
    columns = tuple(column.strip() for column in table.columns)
    usual = DELIMITERS[path.suffix.lower()][0]
    ways = [f"as {table.encoding}"] * (table.encoding != "utf-8")
    ways += [f"with {'tabs' if table.delimiter == chr(9) else table.delimiter} between its fields"] * (
        table.delimiter != usual
    )

    def rows() -> Iterator[Row]:
        for row in table.rows:
            if len(row.cells) == len(columns):
                # without the quotes that emokit puts before what a spreadsheet would take for a formula
                yield Row(row.number, dict(zip(columns, map(from_spreadsheet_cell, row.cells), strict=True)))
            elif row.cells:
                yield Row(row.number, {}, "more or fewer fields than the header")

    return Tabular(path, columns, rows(), f"{path.name} is read {' '.join(ways)}" if ways else "")


def _json_lines(path: Path) -> Tabular:
    text, encoding = decoded(path, tolerant=True, expected=EXPECTED.removeprefix("a "))
    values: list[tuple[int, Any]]
    if text.lstrip().startswith("["):
        try:
            values = list(enumerate(json.loads(text, object_pairs_hook=_object), start=1))
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path} is no JSON ({error}); write one object per line, or a list of objects.") from error
    else:
        values = [(number, _value(line)) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    columns = dict.fromkeys(str(name) for _, value in values if isinstance(value, dict) for name in value)
    if not columns:
        raise DataError(f'{path} has no JSON object with values; write one object per line, such as {{"text": …}}.')
    rows = (Row(number, *_cells_and_fault(value)) for number, value in values)
    return Tabular(path, tuple(columns), rows, f"{path.name} is read as {encoding}" if encoding != "utf-8" else "")


class _Repeated(dict[str, Any]):
    """A JSON object that has a key more than once: Python would take the last value of it."""

    key = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        value = _Repeated(value)
        names = [name for name, _ in pairs]
        value.key = next(name for name in names if names.count(name) > 1)
    return value


def _cells_and_fault(value: Any) -> tuple[dict[str, Any], str]:
    if isinstance(value, _Repeated):
        return {}, f"the key {value.key} twice"
    return (value, "") if isinstance(value, dict) else ({}, "no JSON object")


def _value(line: str) -> Any:
    try:
        return json.loads(line, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return None


def _parquet(path: Path, only: Collection[str] | None) -> Tabular:
    check_readable(path)
    try:
        file = pyarrow.parquet.ParquetFile(path.absolute())  # pyarrow reads a ~ at the start as a home folder
        names = file.schema_arrow.names
        nested = {column.name: str(column.type) for column in file.schema_arrow if _is_nested(column.type)}
    except UNREADABLE as error:
        raise _damaged(path, error) from error
    wanted = [name for name in names if only is None or name in only]

    def rows() -> Iterator[Row]:
        number = 0
        try:
            for batch in file.iter_batches(BATCH_ROWS, columns=wanted):
                for cells in batch.to_pylist():
                    number += 1
                    yield Row(number, cells)
        except UNREADABLE as error:
            raise _damaged(path, error) from error

    return Tabular(path, tuple(names), rows(), nested=nested)


def _is_nested(kind: pyarrow.DataType) -> bool:
    types = pyarrow.types
    return bool(types.is_nested(kind) or types.is_binary(kind) or types.is_large_binary(kind))


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} is no readable parquet table ({error}); write it again.")
