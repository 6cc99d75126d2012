"""Folders that are no data sets."""

import json
from pathlib import Path

import pytest

from emokit.data.sources.own import hub_folders
from emokit.data.sources.own.hub import describe
from emokit.data.sources.own.hub_folders import check_folder
from emokit.data.sources.own.hub_open import open_dataset
from emokit.errors import DataError, UsageError


def test_an_empty_name_is_not_the_working_folder() -> None:
    for source in ("", "hf:"):
        with pytest.raises(UsageError, match=r"^hf: is neither a folder nor the name of a data set; expected hf:DIR"):
            describe(None, source, {})


def test_a_folder_with_too_many_folders_below_it_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a/b/c/d").mkdir(parents=True)
    hub_folders.check_folder(tmp_path)
    for name, value, many in (("MOST_FOLDERS", 3, "more than 3"), ("MOST_DEPTH", 2, "3 levels of")):
        with monkeypatch.context() as patch:
            patch.setattr(hub_folders, name, value)
            with pytest.raises(UsageError) as error:
                open_dataset(tmp_path, None)
        assert str(error.value) == (
            f"{tmp_path} has {many} folders below it, which no data set has; name the folder that its files are in."
        )


def test_a_prepared_folder_is_named(small_prepared: Path) -> None:
    with pytest.raises(UsageError) as error:
        open_dataset(small_prepared, None)
    assert str(error.value) == (
        f"{small_prepared} is a folder that `emokit prepare` made; train on it with --data {small_prepared}, or prepare what "
        f"`emokit export {small_prepared} --format datasets` writes."
    )


def test_a_split_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train"]}')
    with pytest.raises(DataError) as error:
        open_dataset(tmp_path, None)
    assert str(error.value) == (
        f"{tmp_path}/dataset_dict.json names the split train, and {tmp_path}/train/state.json is not there; copy the whole data "
        "set, or save it again."
    )


@pytest.mark.parametrize("name", ["train.parquet", "train.arrow"])
def test_a_pointer_in_place_of_a_file_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")
    if name.endswith("arrow"):
        (tmp_path / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}]}))
    with pytest.raises(DataError) as error:
        open_dataset(tmp_path, None)
    assert str(error.value) == (
        f"{tmp_path / name} is a pointer of Git LFS in place of the file; fetch the files with `git lfs pull` in its folder."
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("metadata.csv", "metadata.jsonl"),
        ("metadata.jsonl", "metadata.parquet"),
        ("metadata.csv", "train/metadata.jsonl"),
    ],
)
def test_metadata_of_two_formats_are_refused(first: str, second: str, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / first).touch()
    check_folder(tmp_path)
    (tmp_path / second).touch()
    with pytest.raises(UsageError) as refused:
        check_folder(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path} has the metadata files {tmp_path / first} and {tmp_path / second}, of which only one would be read; "
        "put all into one format and delete the other."
    )


@pytest.mark.parametrize("folder", ["/proc", "/sys/class", "/dev", "/proc/self/../1"])
def test_a_folder_of_the_system_is_no_data_set(folder: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_folder(Path(folder))
    assert str(refused.value) == (
        f"{Path(folder)} is a folder of the operating system, where no data are; name the folder that the data are in."
    )
