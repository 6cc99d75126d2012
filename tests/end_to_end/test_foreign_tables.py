"""Tables of predictions from other programs whose columns or metadata have another shape."""

from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from emokit import predictions
from emokit.errors import DataError
from tests.test_predictions import COLUMNS, made


def refusal_of(path: Path, table: pyarrow.Table) -> str:
    pyarrow.parquet.write_table(table, path)
    with pytest.raises(DataError) as caught:
        predictions.read(path)
    return str(caught.value)


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    table = pyarrow.Table.from_pandas(made().table)
    for name in ("label", "p_sad"):
        sentence = refusal_of(tmp_path / "a.parquet", table.append_column(name, table[name]))
        assert sentence == f"{tmp_path / 'a.parquet'} has 2 columns with the name {name}; rename one of them."


@pytest.mark.parametrize("name", COLUMNS.split())
def test_a_column_of_lists_is_refused(tmp_path: Path, name: str) -> None:
    table = pyarrow.Table.from_pandas(made().table.drop(columns=name))
    lists = pyarrow.array([["a"]] * len(table), pyarrow.list_(pyarrow.string()))
    assert refusal_of(tmp_path / "a.parquet", table.append_column(name, lists)) == (
        f"{tmp_path / 'a.parquet'} has its column {name} as list<element: string>, where text was expected; write the column "
        "as text."
    )


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"index_columns": 3}'])
def test_damaged_metadata_of_pandas_are_a_damaged_table_or_ignored(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.parquet"
    table = pyarrow.Table.from_pandas(made().table, preserve_index=False).replace_schema_metadata({b"pandas": content})
    sentence = refusal_of(path, table)
    assert sentence.startswith(f"{path} is no readable parquet table (")
    assert sentence.endswith("); make it again.")


def test_labels_that_are_no_names_are_a_damaged_label_set(tmp_path: Path) -> None:
    table = pyarrow.Table.from_pandas(made().table, preserve_index=False)
    assert refusal_of(tmp_path / "a.parquet", table.replace_schema_metadata({"emokit.labels": "[1, 2]"})) == (
        f"{tmp_path / 'a.parquet'} has a damaged label set in its metadata ([1, 2] where names were expected); make it again."
    )


def test_metadata_that_are_not_utf_8_are_shown_as_far_as_possible(tmp_path: Path) -> None:
    table = pyarrow.Table.from_pandas(made().table, preserve_index=False)
    pyarrow.parquet.write_table(table.replace_schema_metadata({b"emokit.model": b"a\xff"}), tmp_path / "a.parquet")
    assert predictions.read(tmp_path / "a.parquet").model == "a\ufffd"
    nested = table.replace_schema_metadata({b"emokit.labels": b"[" * 99_999})
    assert refusal_of(tmp_path / "a.parquet", nested).endswith("; make it again.")
