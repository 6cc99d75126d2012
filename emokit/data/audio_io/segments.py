"""Utterances that are segments of longer files: the file is decoded once, and each segment is cut from its samples."""

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from emokit.data.audio_io.faults import NOT_IN_FILE, SILENT, BadAudio
from emokit.data.audio_io.plausible import SILENCE, Audio
from emokit.data.audio_io.read import read_audio

TOLERANCE_SECONDS = 0.1  # annotations round the end of a file


class Segment(NamedTuple):
    """A part of a file, in seconds from its start."""

    start_seconds: float
    end_seconds: float | None
    """None for the end of the file."""

    @classmethod
    def of(cls, start: Any, end: Any) -> "Segment | None":
        """The segment from two cells of a table; None where both are empty."""
        begins, ends = (None if value is None or value != value else float(value) for value in (start, end))
        return None if begins is None and ends is None else cls(begins or 0.0, ends)

    def __str__(self) -> str:
        return f"{self.start_seconds:g} s to {'its end' if self.end_seconds is None else f'{self.end_seconds:g} s'}"


def read_segment(path: Path, segment: Segment | None) -> Audio:
    """Read an audio file, or a segment of it.

    Raises:
        BadAudio: the file cannot be used, the segment is not in it, or it is silent.
    """
    if segment is None:
        return read_audio(path)
    try:
        status = path.stat()
    except (OSError, ValueError):
        return read_audio(path)  # which names the fault
    return _cut(path, _decoded(path, status.st_size, status.st_mtime_ns), segment)


@functools.lru_cache(maxsize=1)
def _decoded(path: Path, size: int, changed_ns: int) -> Audio:
    """The whole file: a hundred segments of an hour would else decode a hundred hours."""
    return read_audio(path)


def _cut(path: Path, audio: Audio, segment: Segment) -> Audio:
    rate, length = audio.sample_rate, len(audio.waveform)
    start = _sample(segment.start_seconds, rate, length)
    end = length if segment.end_seconds is None else _sample(segment.end_seconds, rate, length)
    if not 0 <= start < min(end, length) or end > length + TOLERANCE_SECONDS * rate:
        raise BadAudio(path, NOT_IN_FILE, f"{segment}, the file has {length / rate:.2f} s")
    waveform = audio.waveform[start:end]
    peak = float(np.abs(waveform).max())
    if peak < SILENCE:
        raise BadAudio(path, SILENT, f"{segment}, peak {peak:.1e} of full scale")
    stored = audio.int16_waveform
    return replace(audio, waveform=waveform, int16_waveform=None if stored is None else stored[start:end])


def _sample(seconds: float, rate: int, length: int) -> int:
    """The sample at a time; one far behind the end for times behind it, as a float times a rate can be infinite."""
    return round(min(seconds * rate, 2 * (length + rate)))
