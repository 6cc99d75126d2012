"""Paths in a table: below the root, or refused."""

import os
from pathlib import Path

import pytest

from emokit.data.sources.own.paths import NOT_THERE, OUT_OF_ROOT, Root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "audio" / "a").mkdir(parents=True)
    (tmp_path / "audio" / "a" / "1.wav").touch()
    (tmp_path / "secret.wav").touch()
    return tmp_path / "audio"


@pytest.mark.parametrize(
    ("cell", "path", "fault"),
    [
        ("a/1.wav", "a/1.wav", ""),
        ("./a//1.wav", "a/1.wav", ""),
        ("a\\1.wav", "a/1.wav", ""),
        ("{root}/a/1.wav", "a/1.wav", ""),
        ("a/2.wav", "", NOT_THERE),
        ("a", "", NOT_THERE),
        ("a/1.wav\0", "", NOT_THERE),
        ("../secret.wav", "", OUT_OF_ROOT),
        ("a/../../secret.wav", "", OUT_OF_ROOT),
        ("..\\secret.wav", "", OUT_OF_ROOT),
        ("{root}/../secret.wav", "", OUT_OF_ROOT),
        ("{root}2/a.wav", "", OUT_OF_ROOT),
        ("/etc/passwd", "", OUT_OF_ROOT),
        ("C:\\a\\1.wav", "", OUT_OF_ROOT),
    ],
)
def test_a_path_is_relative_to_the_root_or_has_a_fault(root: Path, cell: str, path: str, fault: str) -> None:
    assert Root(root).relative(cell.format(root=root)) == (path, fault)


def test_an_absolute_path_below_a_linked_root_is_relative_to_it(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    assert Root(tmp_path / "link").relative(f"{root.resolve()}/a/1.wav") == ("a/1.wav", "")


def test_a_link_below_the_root_is_followed_as_in_the_folder_of_a_corpus(root: Path, tmp_path: Path) -> None:
    (root / "b.wav").symlink_to(tmp_path / "secret.wav")
    assert Root(root).relative("b.wav") == ("b.wav", "")


def test_a_pipe_is_no_recording(root: Path) -> None:
    os.mkfifo(root / "pipe.wav")
    assert Root(root).relative("pipe.wav") == ("", NOT_THERE)


@pytest.mark.parametrize(
    ("cell", "there"), [("x/1.wav", "a/1.wav"), ("1", "a/1.wav"), ("x\\1.WAV", "a/1.wav"), ("9.wav", "")]
)
def test_a_file_of_the_same_name_is_proposed(root: Path, cell: str, there: str) -> None:
    assert Root(root).hint(cell) == there
