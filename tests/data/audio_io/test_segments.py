"""Segments of files: the samples of the part, and what is refused."""

from pathlib import Path

import numpy
import pytest
import soundfile

from emokit.data.audio_io import segments
from emokit.data.audio_io.decode import find_file, read_file
from emokit.data.audio_io.faults import BadAudio
from emokit.data.audio_io.read import read_audio
from emokit.data.audio_io.segments import Segment, read_segment

RATE = 8_000


@pytest.fixture
def long_file(tmp_path: Path) -> Path:
    """Two seconds of noise, half a second of it silent."""
    samples = numpy.random.default_rng(0).integers(-9_000, 9_000, 2 * RATE).astype(numpy.int16)
    samples[RATE : RATE + RATE // 2] = 0
    soundfile.write(tmp_path / "call.wav", samples, RATE)
    return tmp_path / "call.wav"


@pytest.mark.parametrize(
    ("segment", "start", "end"),
    [
        (Segment(0.25, 0.75), 2_000, 6_000),
        (Segment(1.5, None), 12_000, 16_000),
        (Segment(1.5, 2.05), 12_000, 16_000),
    ],
)
def test_a_segment_equals_the_file_that_it_would_be(
    tmp_path: Path, long_file: Path, extractor: object, segment: Segment, start: int, end: int
) -> None:
    whole, rate = soundfile.read(long_file, dtype="int16")
    soundfile.write(tmp_path / "part.wav", whole[start:end], rate)
    alone, part = read_audio(tmp_path / "part.wav"), read_segment(long_file, segment)
    assert numpy.array_equal(part.waveform, alone.waveform)
    assert part.recording_hash() == alone.recording_hash()
    reading = read_file(find_file("calls/a", long_file, segment), extractor)  # type: ignore[arg-type]
    assert reading.duration_seconds == (end - start) / RATE
    assert reading.recording == alone.recording_hash()


def test_segments_of_one_file_decode_it_once(long_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Path] = []
    monkeypatch.setattr(segments, "read_audio", lambda path: calls.append(path) or read_audio(path))
    segments._decoded.cache_clear()
    for start in (0.0, 0.25, 0.5):
        read_segment(long_file, Segment(start, start + 0.25))
    assert calls == [long_file]
    long_file.touch()
    read_segment(long_file, Segment(0, 0.5))
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("segment", "sentence"),
    [
        (Segment(0.5, 2.5), "is without the segment (0.5 s to 2.5 s, the file has 2.00 s); correct its start and end."),
        (Segment(2, None), "is without the segment (2 s to its end, the file has 2.00 s); correct its start and end."),
        (Segment(0.5, 0.5), "is without the segment (0.5 s to 0.5 s, the file has 2.00 s); correct its start and end."),
        (Segment(-1, 0.5), "is without the segment (-1 s to 0.5 s, the file has 2.00 s); correct its start and end."),
        (
            Segment(1e308, 1.1e308),
            "is without the segment (1e+308 s to 1.1e+308 s, the file has 2.00 s); correct its start and end.",
        ),
        (
            Segment(1, 1e308),
            "is without the segment (1 s to 1e+308 s, the file has 2.00 s); correct its start and end.",
        ),
        (Segment(1, 1.5), "is silent (1 s to 1.5 s, peak 0.0e+00 of full scale); leave it out."),
    ],
)
def test_a_segment_that_is_not_in_the_file_or_is_silent_is_refused(
    long_file: Path, segment: Segment, sentence: str
) -> None:
    with pytest.raises(BadAudio) as error:
        read_segment(long_file, segment)
    assert str(error.value) == f"{long_file} {sentence}"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadAudio) as error:
        read_segment(tmp_path / "gone.wav", Segment(0, 1))
    assert str(error.value) == (
        f"{tmp_path / 'gone.wav'} is unreadable (No such file or directory); check that it exists and that you may read it."
    )


def test_another_segment_of_a_file_is_another_version_of_the_utterance(long_file: Path) -> None:
    first, second = (find_file("calls/a", long_file, segment) for segment in (Segment(0, 1), Segment(0, 0.5)))
    assert first.changed_ns != second.changed_ns
    assert first == find_file("calls/a", long_file, Segment(0, 1))


@pytest.mark.parametrize(
    ("cells", "segment"),
    [
        ((None, None), None),
        ((float("nan"), float("nan")), None),
        ((None, 2.5), Segment(0, 2.5)),
        ((1, None), Segment(1, None)),
    ],
)
def test_empty_cells_stand_for_the_start_and_the_end_of_the_file(
    cells: tuple[object, object], segment: Segment
) -> None:
    assert Segment.of(*cells) == segment
