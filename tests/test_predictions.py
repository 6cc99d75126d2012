"""Tables of predictions, which any program may write: every violation of the contract has its sentence."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pyarrow
import pyarrow.parquet
import pytest

from emokit import predictions
from emokit.errors import DataError
from emokit.labels import DEFAULT_LABELS, LabelSet

COLUMNS = "utterance_id corpus speaker dialogue split label"
PROBABILITIES = [f"p_{label}" for label in DEFAULT_LABELS]
LEVELS = LabelSet(["low", "medium", "high"])


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
    table = utterances(**columns)
    return predictions.make(table, probabilities(), labels=DEFAULT_LABELS, model="acrnn", fingerprint="ab")


def with_levels() -> predictions.Predictions:
    """Predictions of another label set than the default."""
    table = utterances(label=["high", "low", "medium"])
    values = np.array([[0.1, 0.1, 0.8], [0.5, 0.25, 0.25], [0.2, 0.6, 0.2]])
    return predictions.make(table, values, labels=LEVELS, model="m", fingerprint="")


def test_the_columns_are_those_of_the_contract_and_in_its_order(tmp_path: Path) -> None:
    predictions.write(made(), tmp_path / "dev.parquet")
    schema = pyarrow.parquet.read_schema(tmp_path / "dev.parquet")
    assert schema.names == [*COLUMNS.split(), *PROBABILITIES]
    assert {schema.field(name).type for name in PROBABILITIES} == {pyarrow.float32()}
    assert schema.metadata[b"emokit.model"] == b"acrnn"
    assert schema.metadata[b"emokit.fingerprint"] == b"ab"
    assert json.loads(schema.metadata[b"emokit.labels"]) == list(DEFAULT_LABELS)


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


def test_clusters_are_dialogues_if_there_are_any_and_else_speakers_per_corpus() -> None:
    assert made().clusters.tolist() == ["meld/d1", "emodb/03", "emodb/08"]


@pytest.mark.parametrize(
    ("dialogue", "clusters"),
    [
        ([np.nan, np.nan, np.nan], ["meld/Ross", "emodb/03", "emodb/08"]),
        (pandas.array([1, None, None], dtype="Int64"), ["meld/1", "emodb/03", "emodb/08"]),
        (pandas.Categorical(["d1", None, None]), ["meld/d1", "emodb/03", "emodb/08"]),
    ],
)
def test_dialogues_of_other_programs_may_have_any_type(dialogue: Any, clusters: list[str]) -> None:
    assert made(dialogue=dialogue).clusters.tolist() == clusters


def test_a_split_has_its_rows_only() -> None:
    assert made().of_split("test").table["utterance_id"].tolist() == ["meld/d1_u0", "emodb/a"]
    assert made().of_split("test").probabilities.shape == (2, 7)
    assert len(made().of_split("train").table) == 0


def test_another_label_set_is_written_and_read(tmp_path: Path) -> None:
    predictions.write(with_levels(), tmp_path / "levels.parquet")
    read = predictions.read(tmp_path / "levels.parquet")
    assert isinstance(read.labels, LabelSet)
    assert read.labels == LEVELS
    assert read.targets.tolist() == [1, 0, 2]
    assert read.probabilities[2] == pytest.approx([0.1, 0.1, 0.8])
    assert pyarrow.parquet.read_schema(tmp_path / "levels.parquet").names == [*COLUMNS.split(), *LEVELS.columns]


def test_a_table_without_metadata_has_the_label_set_of_its_columns_in_their_order(tmp_path: Path) -> None:
    table = with_levels().table
    table[[*COLUMNS.split(), "p_high", "p_low", "p_medium"]].to_parquet(tmp_path / "other.parquet")
    read = predictions.read(tmp_path / "other.parquet")
    assert (read.model, read.fingerprint) == ("unknown", "")
    assert read.labels == ("high", "low", "medium")
    assert read.probabilities[0] == pytest.approx([0.8, 0.1, 0.1])


def test_a_label_outside_the_label_set_of_the_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.parquet"
    with_levels().table.assign(label=["high", "happy", "low"]).to_parquet(path)
    with pytest.raises(DataError) as caught:
        predictions.read(path)
    assert str(caught.value) == f"{path} gives emodb/b the label 'happy'; expected one of low, medium, high."


@pytest.mark.parametrize(
    ("stored", "sentence"),
    [
        (None, "has 1 columns of probabilities (p_<label>); expected one for each of two or more labels."),
        ('["high", "high"]', "has a damaged label set in its metadata (The label set names high twice; name each label once); "
                             "make it again."),
        ('["medium", "low"]', "has the class high, which its label set lacks; expected medium low."),
    ],
)  # fmt: skip
def test_a_table_without_a_usable_label_set_is_refused(stored: str | None, sentence: str) -> None:
    table = with_levels().table.drop(columns=["p_low", "p_medium"])
    with pytest.raises(DataError) as caught:
        predictions.label_set_of(table, "other.parquet", stored.encode() if stored else None)
    assert str(caught.value) == f"other.parquet {sentence}"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"utterance_id": ["a", "b", "a"]}, "has a twice; each utterance_id must be unique."),
        ({"utterance_id": ["a", None, "b"]}, "has a row without an utterance_id; each row must have one."),
        (
            {"label": ["happy", "Angry", "sad"]},
            f"gives emodb/b the label 'Angry'; expected one of {', '.join(DEFAULT_LABELS)}.",
        ),
        ({"label": ["happy", "sad", None]}, f"gives emodb/a no label; expected one of {', '.join(DEFAULT_LABELS)}."),
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
    path = tmp_path / "other.parquet"
    made().table.assign(**changes).to_parquet(path)
    with pytest.raises(DataError) as caught:
        predictions.read(path)
    assert str(caught.value) == f"{path} {words}"


def test_a_missing_column_is_named_with_all_expected_columns(tmp_path: Path) -> None:
    path = tmp_path / "dev.parquet"
    table = made().table.drop(columns=["dialogue", "p_sad"])
    with pytest.raises(DataError) as caught:
        predictions.check(table, DEFAULT_LABELS, str(path))
    assert str(caught.value) == f"{path} lacks the column dialogue; expected {COLUMNS} {' '.join(PROBABILITIES)}."
    predictions.write(made(), path)
    metadata = pyarrow.parquet.read_schema(path).metadata
    lacking = pyarrow.parquet.read_table(path).drop_columns(["p_sad"]).replace_schema_metadata(metadata)
    pyarrow.parquet.write_table(lacking, path)
    with pytest.raises(DataError) as caught:
        predictions.read(path)
    assert str(caught.value) == f"{path} lacks the column p_sad; expected {COLUMNS} {' '.join(PROBABILITIES)}."


def test_sums_may_differ_from_one_by_the_rounding_of_float32_only() -> None:
    off = probabilities()
    off[0, 0] += 0.0009
    predictions.make(utterances(), off, labels=DEFAULT_LABELS, model="m", fingerprint="")
    off[0, 0] += 0.0002
    with pytest.raises(DataError) as caught:
        predictions.make(utterances(), off, labels=DEFAULT_LABELS, model="m", fingerprint="")
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
    assert str(caught.value) == f"{path} does not exist; make it with `emokit predict` or by training a run."
    predictions.write(made(), path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"is no readable parquet table .* make it again\.$"):
        predictions.read(path)


@pytest.mark.parametrize(
    ("column", "values", "described"),
    [
        ("speaker", [3, 3, 8], "3 in its column speaker as int64"),
        ("dialogue", [1.0, np.nan, np.nan], "1.0 in its column dialogue as float64"),
        ("utterance_id", [7, 8, 9], "7 in its column utterance_id as int64"),
    ],
)
def test_names_that_are_stored_as_numbers_are_refused(
    tmp_path: Path, column: str, values: list[float], described: str
) -> None:
    path = tmp_path / "dev.parquet"
    predictions.write(made(), path)
    pandas.read_parquet(path).assign(**{column: values}).to_parquet(path)
    with pytest.raises(DataError) as error:
        predictions.read(path)
    assert str(error.value) == (
        f"{path} has {described}, where text was expected; write the column as text, so that names such as 03 stay as they are."
    )


def test_names_may_be_categories_or_missing(tmp_path: Path) -> None:
    path = tmp_path / "dev.parquet"
    predictions.write(made(), path)
    table = pandas.read_parquet(path).assign(dialogue=np.nan)
    table.assign(speaker=table["speaker"].astype("category")).to_parquet(path)
    assert predictions.read(path).table["speaker"].tolist() == ["08", "03", "Ross"]


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        predictions.read(tmp_path)
    assert str(error.value) == (
        f"{tmp_path} is a folder, not a file; make it with `emokit predict` or by training a run."
    )


@pytest.mark.parametrize(("name", "separator"), [("a.csv", ","), ("a.tsv", "\t")])
def test_a_table_of_text_has_the_same_columns_and_digits(tmp_path: Path, name: str, separator: str) -> None:
    predictions.write(made(speaker=["=1+1", "03", "08"]), tmp_path / name)
    predictions.write(made(), tmp_path / "a.parquet")
    text = pandas.read_csv(tmp_path / name, sep=separator, dtype={"speaker": str, "dialogue": str})
    typed = pandas.read_parquet(tmp_path / "a.parquet")
    assert list(text) == list(typed)
    assert text["utterance_id"].tolist() == typed["utterance_id"].tolist()
    assert text["speaker"].tolist() == ["08", "03", "'=1+1"]
    assert text["dialogue"].isna().tolist() == [True, True, False]
    assert (text[PROBABILITIES].astype("float32").to_numpy() == typed[PROBABILITIES].to_numpy()).all()


def test_a_folder_whose_name_begins_with_a_tilde_is_no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("~root") / "dev.parquet"
    predictions.write(made(), path)
    assert (tmp_path / "~root" / "dev.parquet").is_file()
    assert len(predictions.read(path).table) == 3


def test_bytes_that_are_no_text_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "test.parquet"
    predictions.write(made(), path)
    arrow = pyarrow.parquet.read_table(path)
    latin = pyarrow.array([b"J\xfcrgen", b"03", b"08"])
    speaker = pyarrow.Array.from_buffers(pyarrow.utf8(), 3, latin.buffers())
    pyarrow.parquet.write_table(arrow.set_column(2, "speaker", speaker), path)
    with pytest.raises(DataError, match=r"is no readable parquet table \(.*Invalid UTF8.*\); make it again\.$"):
        predictions.read(path)
