"""Delimited tables of text, CSV and TSV: every row is checked when they are read, and spreadsheets run no formula in them."""

import codecs
import contextlib
import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from emokit.errors import DataError
from emokit.files import can_wait, not_a, write_csv

DELIMITERS = {".csv": ",;\t", ".tsv": "\t", ".tab": "\t"}
"""Ending -> the delimiters that such a file can have, the usual one first."""
LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Row:
    """A row of a table: its number as a spreadsheet shows it, the header being row 1, and its cells; none where it is blank."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class DelimitedTable:
    """The names of the columns of a file, and its rows.

    Attributes:
        lines_above: lines above the header: 1 where a first line `sep=;` names the delimiter.
    """

    path: Path
    delimiter: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    encoding: str = "utf-8"
    lines_above: int = 0


SEPARATOR_LINE = re.compile(r'"?sep=([,;\t])"?[ \t]*(?:\r\n|\r|\n|\Z)', re.IGNORECASE)


def is_delimited(path: Path) -> bool:
    """Whether a file's name ends as that of a CSV or TSV table."""
    return path.suffix.lower() in DELIMITERS


def read_table(path: Path, *, tolerant: bool = False, any_encoding: bool = False) -> DelimitedTable:
    """Read a CSV or TSV file: UTF-8 with or without a byte order mark, any line ends, quoted fields.

    Args:
        path: of the file.
        tolerant: read UTF-16 and cp1252 as well, and return rows with more or fewer fields than the header as they are.
        any_encoding: read UTF-16 and cp1252 as well.

    Raises:
        DataError: the file cannot be read or has another encoding, or a row has more or fewer fields than the header.
    """
    text, encoding = decoded(path, tolerant=tolerant or any_encoding, expected="CSV or TSV file")
    delimiter = delimiter_of(path, text)
    # newline="": line feeds inside of quoted fields are kept, and all line ends count outside of them.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        lines_above = 1 if SEPARATOR_LINE.match(text) else 0
        for _ in range(lines_above):
            next(reader)
        columns = next(reader, [])
        if not any(column.strip() for column in columns):
            raise DataError(f"{path} has no header; write a first line with the names of its columns.")
        rows = []
        for number, cells in enumerate(reader, start=2):
            if cells and len(cells) != len(columns) and not tolerant:
                raise DataError(
                    f"{path}, line {reader.line_num}, has {_count(len(cells))}, and its header has {_count(len(columns))}; "
                    f"put fields that contain {_NAMES[delimiter]} into double quotes."
                )
            rows.append(Row(number, tuple(cells)))
    except csv.Error as error:
        if "field limit" in str(error):
            raise DataError(
                f"{path}, line {reader.line_num}, has a field of more than {csv.field_size_limit()} characters; close the double "
                "quote that it begins with, or cut it into several rows."
            ) from error
        raise DataError(
            f"{path}, line {reader.line_num}, is no row of a table ({error}); put texts into double quotes, and write a double "
            "quote inside of them twice."
        ) from error
    return DelimitedTable(path, delimiter, tuple(columns), tuple(rows), encoding, lines_above)


def delimiter_of(path: Path, text: str) -> str:
    """The delimiter of a table: the one that a first line `sep=;` names, as Excel reads it; else, of those that a file with its
    ending can have, the one that its first line has most often.
    """
    if stated := SEPARATOR_LINE.match(text):
        return stated[1]
    first_line = re.sub(r'"[^"]*"', "", LINE_END.split(text, maxsplit=1)[0])
    return max(DELIMITERS[path.suffix.lower()], key=first_line.count)


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV or TSV file, completely or not at all; None becomes an empty cell.

    A text that a spreadsheet would take for a formula gets a ' before it.
    """
    write_csv(path, columns, rows, delimiter=DELIMITERS[path.suffix.lower()][0])


_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab"}


def _count(number: int) -> str:
    return "1 field" if number == 1 else f"{number} fields"


OTHER_FILES = {
    b"PK\3\4": "a zip archive, as spreadsheets of Excel are",
    b"\xd0\xcf\x11\xe0": "a spreadsheet of an old Excel",
    b"PAR1": "a parquet file",
    b"\x1f\x8b": "a gzip file",
    b"%PDF": "a PDF file",
}


def decoded(path: Path, *, tolerant: bool, expected: str) -> tuple[str, str]:
    """The text of a file, and its encoding: UTF-8, and where `tolerant` UTF-16 and cp1252, Windows' for western languages.

    Args:
        path: of the file.
        tolerant: whether another encoding than UTF-8 is read.
        expected: what the file should be, for messages: `CSV or TSV file`.

    Raises:
        DataError: the file cannot be read or has another encoding.
    """
    if can_wait(path):
        raise DataError(f"{path} {not_a('file', path)}; name a {expected}.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); name a {expected}.") from error
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise DataError(f"{path} is UTF-32; save it as UTF-8 text.")
    if tolerant and (utf_16 := _utf_16(content)):
        try:
            return content.decode(utf_16).removeprefix("\ufeff"), "utf-16"
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is damaged UTF-16 (at byte {error.start}); save it as UTF-8 text.") from error
    for magic, kind in OTHER_FILES.items():
        if content.startswith(magic):
            raise DataError(f"{path} is {kind}; name a {expected}, or give this one the ending of what it is.")
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        if tolerant and b"\0" not in content:
            with contextlib.suppress(UnicodeDecodeError):
                return content.decode("cp1252"), "cp1252"
        lines: list[bytes] = re.split(rb"\r\n|\r|\n", content[: error.start])
        wrong = f"byte {content[error.start]:#04x} at {len(lines[-1])}"
        raise DataError(f"{path}, line {len(lines)}, is not UTF-8 ({wrong}); save it as UTF-8 text.") from error


def _utf_16(content: bytes) -> str | None:
    """The byte order of UTF-16, by its mark or, without one, by the zeros that every other byte of western text then is."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    start = content[:1000]
    if len(start) < 2 or len(content) % 2:
        return None
    for name, zeros, others in (("utf-16-le", start[1::2], start[::2]), ("utf-16-be", start[::2], start[1::2])):
        if zeros.count(0) > len(zeros) / 2 and 0 not in others:
            return name
    return None
