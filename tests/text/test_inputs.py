"""The texts that a command line names: sentences, lines of a file, a column of a table, standard input."""

import io
import os
import sys
from pathlib import Path

import pytest

from emokit.errors import DataError, UsageError
from emokit.modality.predictor import Arguments
from emokit.text import inputs
from emokit.text.inputs import Blank, text_inputs

SENTENCES = ["I love this recipe", "مرحبا 😂 \u202eabc", 'a\ttab and "quotes"\x85 \u2028', "gross"]
TABLE = 'id,text\n1,"I am glad, really."\n2,"He said ""no""."\n'


def read(*sentences, **options):
    blank = Blank()
    with text_inputs(Arguments(sentences, options), blank) as named:
        return [(item.number, item.text) for item in named], blank.note()


def refused(kind, *sentences, **options):
    with pytest.raises(kind) as error:
        read(*sentences, **options)
    return str(error.value)


def test_arguments_a_file_and_standard_input_give_the_same_texts(tmp_path, monkeypatch):
    (tmp_path / "lines.txt").write_bytes("\ufeff".encode() + "\r\n".join(SENTENCES).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\n".join(SENTENCES).encode() + b"\n")))
    expected = list(enumerate(SENTENCES, start=1)), None
    assert read(*SENTENCES) == expected
    assert read(file=tmp_path / "lines.txt") == expected
    assert read("-") == expected


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_all_line_ends_count_and_blank_lines_are_skipped_by_number(tmp_path, end):
    (tmp_path / "lines.txt").write_bytes(end.join([b"I am glad.", b"", b" \t", b"This is awful.", b""]))
    texts, note = read(file=tmp_path / "lines.txt")
    assert texts == [(1, "I am glad."), (4, "This is awful.")]
    assert note == "skipped 2 blank lines: 2-3"


def test_mixed_line_ends_count(tmp_path):
    (tmp_path / "lines.txt").write_bytes(b"a\rb\r\nc\n\rd\r")
    assert read(file=tmp_path / "lines.txt") == ([(1, "a"), (2, "b"), (3, "c"), (5, "d")], "skipped 1 blank line: 4")


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", range(1, 9))
def test_lines_are_the_same_wherever_a_piece_ends(tmp_path, monkeypatch, end, size):
    monkeypatch.setattr(inputs, "MOST_BYTES", size)
    (tmp_path / "lines.txt").write_bytes(end.join([b"a", b"", b"b" * min(size, 3), b"", b"c", b""]))
    texts, note = read(file=tmp_path / "lines.txt")
    assert texts == [(1, "a"), (3, "b" * min(size, 3)), (5, "c")]
    assert note == "skipped 2 blank lines: 2, 4"


class Endless(io.RawIOBase):
    """A stream that never ends; `num_read` counts what was taken of it."""

    num_read = 0

    def readable(self):
        return True

    def readinto(self, buffer):
        self.num_read += len(buffer)
        assert self.num_read < 10 * inputs.MOST_BYTES
        buffer[:] = b"x" * len(buffer)
        return len(buffer)


def test_a_stream_without_line_ends_is_refused_before_it_fills_the_memory(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Endless())))
    assert refused(DataError, "-") == (
        "Standard input, line 1, is longer than 1 MiB where a sentence was expected; write one sentence per line."
    )


def test_many_blank_lines_are_named_by_the_first_of_them(tmp_path):
    (tmp_path / "lines.txt").write_text("a\n\n" * 30)
    shown = ", ".join(str(2 * number) for number in range(1, 21))
    assert read(file=tmp_path / "lines.txt")[1] == f"skipped 30 blank lines: {shown}, …"


@pytest.mark.parametrize("name", ["texts.csv", "texts.CSV", "texts.tsv"])
def test_a_table_gives_the_texts_of_its_column(tmp_path, name):
    content = TABLE.replace(",", "\t") if name.endswith("tsv") else TABLE
    (tmp_path / name).write_text(content)
    (_, first), second = read(file=tmp_path / name)[0]
    assert first.replace("\t", ",") == "I am glad, really."
    assert second == (3, 'He said "no".')
    assert read(file=tmp_path / name, column="id")[0] == [(2, "1"), (3, "2")]


def test_rows_without_a_text_are_skipped_by_number(tmp_path):
    (tmp_path / "texts.csv").write_text("text,id\na,1\n,2\n\nb,4\n")
    assert read(file=tmp_path / "texts.csv") == ([(2, "a"), (5, "b")], "skipped 2 blank rows: 3-4")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_another_encoding_than_utf8_is_named(tmp_path, encoding):
    (tmp_path / "texts.csv").write_bytes("text\nschön\n".encode(encoding))
    assert read(file=tmp_path / "texts.csv") == ([(2, "schön")], f"texts.csv is read as {encoding}")


@pytest.mark.parametrize(
    ("header", "column", "nearest"),
    [
        ("id,Text", None, "Text"),
        ("id,texts", None, "texts"),
        ("id,my tweet", None, '"my tweet"'),
        ("sentence,id", None, "sentence"),
        ("a,b", None, "b"),
        ("id,comment_text", "comment", "comment_text"),
    ],
)
def test_where_the_column_is_missing_the_nearest_is_proposed(tmp_path, header, column, nearest):
    file = tmp_path / "texts.csv"
    file.write_text(f"{header}\n1,I am glad.\n")
    assert refused(DataError, file=file, column=column) == (
        f"{file} has no column {column or 'text'}, its columns are {', '.join(header.split(','))}; add --column {nearest}, or "
        "name another of them."
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("text,text\na,b\n", "{file} has 2 columns with the name text; rename one of them."),
        ("text,id\n,1\n \t,2\n", "{file} has only blank texts in its column text; write one text per row."),
        ("text,id\n", "{file} has no row below its header; write one text per row."),
    ],
)
def test_a_table_without_texts_is_named(tmp_path, content, sentence):
    (tmp_path / "texts.csv").write_text(content)
    assert refused(DataError, file=tmp_path / "texts.csv") == sentence.format(file=tmp_path / "texts.csv")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("ä".encode("cp1252"), "{file}, line 1, is not UTF-8 (byte 0xe4 at 0); save it as UTF-8 text."),
        (b"fine\r\xe4\r", "{file}, line 2, is not UTF-8 (byte 0xe4 at 0); save it as UTF-8 text."),
        (b"", "{file} has no text; write one sentence per line."),
        (b"\n \r\n\t\n", "{file} has only blank lines; write one sentence per line."),
        (None, "{file} cannot be read (No such file or directory); name a file with one sentence per line."),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_line(tmp_path, content, sentence):
    file = tmp_path / "lines.txt"
    if content is not None:
        file.write_bytes(content)
    assert refused(DataError, file=file) == sentence.format(file=file)


def test_empty_standard_input_is_named(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    assert refused(DataError, "-") == "Standard input has no text; write one sentence per line."


@pytest.mark.parametrize("name", ["a.jsonl", "a.XLSX", "a.parquet", "a.srt"])
def test_a_file_of_another_format_is_not_read_as_lines(tmp_path, name):
    (tmp_path / name).write_text('{"text": "I am glad."}\n')
    assert refused(UsageError, file=tmp_path / name) == (
        f"{tmp_path / name} is neither a table nor plain text; save its texts as .csv or .tsv with a column text, or as .txt "
        "with one sentence per line."
    )


@pytest.mark.parametrize(("sentences", "options"), [((), {}), (("a",), {"file": Path("b")})])
def test_inputs_are_either_sentences_or_a_file(sentences, options):
    assert refused(UsageError, *sentences, **options) == (
        "Name sentences, a file of sentences with --file, or a prepared folder with --data: exactly one of them."
    )


@pytest.mark.parametrize(("sentences", "options"), [(("a",), {}), ((), {"file": Path("b.txt")})])
def test_a_column_needs_a_table(sentences, options):
    assert refused(UsageError, *sentences, column="x", **options) == (
        "--column x was given without a table; name a .csv or .tsv file with --file, or leave --column out."
    )


def test_a_file_is_no_sentence(tmp_path):
    (tmp_path / "a.txt").touch()
    assert refused(UsageError, "wow", str(tmp_path / "a.txt")) == (
        f"{tmp_path / 'a.txt'} is a file where a sentence was expected; name a file of sentences with --file, "
        "transcribe a recording with --transcribe MODEL, or pipe the sentence itself to -."
    )


def test_standard_input_stands_alone():
    assert refused(UsageError, "-", "wow") == (
        "- was given beside sentences; give - alone to read sentences from standard input."
    )


def test_a_pipe_is_refused_before_it_is_read(tmp_path):
    os.mkfifo(tmp_path / "lines.txt")
    assert refused(DataError, file=tmp_path / "lines.txt") == (
        f"{tmp_path / 'lines.txt'} is a pipe, not a file; name a file with one sentence per line, or pipe the sentences to -."
    )
