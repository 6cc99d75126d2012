"""The table of utterances: its contract, reading and writing."""

import os
import re
from pathlib import Path

import pandas
import pyarrow
import pyarrow.parquet
import pytest

from emokit.data.sources.own.tabular import open_table
from emokit.data.utterance import COLUMNS, read_table, write_table
from emokit.errors import DataError
from emokit.labels import DEFAULT_LABELS, LabelSet


def table(*rows: dict[str, object]) -> pandas.DataFrame:
    base = dict.fromkeys(COLUMNS) | {"corpus": "emodb", "label": "angry", "split": "train", "flags": []}
    return pandas.DataFrame([base | row for row in rows])


def test_a_table_is_read_in_the_order_of_its_ids_with_the_types_of_the_contract(tmp_path: Path) -> None:
    rows = [
        {"utterance_id": "meld/b", "turn": 3, "duration_seconds": 1.5, "flags": ["no clip"]},
        {"utterance_id": "emodb/a", "text": "Das will sie am Mittwoch abgeben.", "sample_rate": 16_000},
    ]
    write_table(table(*rows).assign(recording="not in the contract"), DEFAULT_LABELS, tmp_path / "utterances.parquet")
    stored = read_table(tmp_path / "utterances.parquet", DEFAULT_LABELS)
    assert list(stored["utterance_id"]) == ["emodb/a", "meld/b"]
    assert {name: str(kind) for name, kind in stored.dtypes.items()} == COLUMNS
    assert list(stored["turn"]) == [pandas.NA, 3]
    assert [list(flags) for flags in stored["flags"]] == [[], ["no clip"]]
    assert stored["text"].iloc[0] == "Das will sie am Mittwoch abgeben."


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            {"label": "joy"},
            "gives emodb/a the label 'joy'; expected one of angry, disgust, fear, happy, neutral, sad, surprise.",
        ),
        ({"split": "val"}, "gives emodb/a the split 'val'; expected one of train, dev, test."),
    ],
)
def test_an_unknown_label_or_split_is_refused_and_nothing_is_written(
    tmp_path: Path, row: dict[str, object], words: str
) -> None:
    path = tmp_path / "utterances.parquet"
    with pytest.raises(DataError) as error:
        write_table(table({"utterance_id": "emodb/a", **row}), DEFAULT_LABELS, path)
    assert str(error.value) == f"{path} {words}"
    assert list(tmp_path.iterdir()) == []


def test_labels_are_checked_against_the_given_label_set(tmp_path: Path) -> None:
    path = tmp_path / "utterances.parquet"
    write_table(table({"utterance_id": "emodb/a", "label": "joy"}), LabelSet(["joy", "calm"]), path)
    with pytest.raises(DataError) as error:
        read_table(path, LabelSet(["calm", "angry"]))
    assert str(error.value) == f"{path} gives emodb/a the label 'joy'; expected one of calm, angry."


@pytest.mark.parametrize("path", ["/etc/passwd", "../a.wav", "wav/../../a.wav", "wav/..", "C:\\a.wav", "..\\a.wav"])
def test_a_path_that_leads_out_of_its_corpus_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(DataError) as error:
        write_table(table({"utterance_id": "emodb/a", "path": path}), DEFAULT_LABELS, tmp_path / "t")
    assert str(error.value) == (
        f"{tmp_path / 't'} gives emodb/a the path {path!r}; expected one below the root of its corpus: "
        "make it again with `emokit prepare`."
    )


@pytest.mark.parametrize("path", ["wav/03a01Wa.wav", "a..b/...wav", "Actor_01/a b.wav", "wav/a:b.wav"])
def test_a_path_below_its_corpus_is_accepted(tmp_path: Path, path: str) -> None:
    write_table(table({"utterance_id": "emodb/a", "path": path}), DEFAULT_LABELS, tmp_path / "t")
    assert read_table(tmp_path / "t", DEFAULT_LABELS)["path"].tolist() == [path]


def test_a_repeated_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        write_table(table({"utterance_id": "emodb/a"}, {"utterance_id": "emodb/a"}), DEFAULT_LABELS, tmp_path / "t")
    assert str(error.value) == f"{tmp_path / 't'} has the utterance emodb/a twice; make it again with `emokit prepare`."


def test_a_missing_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table({"utterance_id": "emodb/a"}).drop(columns="speaker").to_parquet(path)
    with pytest.raises(DataError) as error:
        read_table(path, DEFAULT_LABELS)
    assert str(error.value) == f"{path} lacks the column speaker; make it again with `emokit prepare`."


def test_a_missing_table_is_refused_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        read_table(tmp_path / "t.parquet", DEFAULT_LABELS)
    assert str(error.value) == f"{tmp_path / 't.parquet'} is not there; make it with `emokit prepare`."


def test_a_truncated_table_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_table(table({"utterance_id": "emodb/a"}), DEFAULT_LABELS, path)
    path.write_bytes(path.read_bytes()[:-100])
    words = rf"{re.escape(str(path))} is no readable parquet table \(.+\); make it again with `emokit prepare`\."
    with pytest.raises(DataError, match=f"^{words}$"):
        read_table(path, DEFAULT_LABELS)


def test_a_table_that_may_not_be_read_is_not_called_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "table.parquet"
    pandas.DataFrame({"text": ["a"]}).to_parquet(path)
    monkeypatch.setattr(os, "access", lambda name, mode: str(name) != str(path))  # the superuser may read everything
    for read in (lambda table: read_table(table, DEFAULT_LABELS), open_table):
        with pytest.raises(DataError) as caught:
            read(path)
        assert str(caught.value) == f"{path} may not be read by you; ask its owner for access."


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        read_table(tmp_path, DEFAULT_LABELS)
    assert str(error.value) == f"{tmp_path} is a folder, not a file; make it with `emokit prepare`."


def test_names_that_are_stored_as_numbers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table({"utterance_id": "emodb/a"}).assign(speaker=3).to_parquet(path)
    with pytest.raises(DataError) as error:
        read_table(path, DEFAULT_LABELS)
    assert str(error.value) == (
        f"{path} has 3 in its column speaker as int64, where text was expected; write the column as text, so that names such "
        "as 03 stay as they are."
    )


@pytest.mark.parametrize(
    ("column", "values", "fault"),
    [
        ("text", [b"caf\xe9 au lait"], "Invalid UTF8"),  # latin-1
        ("duration_seconds", ["long"], "Float64"),
        ("turn", [1.5], "truncated|safely cast"),
    ],
)
def test_a_column_that_does_not_hold_its_type_is_damage(
    tmp_path: Path, column: str, values: list[object], fault: str
) -> None:
    path = tmp_path / "utterances.parquet"
    write_table(table({"utterance_id": "emodb/a"}), DEFAULT_LABELS, path)
    arrow = pyarrow.parquet.read_table(path)
    array = pyarrow.array(values)
    if array.type == pyarrow.binary():
        array = pyarrow.Array.from_buffers(pyarrow.utf8(), 1, array.buffers())
    pyarrow.parquet.write_table(arrow.set_column(arrow.column_names.index(column), column, array), path)
    with pytest.raises(DataError) as error:
        read_table(path, DEFAULT_LABELS)
    what = "is no readable parquet table|has a column of another type than text or number"
    assert re.fullmatch(rf"{path} ({what}) \(.*({fault}).*\); make it again with `emokit prepare`\.", str(error.value))


def test_a_column_twice_of_lists_or_of_another_type_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_table(table({"utterance_id": "emodb/a"}), DEFAULT_LABELS, path)
    whole = pyarrow.parquet.read_table(path)
    lists = pyarrow.array([["a"]], pyarrow.list_(pyarrow.string()))
    words = pyarrow.array(["soon"])
    for changed, sentence in (
        (whole.append_column("label", whole["label"]), "has 2 columns with the name label; rename one of them."),
        (
            whole.drop_columns("speaker").append_column("speaker", lists).replace_schema_metadata(None),
            "has its column speaker as list<element: string>, where text was expected; write the column as text.",
        ),
        (
            whole.drop_columns("turn").append_column("turn", words).replace_schema_metadata(None),
            "has a column of another type than text or number (Failed to parse string: 'soon' as a scalar of type int32: "
            "Error while type casting for column 'turn'); make it again with `emokit prepare`.",
        ),
    ):
        pyarrow.parquet.write_table(changed, path)
        with pytest.raises(DataError) as caught:
            read_table(path, DEFAULT_LABELS)
        assert str(caught.value) == f"{path} {sentence}"


def test_soft_labels_are_stored_only_where_an_utterance_has_one(tmp_path: Path) -> None:
    labels, path = LabelSet(["calm", "cross"]), tmp_path / "utterances.parquet"
    hard = {"utterance_id": "calls/a", "label": "calm"}
    write_table(table(hard | {"soft_label": None}), labels, path)
    assert "soft_label" not in read_table(path, labels)
    write_table(table(hard, hard | {"utterance_id": "calls/b", "soft_label": [0.75, 0.25]}), labels, path)
    stored = read_table(path, labels)["soft_label"]
    assert stored.iloc[0] is None
    assert stored.iloc[1].tolist() == [0.75, 0.25]


@pytest.mark.parametrize("shares", [[0.75], [0.75, 0.5], [1.5, -0.5], [float("nan"), 1.0], ["1", "0"]])
def test_a_soft_label_that_is_no_shares_of_the_labels_is_refused(tmp_path: Path, shares: list[object]) -> None:
    row = {"utterance_id": "calls/a", "label": "calm", "soft_label": shares}
    with pytest.raises(DataError) as error:
        write_table(table(row), LabelSet(["calm", "cross"]), tmp_path / "utterances.parquet")
    assert str(error.value) == (
        f"{tmp_path / 'utterances.parquet'} gives calls/a a soft label that is not 2 shares of 0 or more with the sum 1; "
        "make it again with `emokit prepare`."
    )
