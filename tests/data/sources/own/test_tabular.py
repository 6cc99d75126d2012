"""Tables in every format, encoding and dialect."""

import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from emokit.data.sources.own.tabular import Row, is_table, open_table
from emokit.errors import DataError

ROWS = [{"text": "Grüße, ja", "label": "joy"}, {"text": 'He said "no"', "label": "anger"}]


def content(delimiter: str, end: str = "\n") -> str:
    lines = [("text", "label"), (f'"Grüße{delimiter} ja"', "joy"), ('"He said ""no"""', "anger")]
    return end.join(delimiter.join(line) for line in lines) + end


@pytest.mark.parametrize(
    ("name", "delimiter", "end", "encoding", "remark"),
    [
        ("a.csv", ",", "\n", "utf-8", ""),
        ("a.csv", ",", "\r\n", "utf-8-sig", ""),
        ("a.tsv", "\t", "\n", "utf-8", ""),
        ("a.csv", ";", "\r\n", "cp1252", "a.csv is read as cp1252 with ; between its fields"),
        ("a.csv", "\t", "\n", "utf-16", "a.csv is read as utf-16 with tabs between its fields"),
        ("a.csv", ",", "\r\n", "utf-16-le", "a.csv is read as utf-16"),
        ("a.csv", ",", "\n", "utf-16-be", "a.csv is read as utf-16"),
    ],
)
def test_delimiters_line_ends_and_encodings_are_noticed(
    tmp_path: Path, name: str, delimiter: str, end: str, encoding: str, remark: str
) -> None:
    (tmp_path / name).write_bytes(content(delimiter, end).encode(encoding))
    table = open_table(tmp_path / name)
    assert (table.columns, table.remark) == (("text", "label"), remark)
    texts = [row.cells["text"].replace(delimiter, ",") for row in table.rows]
    assert texts == [row["text"] for row in ROWS]


def test_rows_with_other_numbers_of_fields_are_marked_and_blank_lines_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\na,b,c\n\nd,e\n")
    assert list(open_table(tmp_path / "a.csv").rows) == [
        Row(2, {}, "more or fewer fields than the header"),
        Row(4, {"text": "d", "label": "e"}),
    ]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_json_lines_are_rows_and_lines_of_other_values_are_marked(tmp_path: Path, name: str) -> None:
    lines = [json.dumps(ROWS[0]), "", "[1]", "{broken", json.dumps({"label": 3, "more": None})]
    (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
    table = open_table(tmp_path / name)
    assert table.columns == ("text", "label", "more")
    assert list(table.rows) == [
        Row(1, ROWS[0]),
        Row(3, {}, "no JSON object"),
        Row(4, {}, "no JSON object"),
        Row(5, {"label": 3, "more": None}),
    ]


def test_a_json_list_of_objects_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(ROWS, indent=1))
    assert [row.cells for row in open_table(tmp_path / "a.json").rows] == ROWS


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 2}\n{"a": {"b": 1, "b": 2}}', '[{"a": 1, "a": 2}, {"a": {"b": 1, "b": 2}}]']
)
def test_a_key_that_a_json_object_has_twice_is_a_fault_of_its_row(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    table = open_table(tmp_path / "a.json")
    assert list(table.rows) == [Row(1, {}, "the key a twice"), Row(2, {"a": {"b": 2}})]


def test_of_parquet_only_the_columns_that_are_used_are_read(tmp_path: Path) -> None:
    columns = {"text": ["a", None], "label": [1, 2], "audio": [b"x" * 10, b"y"]}
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    table = open_table(tmp_path / "a.parquet", ["text", "label"])
    assert table.columns == ("text", "label", "audio")
    assert [row.cells for row in table.rows] == [{"text": "a", "label": 1}, {"text": None, "label": 2}]


@pytest.mark.parametrize(
    ("name", "written", "words"),
    [
        ("a.csv", b"", "a.csv has no header; write a first line with the names of its columns."),
        (
            "a.csv",
            b"text\n\x81\x8d\x00",
            "a.csv, line 2, is not UTF-8 (byte 0x81 at 0); save it as UTF-8 text.",
        ),
        ("a.csv", b"\xff\xfea", "a.csv is damaged UTF-16 (at byte 2); save it as UTF-8 text."),
        ("a.jsonl", b"\n", 'a.jsonl has no JSON object with values; write one object per line, such as {"text": …}.'),
        (
            "a.json",
            b"[1,",
            "a.json is no JSON (Expecting value: line 1 column 4 (char 3)); write one object per line, or a list of objects.",
        ),
        ("a.xlsx", b"PK", "a.xlsx is no table that emokit reads; save it as a .csv, .tsv, .jsonl, .json or .parquet table."),
        ("b.csv", None, "b.csv is not there; name a .csv, .tsv, .jsonl, .json or .parquet table."),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, written: bytes | None, words: str) -> None:
    if written is not None:
        (tmp_path / name).write_bytes(written)
    with pytest.raises(DataError) as error:
        open_table(tmp_path / name)
    assert str(error.value) == f"{tmp_path}/{words}"


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more PAR1")
    with pytest.raises(DataError, match=r"a\.parquet is no readable parquet table \(.*\); write it again\."):
        open_table(tmp_path / "a.parquet")


def test_the_endings_of_tables_are_known() -> None:
    names = ("a.csv", "a.TSV", "a.jsonl", "a.ndjson", "a.json", "a.parquet", "a.txt", "a.xlsx", "a")
    assert [is_table(Path(name)) for name in names] == [True] * 6 + [False] * 3
