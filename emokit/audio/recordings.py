"""Audio files as models read them, and what models return for them; without torch and pandas."""

from dataclasses import dataclass
from pathlib import Path

import numpy

from emokit.data.audio_io.plausible import Flag
from emokit.data.audio_io.read import read_audio, resample


@dataclass(frozen=True)
class RecordingPredictions:
    """The probabilities of a recording, window by window."""

    seconds: numpy.ndarray
    """(windows, 2): where each window starts and ends."""
    by_window: numpy.ndarray
    """(windows, classes) float64; each row sums to one."""
    flags: tuple[str, ...] = ()
    """What is odd about the recording, and how it was repaired."""

    @property
    def probabilities(self) -> numpy.ndarray:
        """(classes,), the mean over the windows."""
        mean: numpy.ndarray = self.by_window.mean(axis=0)
        return mean


@dataclass(frozen=True)
class RecordingEmbedding:
    """The vectors of a recording, (steps, dim) float32, and what is odd about it."""

    vectors: numpy.ndarray
    flags: tuple[str, ...] = ()


def read_waveform(path: Path, sample_rate: int) -> numpy.ndarray:
    """An audio file's waveform (samples,) float32 at a sample rate; raises as `read_flagged`."""
    waveform, _ = read_flagged(path, sample_rate)
    return waveform


def read_flagged(path: Path, sample_rate: int) -> tuple[numpy.ndarray, tuple[Flag, ...]]:
    """An audio file's waveform (samples,) float32 at a sample rate, its channels averaged, and what is odd about it.

    Raises:
        DataError: the file is missing, silent, implausible or cannot be decoded.
    """
    audio = read_audio(path)
    return resample(audio.waveform, audio.sample_rate, sample_rate), audio.flags
