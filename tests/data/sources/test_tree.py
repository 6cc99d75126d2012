"""Listing the files below a folder in one pass."""

import os
from pathlib import Path

import pytest

from emokit.data.sources.tree import walk
from emokit.errors import DataError


def test_every_file_is_listed_but_those_that_are_hidden_or_in_linked_folders(tmp_path: Path) -> None:
    for name in ("a.wav", "x/b.wav", "x/y/c.txt", ".d", "x/.git/e", "__MACOSX/f", "._g.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "cycle").symlink_to(tmp_path, target_is_directory=True)
    assert sorted(path for path, _ in walk(tmp_path)) == ["a.wav", "x/b.wav", "x/y/c.txt"]
    assert {entry.name for _, entry in walk(tmp_path)} == {"a.wav", "b.wav", "c.txt"}


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").mkdir()
    scandir = os.scandir

    def forbidden(path: Path) -> object:  # a mode of 0 has no effect for root
        if Path(path).name == "x":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbidden)
    with pytest.raises(DataError) as error:
        list(walk(tmp_path))
    assert str(error.value) == f"The folder {tmp_path / 'x'} cannot be read (Permission denied); check its permissions."
