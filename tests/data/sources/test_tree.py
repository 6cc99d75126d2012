"""Listing the files below a folder in one pass."""

import os
from pathlib import Path

import pytest

from emokit.data.sources.tree import Skipped, walk
from emokit.errors import DataError, UsageError


def make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def listed(root: Path) -> tuple[list[str], dict[str, str]]:
    """The files below a root, and what is skipped, with its reason."""
    skipped: list[Skipped] = []
    paths = sorted(path for path, _ in walk(root, skipped))
    assert len({item.path for item in skipped}) == len(skipped)
    return paths, {item.path: item.reason for item in skipped}


def test_every_file_is_listed_and_what_is_hidden_is_named(tmp_path: Path) -> None:
    make(tmp_path, "a.wav", "x/b.wav", "x/y/c.txt", ".d", "x/.git/e", "__MACOSX/f", "._g.wav")
    assert listed(tmp_path) == (
        ["a.wav", "x/b.wav", "x/y/c.txt"],
        {".d": "hidden", "x/.git": "hidden", "._g.wav": "hidden", "__MACOSX": "a folder of macOS"},
    )
    assert {entry.name for _, entry in walk(tmp_path)} == {"a.wav", "b.wav", "c.txt"}


def test_links_to_files_and_folders_are_followed_inside_and_outside_of_the_root(tmp_path: Path) -> None:
    make(tmp_path / "cache", "blob", "train/a.wav", "train/x/b.wav")
    root = make(tmp_path / "root", "c.wav")
    (root / "d.wav").symlink_to(tmp_path / "cache" / "blob")
    (root / "split").symlink_to(tmp_path / "cache" / "train", target_is_directory=True)
    (root / "e.wav").symlink_to("c.wav")
    assert listed(root) == (["c.wav", "d.wav", "e.wav", "split/a.wav", "split/x/b.wav"], {})


def test_loops_of_links_are_noticed(tmp_path: Path) -> None:
    root = make(tmp_path / "root", "x/a.wav")
    (root / "up").symlink_to(root, target_is_directory=True)
    (root / "x" / "above").symlink_to(tmp_path, target_is_directory=True)
    (root / "itself").symlink_to("itself")
    make(tmp_path / "far", "b.wav")
    (root / "far").symlink_to(tmp_path / "far", target_is_directory=True)
    (tmp_path / "far" / "back").symlink_to(root / "far", target_is_directory=True)
    loop = "a link back to a folder that it is in"
    assert listed(root) == (
        ["far/b.wav", "x/a.wav"],
        {"up/": loop, "x/above/": loop, "far/back/": loop, "itself": "a broken link"},
    )


def test_a_folder_that_many_links_lead_to_is_listed_once_under_its_own_path(tmp_path: Path) -> None:
    root = make(tmp_path / "root", "z/a.wav")
    (root / "b").symlink_to("z", target_is_directory=True)
    (root / "c").symlink_to("b", target_is_directory=True)
    again = "a folder that is listed under another name"
    assert listed(root) == (["z/a.wav"], {"b/": again, "c/": again})
    folders = [make(tmp_path / f"n{number}", "a.wav") for number in range(8)]
    for folder in folders:  # every path through them, without repeats, would be 8! long lists
        for other in folders:
            (folder / f"to-{other.name}").symlink_to(other, target_is_directory=True)
    paths, skipped = listed(folders[0])
    assert len(paths) == 8
    assert len(skipped) == 64 - 7


def test_what_is_no_regular_file_is_named_and_not_opened(tmp_path: Path) -> None:
    root = make(tmp_path / "root", "a.wav")
    os.mkfifo(root / "pipe.wav")
    (root / "to-pipe.wav").symlink_to("pipe.wav")
    (root / "null.wav").symlink_to("/dev/null")
    (root / "gone.wav").symlink_to("nowhere")
    no_file = "a pipe, socket or device, not a file"
    assert listed(root) == (
        ["a.wav"],
        {"pipe.wav": no_file, "to-pipe.wav": no_file, "null.wav": no_file, "gone.wav": "a broken link"},
    )


def test_a_linked_folder_that_cannot_be_read_is_named_and_the_rest_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "far", "b.wav")
    root = make(tmp_path / "root", "a.wav")
    (root / "far").symlink_to(tmp_path / "far", target_is_directory=True)
    forbid(monkeypatch, "far")
    assert listed(root) == (["a.wav"], {"far/": "a linked folder that cannot be read (Permission denied)"})


def forbid(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Make a folder unreadable; a mode of 0 has no effect for root."""
    scandir = os.scandir

    def forbidden(path: Path) -> object:
        if Path(path).name == name:
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbidden)


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").mkdir()
    forbid(monkeypatch, "x")
    with pytest.raises(DataError) as error:
        list(walk(tmp_path))
    assert str(error.value) == f"The folder {tmp_path / 'x'} cannot be read (Permission denied); check its permissions."


def test_folders_of_the_system_are_not_walked(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        list(walk(Path("/proc")))
    assert str(refused.value) == (
        "/proc is a folder of the operating system, where no data are; name the folder that the data are in."
    )
    (tmp_path / "system").symlink_to("/sys")
    (tmp_path / "a.wav").touch()
    skipped: list[Skipped] = []
    assert [path for path, _ in walk(tmp_path, skipped)] == ["a.wav"]
    assert skipped == [Skipped("system/", "a folder of the operating system")]
