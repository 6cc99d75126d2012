"""Folders named by labels."""

from pathlib import Path
from typing import Any

import pytest

from emokit.data.sources.own.class_folders import IN_NO_FOLDER, NO_SPEAKERS, read
from emokit.data.sources.scan import NOT_AUDIO
from emokit.data.sources.tree import Skipped
from emokit.data.utterance import Dropped, Remark, Utterance
from emokit.errors import DataError


def tree(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


def entries(root: Path, kind: type) -> list[Any]:
    return [entry for entry in read(root, {"corpus": "calls"}) if isinstance(entry, kind)]


def test_the_label_is_the_first_folder(tmp_path: Path) -> None:
    tree(tmp_path, "happy/a.wav", "sad/deep/b.MP3", "c.wav", "sad/notes.txt")
    assert entries(tmp_path, Utterance) == [
        Utterance("calls/a", "calls", "happy/a.wav", "a", "happy"),
        Utterance("calls/b", "calls", "sad/deep/b.MP3", "b", "sad"),
    ]
    assert entries(tmp_path, Dropped) == [Dropped("c.wav", IN_NO_FOLDER)]
    assert entries(tmp_path, Skipped) == [Skipped("sad/notes.txt", NOT_AUDIO)]
    assert entries(tmp_path, Remark) == [Remark(NO_SPEAKERS)]


def test_below_folders_of_splits_the_label_is_the_second(tmp_path: Path) -> None:
    tree(tmp_path, "train/happy/a.wav", "val/happy/a.wav", "test/sad/b.wav")
    assert [(u.utterance_id, u.split, u.raw_label) for u in entries(tmp_path, Utterance)] == [
        ("calls/test/sad/b", "test", "sad"),
        ("calls/train/happy/a", "train", "happy"),
        ("calls/val/happy/a", "dev", "happy"),
    ]
    assert Remark("of the folders, val counts as dev") in entries(tmp_path, Remark)


def test_folders_of_labels_without_a_recording_are_named(tmp_path: Path) -> None:
    words = "no audio file in {}: no utterance has the label of such a folder"
    tree(tmp_path / "a", "happy/a.wav", "sad/notes.txt", ".git/config")
    (tmp_path / "a/fear").mkdir()
    assert entries(tmp_path / "a", Remark)[1:] == [Remark(words.format("fear, sad"))]
    tree(tmp_path / "b", "train/happy/a.wav", "test/happy/b.wav")
    (tmp_path / "b/test/sad").mkdir()
    assert entries(tmp_path / "b", Remark)[1:] == [Remark(words.format("test/sad"))]


@pytest.mark.parametrize("paths", [("train/a.wav", "test/b.wav"), ("train/x/a.wav", "happy/x/b.wav")])
def test_other_folders_are_labels_though_they_are_named_like_splits(tmp_path: Path, paths: tuple[str, ...]) -> None:
    tree(tmp_path, *paths)
    labels = sorted(path.partition("/")[0] for path in paths)
    assert sorted(u.raw_label for u in entries(tmp_path, Utterance)) == labels


@pytest.mark.parametrize(("paths", "content"), [(("a.wav",), "1 audio file"), (("x/a.txt",), "no audio files")])
def test_recordings_in_no_folder_of_a_label_are_refused(tmp_path: Path, paths: tuple[str, ...], content: str) -> None:
    tree(tmp_path, *paths)
    with pytest.raises(DataError) as error:
        entries(tmp_path, Utterance)
    assert str(error.value) == (
        f"calls: {tmp_path} holds {content} and none in a folder of a label, such as happy/a.wav; "
        "sort them into such folders, or name a table of labels as NAME=FILE."
    )
