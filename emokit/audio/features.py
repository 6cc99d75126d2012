"""Where a waveform becomes numbers: the one implementation for training, prediction and export.

The values are those of `librosa.feature.melspectrogram` and `librosa.power_to_db` (librosa 0.11: centred frames, zeros at
the edges, periodic Hann window, Slaney mels), to 1e-3 dB. Frames are transformed in float32 by scipy, file by file, and the
filterbank is made once: librosa makes it anew for every file, which is half of its time. librosa itself is not imported, as
that takes longer than reading a few hundred files.
"""

import functools
from dataclasses import dataclass

import numpy

from emokit.audio.settings import FeatureSettings

SMALLEST_POWER = 1e-10  # librosa's `amin`: -100 dB


@dataclass(frozen=True)
class LogMel:
    """The extractor that `prepare` and `predict` call; it can be sent to another process."""

    settings: FeatureSettings

    @property
    def sample_rate(self) -> int:
        """The sample rate that waveforms must have, in Hz."""
        return self.settings.sample_rate

    def __call__(self, waveform: numpy.ndarray) -> numpy.ndarray:
        """(samples,) -> (frames, mels) float32 decibels."""
        return log_mel(waveform, self.settings)


def log_mel(waveform: numpy.ndarray, settings: FeatureSettings) -> numpy.ndarray:
    """The log-mel spectrogram of one utterance.

    Args:
        waveform: (samples,) float32 at the settings' sample rate; at least one sample.
        settings: lengths, bins and dynamic range.

    Returns:
        (frames, mels) float32 decibels, frames = 1 + samples // hop_length.
    """
    # Imported here, since a `prepare` that finds nothing new to read is over before this is imported.
    import scipy.fft

    half = settings.fft_length // 2
    padded = numpy.pad(numpy.asarray(waveform, dtype=numpy.float32), half)
    frames = numpy.lib.stride_tricks.sliding_window_view(padded, settings.fft_length)[:: settings.hop_length]
    window, filters = _window(settings.fft_length), _filters(settings)
    spectrum = scipy.fft.rfft(frames * window, axis=1, overwrite_x=True)  # (frames, fft_length / 2 + 1) complex64
    power = numpy.square(spectrum.real) + numpy.square(spectrum.imag)
    decibels = 10 * numpy.log10(numpy.maximum(power @ filters, SMALLEST_POWER))
    return numpy.maximum(decibels, decibels.max() - settings.dynamic_range_db)


def cut(log_mels: numpy.ndarray, frames: int, start: int) -> numpy.ndarray:
    """`frames` frames of an utterance from frame `start`, padded at the end with its quietest value (silence).

    (all frames, mels) -> (frames, mels)
    """
    window = log_mels[start : start + frames]
    missing = frames - len(window)
    return numpy.pad(window, ((0, missing), (0, 0)), constant_values=log_mels.min()) if missing else window


@functools.lru_cache(maxsize=4)
def _window(length: int) -> numpy.ndarray:
    """(length,) float32: the periodic Hann window."""
    return (0.5 - 0.5 * numpy.cos(2 * numpy.pi * numpy.arange(length) / length)).astype(numpy.float32)


@functools.lru_cache(maxsize=4)
def _filters(settings: FeatureSettings) -> numpy.ndarray:
    """(fft_length / 2 + 1, mels) float32: triangles between neighbouring mel bins, each of the area 1."""
    highest_hz = settings.highest_hz or settings.sample_rate / 2
    mels = numpy.linspace(_mel(settings.lowest_hz), _mel(highest_hz), settings.num_mels + 2)
    edges = _hertz(mels)  # (mels + 2,) Hz: each triangle's foot, top and foot are three in a row
    bins = numpy.arange(settings.fft_length // 2 + 1) * settings.sample_rate / settings.fft_length  # Hz
    slopes = (bins[:, None] - edges[:-1]) / numpy.diff(edges)  # (bins, mels + 1): 0 at an edge, 1 at the next
    triangles = numpy.maximum(0, numpy.minimum(slopes[:, :-1], 1 - slopes[:, 1:]))
    return (triangles * 2 / (edges[2:] - edges[:-2])).astype(numpy.float32)


# Slaney's mels: linear up to 1 kHz, which is mel 15, and above it 27 mels for every factor of 6.4.
_HERTZ_PER_MEL, _MELS_PER_FACTOR = 200 / 3, 27 / numpy.log(6.4)


def _mel(hertz: float) -> float:
    return hertz / _HERTZ_PER_MEL if hertz < 1000 else 15 + float(numpy.log(hertz / 1000)) * _MELS_PER_FACTOR


def _hertz(mels: numpy.ndarray) -> numpy.ndarray:
    return numpy.where(mels < 15, mels * _HERTZ_PER_MEL, 1000 * numpy.exp((mels - 15) / _MELS_PER_FACTOR))
