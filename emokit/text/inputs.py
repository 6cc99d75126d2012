"""The texts that a command line names: sentences, a file of them, a column of a CSV or TSV table, standard input."""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from emokit.delimited import DelimitedTable, is_delimited, read_table
from emokit.errors import DataError, UsageError
from emokit.files import can_wait, not_a
from emokit.modality.arguments import STDIN, check_sentences, standard_input
from emokit.modality.predictor import Arguments, Input

COLUMN = "text"
# Names of columns that hold texts in tables of others.
LIKELY = ("sentence", "utterance", "transcript", "transcription", "comment", "tweet", "message", "content", "review")
# Files that hold texts and more: line by line, their syntax would be predicted.
NOT_LINES = frozenset(
    ".json .jsonl .ndjson .yaml .yml .parquet .xlsx .xls .ods .xml .html .htm .doc .docx .odt .rtf .pdf .srt .vtt".split()  # noqa: SIM905
)
ADVICE = "name a file of sentences with --file, transcribe a recording with --transcribe MODEL, or pipe the sentence itself to -"
MOST_SHOWN = 20
MOST_BYTES = 2**20  # of a line: far more than a model reads, and a stream without line ends would fill the memory


@dataclass
class Blank:
    """The lines or rows without a text, which are skipped."""

    what: str = "line"
    numbers: list[int] = field(default_factory=list)
    read_as: str = ""
    """What else the user has to know of the file, such as an encoding that was assumed."""

    def note(self) -> str | None:
        """A line for the user that names them; None where there is nothing to say."""
        notes = [self.read_as] if self.read_as else []
        if self.numbers:
            many = "s" if len(self.numbers) > 1 else ""
            notes.append(f"skipped {len(self.numbers)} blank {self.what}{many}: {_ranges(self.numbers)}")
        return "; ".join(notes) or None


@contextmanager
def text_inputs(arguments: Arguments, blank: Blank) -> Iterator[Iterable[Input]]:
    """Sentences, or the texts of `file` or of standard input, which are read as they are predicted.

    Args:
        arguments: of the command line.
        blank: receives the numbers of lines or rows without a text.

    Raises:
        UsageError: neither sentences nor a file were named, or both; a sentence is the name of a file.
        DataError: the file cannot be read, or while it is read: a line is not UTF-8, or there is no text.
    """
    file: Path | None = arguments.options.get("file")
    column: str | None = arguments.options.get("column")
    if bool(arguments.inputs) == (file is not None):
        raise UsageError(
            "Name sentences, a file of sentences with --file, or a prepared folder with --data: exactly one of them."
        )
    if column is not None and (file is None or not is_delimited(file)):
        raise UsageError(
            f"--column {column} was given without a table; name a .csv or .tsv file with --file, or leave --column out."
        )
    if file is not None and is_delimited(file):
        blank.what = "row"
        table = read_table(file, any_encoding=True)
        if table.encoding != "utf-8":
            blank.read_as = f"{file.name} is read as {table.encoding}"
        yield _rows(table, column or COLUMN, blank)
    elif file is not None:
        if file.suffix.lower() in NOT_LINES:
            raise UsageError(
                f"{file} is neither a table nor plain text; save its texts as .csv or .tsv with a column {COLUMN}, or as "
                ".txt with one sentence per line."
            )
        with _open(file) as lines:
            yield _lines(lines, str(file), blank)
    elif arguments.inputs == (STDIN,):
        yield _lines(standard_input(), "Standard input", blank)
    else:
        if STDIN in arguments.inputs:
            raise UsageError("- was given beside sentences; give - alone to read sentences from standard input.")
        check_sentences(arguments.inputs, ADVICE)
        yield [Input(f"Sentence {n}", text=text, number=n) for n, text in enumerate(arguments.inputs, start=1)]


def _rows(table: DelimitedTable, column: str, blank: Blank) -> Iterator[Input]:
    position = _position(table, column)
    for row in table.rows:
        text = row.cells[position] if row.cells else ""
        if text.strip():
            yield Input(f"{table.path}, row {row.number},", text=text, number=row.number)
        else:
            blank.numbers.append(row.number)
    if len(blank.numbers) == len(table.rows):
        lacking = f"only blank texts in its column {column}" if table.rows else "no row below its header"
        raise DataError(f"{table.path} has {lacking}; write one text per row.")


def _position(table: DelimitedTable, column: str) -> int:
    count = table.columns.count(column)
    if count == 1:
        return table.columns.index(column)
    if count:
        raise DataError(f"{table.path} has {count} columns with the name {column}; rename one of them.")
    columns = ", ".join(table.columns)
    raise DataError(
        f"{table.path} has no column {column}, its columns are {columns}; add --column {_quoted(_nearest(table, column))}, or "
        "name another of them."
    )


def _nearest(table: DelimitedTable, column: str) -> str:
    """The column that was probably meant: of a similar name, of a usual name, or with the longest texts."""
    by_name = {name.strip().lower(): name for name in reversed(table.columns)}
    for wanted in (column.lower(), *(LIKELY if column == COLUMN else ())):
        if close := difflib.get_close_matches(wanted, by_name, n=1):
            return by_name[close[0]]
    lengths = [sum(len(row.cells[i]) for row in table.rows if row.cells) for i in range(len(table.columns))]
    return table.columns[lengths.index(max(lengths))]


def _quoted(name: str) -> str:
    return name if name.isidentifier() else f'"{name}"'


def _open(file: Path) -> BinaryIO:
    if can_wait(file):
        raise DataError(
            f"{file} {not_a('file', file)}; name a file with one sentence per line, or pipe the sentences to -."
        )
    try:
        return file.open("rb")
    except OSError as error:
        raise _unreadable(str(file), error) from error


def _lines(file: BinaryIO, name: str, blank: Blank) -> Iterator[Input]:
    """The lines of a file. LF, CRLF and CR end one: a sentence may contain what else Unicode calls line breaks."""
    pieces, number = _split_lines(file), 0
    while True:
        try:
            line = next(pieces)
        except StopIteration:
            break
        except OSError as error:
            raise _unreadable(name, error) from error
        number += 1
        where = f"{name}, line {number},"
        if len(line) > MOST_BYTES:
            raise DataError(
                f"{where} is longer than {MOST_BYTES // 2**20} MiB where a sentence was expected; write one sentence per line."
            )
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            wrong = f"byte {error.object[error.start]:#04x} at {error.start}"
            raise DataError(f"{where} is not UTF-8 ({wrong}); save it as UTF-8 text.") from error
        if text.strip():
            yield Input(where, text=text, number=number)
        else:
            blank.numbers.append(number)
    if number == len(blank.numbers):
        lacking = "only blank lines" if number else "no text"
        raise DataError(f"{name} has {lacking}; write one sentence per line.")


def _split_lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines without their ends; after one of more than `MOST_BYTES`, of which no more is read, there is none."""
    rest = b""
    while piece := file.readline(MOST_BYTES):
        rest += piece
        if piece.endswith(b"\n") or len(piece) < MOST_BYTES:
            yield from _at_carriage_returns(rest)
            rest = b""
            continue
        end = len(rest) - rest.endswith(b"\r")  # the last one may be the first half of a CRLF
        *lines, last = rest[:end].split(b"\r")
        yield from lines
        rest = last + rest[end:]
        if len(last) > MOST_BYTES:
            break
    if rest:
        yield from _at_carriage_returns(rest)


def _at_carriage_returns(line: bytes) -> list[bytes]:
    return line.removesuffix(b"\n").removesuffix(b"\r").split(b"\r")


def _unreadable(name: str, error: OSError) -> DataError:
    return DataError(f"{name} cannot be read ({error.strerror}); name a file with one sentence per line.")


def _ranges(numbers: list[int]) -> str:
    """`2, 5-7`: increasing numbers, the first ones only where they are many."""
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), lambda entry: entry[1] - entry[0])]
    parts = [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]
    return ", ".join(parts[:MOST_SHOWN]) + (", …" if len(parts) > MOST_SHOWN else "")
