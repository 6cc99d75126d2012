"""Reading audio files in one process and in several."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import soundfile

from emokit.data.audio_io.decode import Extractor, File, find_file, read_file, read_files
from emokit.errors import WorkError


class Deadly:
    """An extractor that kills the process that unpickles it, as a lack of memory does."""

    sample_rate = 16_000

    def __call__(self, waveform: numpy.ndarray) -> numpy.ndarray:
        return waveform

    def __reduce__(self) -> tuple[Callable[[int], object], tuple[int]]:
        return os._exit, (9,)


FATAL_LENGTH = 123


class FatalLength:
    """An extractor that crashes on waveforms of one length, as a decoder crashes on a malformed file."""

    sample_rate = 16_000

    def __call__(self, waveform: numpy.ndarray) -> numpy.ndarray:
        if len(waveform) == FATAL_LENGTH:
            os.kill(os.getpid(), signal.SIGSEGV)
        return waveform[None, :2]


def some_files(write_emodb: Callable[..., list[Path]], root: Path) -> list[File]:
    texts = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")
    return [find_file(path.stem, path) for path in write_emodb(root, texts=texts)]


def test_a_reading_has_the_facts_and_the_features_of_its_file(tmp_path: Path, extractor: Extractor) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, numpy.insert(numpy.tile([[0.5, 0.25]], (7_999, 1)), 50, 0, axis=0), 16_000)
    file = find_file("emodb/a", path)
    reading = read_file(file, extractor)
    assert (file.size, file.changed_ns) == (path.stat().st_size, path.stat().st_mtime_ns)
    assert (reading.utterance_id, reading.size, reading.changed_ns) == ("emodb/a", file.size, file.changed_ns)
    assert (reading.duration_seconds, reading.sample_rate, reading.num_channels) == (0.5, 16_000, 2)
    assert reading.log_mel is not None
    assert reading.log_mel.dtype == numpy.float16
    assert reading.log_mel.tolist() == [[0.375, 0.0]]


def test_the_same_samples_are_the_same_recording_in_any_container(tmp_path: Path, extractor: Extractor) -> None:
    samples = numpy.random.default_rng(0).integers(-9999, 9999, 4000, numpy.int16)
    for name in ("a.wav", "b.flac", "c.aiff"):
        soundfile.write(tmp_path / name, samples, 16_000)
    samples[0] += 1
    soundfile.write(tmp_path / "d.wav", samples, 16_000)
    hashes = {path.name: read_file(find_file(path.name, path), extractor).recording for path in tmp_path.iterdir()}
    assert hashes["a.wav"] == hashes["b.flac"] == hashes["c.aiff"] != hashes["d.wav"]


def test_the_reading_of_an_unusable_file_has_a_reason_and_no_features(tmp_path: Path, extractor: Extractor) -> None:
    soundfile.write(tmp_path / "a.wav", numpy.zeros(100), 16_000)
    reading = read_file(find_file("a", tmp_path / "a.wav"), extractor)
    assert (reading.bad, reading.log_mel, reading.recording) == ("silent", None, "")
    assert reading.detail == "100 samples, peak 0.0e+00 of full scale"


def test_processes_that_die_at_once_are_reported_in_one_sentence(
    tmp_path: Path, write_emodb: Callable[..., list[Path]]
) -> None:
    with pytest.raises(WorkError) as error:
        list(read_files(some_files(write_emodb, tmp_path), Deadly(), 2))
    assert str(error.value) == (
        "A process that reads audio died before it read a file, perhaps for lack of memory; "
        "files read so far are kept, so repeat the command with --workers 1."
    )


def test_a_file_that_kills_its_process_gets_a_reason_and_the_others_are_read(
    tmp_path: Path, write_emodb: Callable[..., list[Path]]
) -> None:
    files = some_files(write_emodb, tmp_path)
    fatal = files[3]
    soundfile.write(fatal.path, numpy.insert(numpy.full(FATAL_LENGTH - 1, 0.5), 50, 0), 16_000)
    readings = {reading.utterance_id: reading for reading in read_files(files, FatalLength(), 2)}
    assert sorted(readings) == sorted(file.utterance_id for file in files)
    assert [name for name, reading in readings.items() if reading.bad] == [fatal.utterance_id]
    reading = readings[fatal.utterance_id]
    assert (reading.bad, reading.log_mel) == ("the decoder crashed on it", None)
    assert reading.detail == "the process that read it died; the file is read again once its modification time changes"
    assert (reading.size, reading.changed_ns) == (fatal.size, fatal.changed_ns)


def test_a_missing_or_unreadable_file_has_no_version(
    tmp_path: Path, extractor: Extractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = read_file(find_file("a", tmp_path / "gone.wav"), extractor)
    assert (reading.bad, reading.detail, reading.size) == ("unreadable", "No such file or directory", -1)
    path = tmp_path / "secret.wav"
    soundfile.write(path, numpy.insert(numpy.full(99, 0.5), 50, 0), 16_000)

    # A mode of 0 does not stop root, which runs the tests on some machines.
    def forbidden(self: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    reading = read_file(find_file("a", path), extractor)
    assert (reading.bad, reading.detail, reading.size) == ("unreadable", "Permission denied", -1)


def test_the_reading_of_an_odd_file_has_its_flags_and_numbers(tmp_path: Path, extractor: Extractor) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, numpy.insert(numpy.full(7_999, 16_384.0), 50, 0), 16_000, subtype="FLOAT")
    reading = read_file(find_file("a", path), extractor)
    assert (reading.bad, reading.detail) == ("", "peak 16384 of full scale")
    assert reading.flags == ("floats of 16-bit scale, repaired by dividing them by 32768",)
    assert reading.log_mel is not None
    assert reading.log_mel.tolist() == [[0.5, 0.0]]


class Infinite:
    """An extractor whose features are not finite."""

    sample_rate = 16_000

    def __call__(self, waveform: numpy.ndarray) -> numpy.ndarray:
        return numpy.array([[numpy.nan]])


def test_features_that_are_not_finite_make_a_file_unusable(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, numpy.insert(numpy.full(7_999, 0.5), 50, 0), 16_000)
    reading = read_file(find_file("a", path), Infinite())
    assert (reading.bad, reading.detail) == ("without finite features", "1 of 1 numbers are not finite")
    assert reading.log_mel is None
