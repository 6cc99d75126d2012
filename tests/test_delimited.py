"""CSV and TSV tables: read with every row checked, written so that spreadsheets run no formula."""

import os

import pytest

from emokit.delimited import is_delimited, read_table, write_table
from emokit.errors import DataError


def rows_of(path):
    return [(row.number, *row.cells) for row in read_table(path).rows]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ","), ("a.CSV", ";"), ("a.csv", "\t"), ("a.tsv", "\t")])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_quoted_fields_any_delimiter_any_line_end_and_a_mark(tmp_path, end, name, delimiter, mark):
    lines = [("text", "label"), (f'"I am glad{delimiter} really."', "happy"), ('"He said ""no"".\nTwice."', ""), ()]
    text = end.join(delimiter.join(line) for line in lines) + end
    (tmp_path / name).write_bytes(mark + text.encode())
    table = read_table(tmp_path / name)
    assert (table.columns, table.delimiter) == (("text", "label"), delimiter)
    assert rows_of(tmp_path / name) == [
        (2, f"I am glad{delimiter} really.", "happy"),
        (3, 'He said "no".\nTwice.', ""),
        (4,),
    ]


def test_the_delimiter_is_that_of_the_header_outside_of_quotes(tmp_path):
    (tmp_path / "a.csv").write_text('"a,b,c";text\n1,5;x\n')
    assert read_table(tmp_path / "a.csv").columns == ("a,b,c", "text")
    assert rows_of(tmp_path / "a.csv") == [(2, "1,5", "x")]
    (tmp_path / "a.tsv").write_text("text,more\ta\nx\ty\n")
    assert read_table(tmp_path / "a.tsv").columns == ("text,more", "a")


def test_the_endings_of_tables_are_known():
    from pathlib import Path

    assert [is_delimited(Path(name)) for name in ("a.csv", "b.TSV", "c.tab", "d.txt", "csv")] == [True] * 3 + [
        False
    ] * 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "{file} has no header; write a first line with the names of its columns."),
        (b"\n\n", "{file} has no header; write a first line with the names of its columns."),
        (
            b"text\nfine\nI am glad, really.\n",
            "{file}, line 3, has 2 fields, and its header has 1 field; put fields that contain a comma into double quotes.",
        ),
        (
            b"text;label\nfine\n",
            "{file}, line 2, has 1 field, and its header has 2 fields; put fields that contain a semicolon into double "
            "quotes.",
        ),
        (
            b'text,label\n"never closed,happy\n',
            "{file}, line 2, is no row of a table (unexpected end of data); put texts into double quotes, and write a double "
            "quote inside of them twice.",
        ),
        (
            b'text,label\n"a "b" c",happy\n',
            "{file}, line 2, is no row of a table (',' expected after '\"'); put texts into double quotes, and write a double "
            "quote inside of them twice.",
        ),
        (
            b"\xef\xbb\xbftext,label\r\ncaf\xe9,happy\n",
            "{file}, line 2, is not UTF-8 (byte 0xe9 at 3); save it as UTF-8 text.",
        ),
        (
            b'text,label\n"' + b"a" * 131_073 + b'",happy\n',
            "{file}, line 2, has a field of more than 131072 characters; close the double quote that it begins with, or cut it "
            "into several rows.",
        ),
        ("text\nHi\n".encode("utf-32"), "{file} is UTF-32; save it as UTF-8 text."),
        (
            b"PK\3\4" + bytes(30),
            "{file} is a zip archive, as spreadsheets of Excel are; name a CSV or TSV file, or give this one the ending of what "
            "it is.",
        ),
        (None, "{file} cannot be read (No such file or directory); name a CSV or TSV file."),
    ],
)
def test_a_file_that_is_no_table_is_named_with_its_line(tmp_path, content, sentence):
    file = tmp_path / "a.csv"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError) as error:
        read_table(file)
    assert str(error.value) == sentence.format(file=file)


@pytest.mark.parametrize(("name", "delimiter"), [("out.csv", ","), ("out.tsv", "\t")])
def test_what_is_written_is_read_again(tmp_path, name, delimiter):
    rows = [("a,b\tc", 0.25), ('He said "no".\nTwice.', 1.0), ("Größe 😂", 0.1)]
    write_table(tmp_path / name, ("text", "p"), rows)
    assert read_table(tmp_path / name).delimiter == delimiter
    assert rows_of(tmp_path / name) == [(n, text, str(p)) for n, (text, p) in enumerate(rows, start=2)]
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("text", ["=1+1", "+a1", "-a1", "@SUM(A1)", "\t=1", " =1", "\n@x"])
def test_a_spreadsheet_reads_no_formula(tmp_path, text):
    write_table(tmp_path / "a.csv", ("text", "number"), [(text, -1.5)])
    assert rows_of(tmp_path / "a.csv") == [(2, f"'{text}", "-1.5")]


def test_a_name_that_is_not_utf8_is_written_as_an_escape(tmp_path):
    write_table(tmp_path / "a.csv", ("file",), [(os.fsdecode(b"caf\xe9.wav"),)])
    assert rows_of(tmp_path / "a.csv") == [(2, r"caf\xe9.wav")]


def test_a_pipe_is_no_table(tmp_path):
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / "a.csv")
    assert str(caught.value) == f"{tmp_path / 'a.csv'} is a pipe, not a file; name a CSV or TSV file."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_tolerant_reader_takes_other_encodings_and_rows_with_more_or_fewer_fields(tmp_path, encoding):
    (tmp_path / "a.csv").write_bytes("text,label\nGrüße,joy\na\n".encode(encoding))
    table = read_table(tmp_path / "a.csv", tolerant=True)
    assert (table.encoding, [row.cells for row in table.rows]) == (encoding, [("Grüße", "joy"), ("a",)])
    with pytest.raises(DataError):
        read_table(tmp_path / "a.csv")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp1252"])
def test_other_encodings_are_read_where_they_are_allowed(tmp_path, encoding):
    (tmp_path / "a.csv").write_bytes("text,label\r\nfröhlich,ja\r\n".encode(encoding))
    assert read_table(tmp_path / "a.csv", any_encoding=True).rows[0].cells == ("fröhlich", "ja")
    with pytest.raises(DataError):
        read_table(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("first", "delimiter"), [("sep=;", ";"), ("SEP=,", ","), ("sep=\t", "\t"), ('"sep=;"', ";"), ("sep=;\r", ";")]
)
def test_a_first_line_that_names_the_delimiter_is_no_header(tmp_path, first, delimiter):
    path = tmp_path / "a.csv"
    path.write_bytes(f"{first}\ntext{delimiter}label\na b{delimiter}joy\n".encode())
    table = read_table(path, tolerant=True)
    assert (table.delimiter, table.columns) == (delimiter, ("text", "label"))
    assert [row.cells for row in table.rows] == [("a b", "joy")]
