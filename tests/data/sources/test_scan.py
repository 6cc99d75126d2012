"""Finding the files below a root, each once."""

import re
from pathlib import Path

import pytest

from emokit.data.sources.scan import files, matches
from emokit.data.utterance import Dropped


def make(root: Path, **sizes: int) -> None:
    for name, size in sizes.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(f"{path.name}.wav").write_bytes(bytes(size))


def names(root: Path) -> list[str]:
    return [path.as_posix() for path in files(root)]


def test_files_are_sorted_by_depth_and_name(tmp_path: Path) -> None:
    make(tmp_path, b=1, a__z=1, a__a__a=1, a__b=1)
    assert names(tmp_path) == ["b.wav", "a/b.wav", "a/z.wav", "a/a/a.wav"]


def test_suffixes_match_in_any_case_and_other_files_are_ignored(tmp_path: Path) -> None:
    for name in ("a.WAV", "b.Flac", "c.txt", "d.wav.bak", "wav"):
        (tmp_path / name).touch()
    assert names(tmp_path) == ["a.WAV", "b.Flac"]
    assert [path.name for path in files(tmp_path, frozenset({".txt"}))] == ["c.txt"]


def test_files_of_macos_and_hidden_files_are_ignored(tmp_path: Path) -> None:
    for name in ("a.wav", "._a.wav", "__MACOSX/c.wav", ".hidden.wav", ".git/d.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert names(tmp_path) == ["a.wav"]


def test_a_linked_folder_is_not_followed(tmp_path: Path) -> None:
    make(tmp_path / "outside", a=1)
    make(tmp_path / "root", b=1)
    (tmp_path / "root" / "link").symlink_to(tmp_path / "outside", target_is_directory=True)
    assert names(tmp_path / "root") == ["b.wav"]


def test_an_empty_root_has_no_files(tmp_path: Path) -> None:
    assert names(tmp_path) == []
    assert list(matches(tmp_path, re.compile("a"))) == []


@pytest.mark.parametrize(
    ("size", "reason"), [(5, "a copy of a file of the same name"), (6, "another file of the same name")]
)
def test_of_two_files_with_the_same_stem_the_less_nested_one_is_taken(tmp_path: Path, size: int, reason: str) -> None:
    make(tmp_path, x__a1=5, x__x__a1=size)
    (path, match), dropped = matches(tmp_path, re.compile(r"a(\d)"))
    assert (str(path), match[1]) == ("x/a1.wav", "1")
    assert dropped == Dropped("x/x/a1.wav", reason, "taken: x/a1.wav")


def test_the_complete_name_must_match(tmp_path: Path) -> None:
    make(tmp_path, a1=1, a12=1, xa1=1)
    results = list(matches(tmp_path, re.compile(r"a\d")))
    reason = "unknown file name"
    assert results[1:] == [Dropped("a12.wav", reason), Dropped("xa1.wav", reason)]
