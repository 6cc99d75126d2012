"""The hinge: tables that anyone may write, so every way to break the contract has its words."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pyarrow
import pyarrow.parquet
import pytest

from emokit import predictions
from emokit.errors import DataError
from emokit.labels import LABELS

COLUMNS = "utterance_id corpus speaker dialogue split label"
PROBABILITIES = [f"p_{label}" for label in LABELS]


def utterances(**columns: Any) -> pandas.DataFrame:
    table = pandas.DataFrame(
        {
            "utterance_id": ["meld/d1_u0", "emodb/b", "emodb/a"],
            "corpus": ["meld", "emodb", "emodb"],
            "speaker": ["Ross", "03", "08"],
            "dialogue": ["d1", None, None],
            "split": ["test", "dev", "test"],
            "label": ["happy", "angry", "surprise"],
            "text": ["not a column of the contract"] * 3,
        },
        index=[7, 8, 9],
    )
    return table.assign(**columns)


def probabilities() -> np.ndarray:
    values = np.full((3, 7), 0.1)
    values[[0, 1, 2], [3, 0, 1]] = 0.4
    return values


def made(**columns: Any) -> predictions.Predictions:
    return predictions.make(utterances(**columns), probabilities(), model="acrnn", fingerprint="ab")


def test_the_columns_are_those_of_the_contract_and_in_its_order(tmp_path: Path) -> None:
    predictions.write(made(), tmp_path / "dev.parquet")
    schema = pyarrow.parquet.read_schema(tmp_path / "dev.parquet")
    assert schema.names == [*COLUMNS.split(), *PROBABILITIES]
    assert {schema.field(name).type for name in PROBABILITIES} == {pyarrow.float32()}
    assert schema.metadata[b"emokit.model"] == b"acrnn"
    assert schema.metadata[b"emokit.fingerprint"] == b"ab"


def test_what_was_written_is_read_in_the_order_of_the_ids(tmp_path: Path) -> None:
    predictions.write(made(), tmp_path / "dev.parquet")
    read = predictions.read(tmp_path / "dev.parquet")
    assert (read.model, read.fingerprint) == ("acrnn", "ab")
    assert read.table["utterance_id"].tolist() == ["emodb/a", "emodb/b", "meld/d1_u0"]
    assert read.targets.tolist() == [6, 0, 3]
    np.testing.assert_array_equal(read.probabilities, probabilities()[::-1].astype(np.float32))
    assert read.probabilities.dtype == np.float64


def test_rows_stay_beside_their_utterances_whatever_their_index() -> None:
    assert made().table["p_happy"].tolist() == pytest.approx([0.4, 0.1, 0.1])


def test_clusters_are_dialogues_where_there_are_any_and_else_speakers_of_their_corpus() -> None:
    assert made().clusters.tolist() == ["meld/d1", "emodb/03", "emodb/08"]


@pytest.mark.parametrize(
    ("dialogue", "clusters"),
    [
        ([np.nan, np.nan, np.nan], ["meld/Ross", "emodb/03", "emodb/08"]),
        (pandas.array([1, None, None], dtype="Int64"), ["meld/1", "emodb/03", "emodb/08"]),
        (pandas.Categorical(["d1", None, None]), ["meld/d1", "emodb/03", "emodb/08"]),
    ],
)
def test_dialogues_written_elsewhere_may_be_of_any_type(dialogue: Any, clusters: list[str]) -> None:
    assert made(dialogue=dialogue).clusters.tolist() == clusters


def test_a_split_is_its_rows_alone() -> None:
    assert made().of_split("test").table["utterance_id"].tolist() == ["meld/d1_u0", "emodb/a"]
    assert made().of_split("test").probabilities.shape == (2, 7)
    assert len(made().of_split("train").table) == 0


def test_a_table_without_metadata_of_ours_is_read(tmp_path: Path) -> None:
    made().table.to_parquet(tmp_path / "theirs.parquet")
    assert predictions.read(tmp_path / "theirs.parquet").model == "unknown"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"utterance_id": ["a", "b", "a"]}, "has a twice; each utterance_id must stand once."),
        ({"utterance_id": ["a", None, "b"]}, "has a row without an utterance_id; each row must have one."),
        (
            {"label": ["happy", "Angry", "sad"]},
            f"gives emodb/b the label 'Angry'; expected one of {', '.join(LABELS)}.",
        ),
        ({"label": ["happy", "sad", None]}, f"gives emodb/a no label; expected one of {', '.join(LABELS)}."),
        ({"split": ["test", "val", "dev"]}, "gives emodb/b the split 'val'; expected one of train, dev, test."),
        (
            {"p_sad": [0.1, 0.2, 0.1]},
            "gives emodb/b probabilities that sum to 1.1000; each row must sum to 1.",
        ),
        (
            {"p_sad": [0.1, 0.1, np.nan]},
            "gives emodb/a probabilities that are not all numbers of zero or more; each row must sum to 1.",
        ),
        (
            {"p_sad": [-0.1, 0.1, 0.1], "p_fear": [0.3, 0.1, 0.1]},
            "gives meld/d1_u0 probabilities that are not all numbers of zero or more; each row must sum to 1.",
        ),
        (
            {"p_sad": ["x", "y", "z"]},
            "has probabilities that are no numbers (could not convert string to float: 'x'); each row must sum to 1.",
        ),
    ],
)
def test_a_table_that_breaks_the_contract_is_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    path = tmp_path / "theirs.parquet"
    made().table.assign(**changes).to_parquet(path)
    with pytest.raises(DataError) as caught:
        predictions.read(path)
    assert str(caught.value) == f"{path} {words}"


def test_a_missing_column_is_named_with_those_that_must_be_there(tmp_path: Path) -> None:
    path = tmp_path / "theirs.parquet"
    made().table.drop(columns=["dialogue", "p_sad"]).to_parquet(path)
    with pytest.raises(DataError) as caught:
        predictions.read(path)
    assert str(caught.value) == (f"{path} lacks the column dialogue; expected {COLUMNS} {' '.join(PROBABILITIES)}.")


def test_sums_may_be_off_by_what_float32_costs_and_no_more() -> None:
    off = probabilities()
    off[0, 0] += 0.0009
    predictions.make(utterances(), off, model="m", fingerprint="")
    off[0, 0] += 0.0002
    with pytest.raises(DataError) as caught:
        predictions.make(utterances(), off, model="m", fingerprint="")
    assert str(caught.value) == "m gives meld/d1_u0 probabilities that sum to 1.0011; each row must sum to 1."


def test_a_broken_table_is_not_written(tmp_path: Path) -> None:
    broken = made()
    broken.table.loc[0, "label"] = "joy"
    with pytest.raises(DataError):
        predictions.write(broken, tmp_path / "dev.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_and_a_damaged_file_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "dev.parquet"
    with pytest.raises(DataError) as caught:
        predictions.read(path)
    assert str(caught.value) == f"{path} is not there; make it with `emokit predict` or by training a run."
    predictions.write(made(), path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"is no readable parquet table .* make it again\.$"):
        predictions.read(path)
