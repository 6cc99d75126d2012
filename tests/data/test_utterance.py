"""The contract of the table of utterances."""

import re
from pathlib import Path

import pandas
import pytest

from emokit.data.utterance import COLUMNS, read_table, write_table
from emokit.errors import DataError


def table(*rows: dict[str, object]) -> pandas.DataFrame:
    base = dict.fromkeys(COLUMNS) | {"corpus": "emodb", "label": "angry", "split": "train", "flags": []}
    return pandas.DataFrame([base | row for row in rows])


def test_a_table_comes_back_in_the_order_of_its_ids_with_the_types_of_the_contract(tmp_path: Path) -> None:
    rows = [
        {"utterance_id": "meld/b", "turn": 3, "duration_seconds": 1.5, "flags": ["no clip"]},
        {"utterance_id": "emodb/a", "text": "Das will sie am Mittwoch abgeben.", "sample_rate": 16_000},
    ]
    write_table(table(*rows).assign(recording="not of the contract"), tmp_path / "utterances.parquet")
    back = read_table(tmp_path / "utterances.parquet")
    assert list(back["utterance_id"]) == ["emodb/a", "meld/b"]
    assert {name: str(kind) for name, kind in back.dtypes.items()} == COLUMNS
    assert list(back["turn"]) == [pandas.NA, 3]
    assert [list(flags) for flags in back["flags"]] == [[], ["no clip"]]
    assert back["text"].iloc[0] == "Das will sie am Mittwoch abgeben."


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
def test_a_label_or_split_out_of_the_contract_is_named_and_nothing_is_written(
    tmp_path: Path, row: dict[str, object], words: str
) -> None:
    path = tmp_path / "utterances.parquet"
    with pytest.raises(DataError) as error:
        write_table(table({"utterance_id": "emodb/a", **row}), path)
    assert str(error.value) == f"{path} {words}"
    assert list(tmp_path.iterdir()) == []


def test_a_repeated_id_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        write_table(table({"utterance_id": "emodb/a"}, {"utterance_id": "emodb/a"}), tmp_path / "t")
    assert str(error.value) == f"{tmp_path / 't'} has the utterance emodb/a twice; make it again with `emokit prepare`."


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table({"utterance_id": "emodb/a"}).drop(columns="speaker").to_parquet(path)
    with pytest.raises(DataError) as error:
        read_table(path)
    assert str(error.value) == f"{path} lacks the column speaker; make it again with `emokit prepare`."


def test_a_missing_table_says_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        read_table(tmp_path / "t.parquet")
    assert str(error.value) == f"{tmp_path / 't.parquet'} is not there; make it with `emokit prepare`."


def test_a_table_cut_short_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_table(table({"utterance_id": "emodb/a"}), path)
    path.write_bytes(path.read_bytes()[:-100])
    words = rf"{re.escape(str(path))} is damaged \(.+\); make it again with `emokit prepare`\."
    with pytest.raises(DataError, match=f"^{words}$"):
        read_table(path)
