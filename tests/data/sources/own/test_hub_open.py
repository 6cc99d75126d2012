"""Data sets opened: saved ones, folders of tables, folders of recordings."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from datasets import ClassLabel, Features, Value

from emokit.data.sources.own.hub_open import FAULT, open_dataset
from emokit.errors import DataError, UsageError

TEXTS = Features(text=Value("string"), label=ClassLabel(names=["joy", "anger"]))


def test_a_saved_data_set_has_its_splits_and_features(save: Callable[..., Path], tmp_path: Path) -> None:
    folder = save(tmp_path / "data", {"text": ["a"], "label": [0]}, TEXTS, test={"text": ["b", "c"], "label": [1, 0]})
    (folder / "train" / "cache-0123.arrow").write_bytes(b"of an earlier map")
    opened = open_dataset(folder, None)
    assert [(split.name, list(split.rows())) for split in opened.splits] == [
        ("train", [{"text": "a", "label": 0}]),
        ("test", [{"text": "b", "label": 1}, {"text": "c", "label": 0}]),
    ]
    assert opened.splits[0].features == TEXTS


def test_a_split_without_rows_does_not_hide_the_others(save: Callable[..., Path], tmp_path: Path) -> None:
    folder = save(tmp_path / "data", {"text": ["a"], "label": [0]}, TEXTS, test={"text": [], "label": []})
    assert [split.name for split in open_dataset(folder, None).splits] == ["train"]
    (folder / "dataset_dict.json").write_text('{"splits": ["../elsewhere"]}')
    with pytest.raises(DataError) as error:
        open_dataset(folder, None)
    assert str(error.value) == (
        f"{folder}/dataset_dict.json names ../elsewhere, and what it names is beside it; save the data set again."
    )


def test_all_cells_of_a_csv_are_text(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text;label;speaker\nnull;joy;03\n'=x;anger;1\n", encoding="utf-8")
    (split,) = open_dataset(tmp_path, None).splits
    assert list(split.rows()) == [
        {FAULT: "", "text": "null", "label": "joy", "speaker": "03"},
        {FAULT: "", "text": "=x", "label": "anger", "speaker": "1"},
    ]


@pytest.mark.parametrize("metadata", ["", "train", "both"])
def test_a_folder_of_recordings_has_the_columns_of_its_metadata(
    record: Callable[..., Path], tmp_path: Path, metadata: str
) -> None:
    """`metadata.csv` beside the recordings, in one of two splits above them, or in both."""
    splits = [""] if metadata == "" else ["train", "test"]
    paths = {split: record(tmp_path / split / f"{split or 'a'}.wav") for split in splits}
    if metadata == "both":
        rows = "".join(f"{split}/{split}.wav,joy,03\n" for split in splits)
        (tmp_path / "metadata.csv").write_text("file_name,label,speaker\n" + rows)
    else:
        for split, path in paths.items():
            (tmp_path / split / "metadata.csv").write_text(f"file_name,label,speaker\n{path.name},joy,03\n")
    opened = open_dataset(tmp_path, None)
    assert opened.kind == "audiofolder"
    assert {split.name: list(split.rows()) for split in opened.splits} == {
        split or "train": [{FAULT: "", "file_name": str(path), "label": "joy", "speaker": "03"}]
        for split, path in paths.items()
    }


def test_a_row_without_its_recording_is_there_once(record: Callable[..., Path], tmp_path: Path) -> None:
    for split in ("train", "test"):
        record(tmp_path / split / "a.wav")
    (tmp_path / "metadata.csv").write_text("file_name,label\ntrain/none.wav,joy\n")
    rows = [row for split in open_dataset(tmp_path, None).splits for row in split.rows()]
    assert rows == [{FAULT: "", "file_name": "train/none.wav", "label": "joy"}]


def test_what_is_no_data_set_is_named(save: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(DataError) as error:
        open_dataset(tmp_path / "nothing", None)
    assert str(error.value).startswith(f"{tmp_path}/nothing ")
    damaged = save(tmp_path / "damaged", {"text": ["a"], "label": [0]}, TEXTS)
    (damaged / "data-00000-of-00001.arrow").write_bytes(b"no arrow")
    with pytest.raises(DataError, match=r"is no readable data set \(.+\); save it again with `save_to_disk`\.$"):
        list(open_dataset(damaged, None).splits)
    state = json.loads((damaged / "state.json").read_text())
    state["_data_files"][0]["filename"] = "../other.arrow"
    (damaged / "state.json").write_text(json.dumps(state))
    with pytest.raises(DataError) as outside:
        open_dataset(damaged, None)
    assert str(outside.value) == (
        f"{damaged}/state.json names ../other.arrow, and what it names is beside it; save the data set again."
    )


def test_a_readme_cannot_name_files_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("text,label\na,joy\n")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "train.csv").write_text("text,label\na,joy\n")
    (folder / "README.md").write_text("---\nconfigs:\n- config_name: default\n  data_files: ../secret.csv\n---\n")
    with pytest.raises(
        DataError, match=r"secret\.csv as one of its files, which is outside of it; correct its README\.md\.$"
    ):
        open_dataset(folder, None)


def test_one_of_several_configurations_is_to_be_named(tmp_path: Path) -> None:
    for name in ("de", "en"):
        (tmp_path / f"{name}.csv").write_text("text,label\na,joy\n")
    configs = "".join(f"- config_name: {name}\n  data_files: {name}.csv\n" for name in ("de", "en"))
    (tmp_path / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    with pytest.raises(UsageError) as error:
        open_dataset(tmp_path, None)
    assert str(error.value) == (
        f"{tmp_path} has several configurations, it has de, en; name one of them after a colon, such as {tmp_path}:de."
    )
    with pytest.raises(UsageError) as unknown:
        open_dataset(tmp_path, None, "fr")
    assert str(unknown.value).startswith(f"{tmp_path} has no configuration fr, it has de, en; ")
    assert len(open_dataset(tmp_path, None, "de").splits) == 1


def test_other_formats_are_refused(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("a\n")
    with pytest.raises(UsageError) as error:
        open_dataset(tmp_path, None)
    assert str(error.value) == (
        f"{tmp_path} is a data set of the kind text, and arrow, audiofolder, csv, json, parquet are read; "
        "load it with `datasets`, and save it with `save_to_disk`."
    )
