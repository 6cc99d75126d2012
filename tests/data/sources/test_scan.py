"""Finding the files below a root, each once."""

import contextlib
import re
from pathlib import Path

import av
import pytest

from emokit.data.sources.scan import AUDIO_SUFFIXES, files, matches
from emokit.data.sources.tree import Skipped
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


def test_a_linked_folder_is_followed(tmp_path: Path) -> None:
    make(tmp_path / "outside", a=1)
    make(tmp_path / "root", b=1)
    (tmp_path / "root" / "link").symlink_to(tmp_path / "outside", target_is_directory=True)
    assert names(tmp_path / "root") == ["b.wav", "link/a.wav"]


def test_all_that_is_skipped_has_a_reason(tmp_path: Path) -> None:
    for name in ("a.wav", "b.txt", ".c.wav", "x/d"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    skipped: list[Skipped] = []
    assert [path.as_posix() for path in files(tmp_path, skipped=skipped)] == ["a.wav"]
    no_audio = "no ending of an audio or video file"
    assert {item.path: item.reason for item in skipped} == {"b.txt": no_audio, ".c.wav": "hidden", "x/d": no_audio}


def test_every_audio_suffix_belongs_to_a_format_that_a_decoder_reads() -> None:
    of_ffmpeg: set[str] = set()
    for name in av.formats_available:
        with contextlib.suppress(ValueError):  # it only writes that format
            of_ffmpeg |= {f".{ending}" for ending in av.format.ContainerFormat(name, "r").extensions}
    of_libsndfile = {
        ".caf",
        ".aif",
        ".aifc",
        ".au",
        ".nist",
        ".oga",
        ".rf64",
        ".sf",
        ".snd",
        ".sph",
        ".voc",
        ".w64",
        ".wav",
        ".wave",
    }
    # Names of formats that FFmpeg detects by content: Matroska, MPEG, AMR, ASF, RealMedia, WavPack, Ogg, WebM.
    by_content = {
        ".3g2", ".amr", ".asf", ".avi", ".m2ts", ".m4r", ".mkv", ".mov", ".mpeg", ".mpg", ".mpga", ".mts", ".ogv", ".opus", ".ra",
        ".rm", ".rmvb", ".spx", ".ts", ".vob", ".weba", ".wma", ".wmv", ".wv", ".aiff",
    }  # fmt: skip
    assert AUDIO_SUFFIXES - of_ffmpeg - of_libsndfile - by_content == set()
    assert {".caf", ".flac", ".m4a", ".mka", ".mkv", ".mov", ".mp3", ".ogg", ".opus", ".webm"} <= AUDIO_SUFFIXES
    assert not AUDIO_SUFFIXES & {".txt", ".csv", ".tsv", ".json", ".png", ".jpg", ".srt", ".zip"}


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


def test_the_key_says_which_names_are_one_utterance(tmp_path: Path) -> None:
    make(tmp_path, a1=5, x__a1x=5)
    by_name = list(matches(tmp_path, re.compile(r"(a\d)x?")))
    assert [str(item[0]) for item in by_name if not isinstance(item, Dropped)] == ["a1.wav", "x/a1x.wav"]
    one, dropped = matches(tmp_path, re.compile(r"(a\d)x?"), key=lambda name: name[1], renamed="a longer name")
    assert not isinstance(one, Dropped)
    assert dropped == Dropped("x/a1x.wav", "a longer name", "taken: a1.wav")
