"""Which of several files of one utterance is taken, and why the others are not."""

from pathlib import Path, PurePosixPath

import numpy
import pytest
import soundfile

from emokit.data.sources.duplicates import left_out
from emokit.data.utterance import Dropped


def write(root: Path, name: str, rate: int = 48_000, seed: int = 0, subtype: str = "PCM_16", channels: int = 1) -> None:
    """Write 0.05 s of noise; the seed determines it."""
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    noise = numpy.random.default_rng(seed).uniform(-0.5, 0.5, (rate // 20, channels))
    soundfile.write(root / name, noise, rate, subtype=subtype)


def dropped(root: Path, **options: bool) -> list[Dropped]:
    """What is left out of all files below a root, whose stems are their keys."""
    paths = sorted(
        (PurePosixPath(path.relative_to(root).as_posix()) for path in root.rglob("*") if path.is_file()),
        key=lambda path: (len(path.parts), path),
    )
    return list(left_out(root, ((path.stem, path) for path in paths), **options).values())


def test_copies_are_told_by_content_and_not_by_size(tmp_path: Path) -> None:
    for name, content in {"a.wav": b"one", "x/a.wav": b"one", "y/a.wav": b"two"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert dropped(tmp_path) == [
        Dropped("x/a.wav", "a copy of a file of the same name", "taken: a.wav"),
        Dropped("y/a.wav", "another file of the same name", "taken: a.wav"),
    ]


def test_of_different_files_the_one_with_the_sample_rate_of_the_corpus_is_taken(tmp_path: Path) -> None:
    """The dump of RAVDESS: the tree twice, some of the outer files altered."""
    for number in range(9):
        write(tmp_path, f"inner/{number}.wav", seed=number)
        write(tmp_path, f"{number}.wav", rate=22_050 if number in (3, 5) else 48_000, seed=number)
    unlike = "another file of the same name, unlike the rest of the corpus"
    details = " (.wav, 48000 Hz, PCM_16, 1 channel); this one: .wav, 22050 Hz, PCM_16, 1 channel"
    copy = "a copy of a file of the same name"
    assert sorted(dropped(tmp_path), key=lambda item: item.name) == [
        *[Dropped(f"{n}.wav", unlike, f"taken: inner/{n}.wav{details}") for n in (3, 5)],
        *[Dropped(f"inner/{n}.wav", copy, f"taken: {n}.wav") for n in range(9) if n not in (3, 5)],
    ]


@pytest.mark.parametrize("odd", [{"subtype": "FLOAT"}, {"channels": 2}])
def test_of_different_files_at_one_rate_the_format_of_the_corpus_decides(tmp_path: Path, odd: dict) -> None:
    for number in range(4):
        write(tmp_path, f"{number}.wav", seed=number)
    write(tmp_path, "0.wav", seed=0, **odd)
    write(tmp_path, "inner/0.wav", seed=0)
    [left] = dropped(tmp_path)
    assert (left.name, left.reason) == ("0.wav", "another file of the same name, unlike the rest of the corpus")
    assert left.detail.startswith("taken: inner/0.wav (.wav, 48000 Hz, PCM_16, 1 channel); this one: ")


def test_a_file_that_cannot_be_used_is_not_taken(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path, f"{number}.wav", seed=number)
        write(tmp_path, f"inner/{number}.wav", rate=16_000, seed=number)
    whole = (tmp_path / "1.wav").read_bytes()
    (tmp_path / "1.wav").write_bytes(whole[: len(whole) // 2])
    (left,) = (item for item in dropped(tmp_path) if PurePosixPath(item.name).stem == "1")
    reason = "another file of the same name, which cannot be used"
    assert left == Dropped("1.wav", reason, "taken: inner/1.wav; this one is truncated")


def test_where_nothing_decides_the_first_is_taken_and_uncompressed_audio_before_others(tmp_path: Path) -> None:
    write(tmp_path, "a.wav", seed=1)
    write(tmp_path, "x/a.wav", seed=2)
    for number in range(2):
        write(tmp_path, f"b{number}.flac", seed=3)
        write(tmp_path, f"x/b{number}.wav", seed=3)
    other = "another file of the same name"
    assert dropped(tmp_path) == [
        Dropped("x/a.wav", other, "taken: a.wav"),
        Dropped("b0.flac", other, "taken: x/b0.wav"),
        Dropped("b1.flac", other, "taken: x/b1.wav"),
    ]


def test_of_different_tables_the_first_is_taken(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    for name in ("a.csv", "x/a.csv"):
        (tmp_path / name).write_text(name)
    expected = [Dropped("x/a.csv", "another file of the same name", "taken: a.csv")]
    assert dropped(tmp_path, is_audio=False) == expected
