"""Where a waveform becomes numbers: the one implementation for training, prediction and export.

The values are those of `librosa.feature.melspectrogram` and `librosa.power_to_db` (librosa 0.11: centred frames, zeros at
the edges, periodic Hann window, Slaney mels), to 1e-3 dB. Frames are transformed in float32 by scipy, file by file, and
librosa's filterbank is made once: librosa itself makes it anew for every file, which is half of its time. A mel bin sees
few of the frequencies, so neighbouring bins are weighed together and apart from the others.
"""

from functools import cached_property
from typing import Any

import numpy

from emokit.audio.settings import FeatureSettings

SMALLEST_POWER = 1e-10  # librosa's `amin`: -100 dB
DECIBELS_PER_NEPER = numpy.float32(10 / numpy.log(10))
MELS_PER_BLOCK = 16  # measured: more weigh zeros, fewer cost calls
NUMBERS_AT_ONCE = 2**17  # half a megabyte: what is transformed at a time stays in the processor's cache


class LogMel:
    """The extractor that `prepare` and `predict` call; sent to another process, it takes its tables along."""

    def __init__(self, settings: FeatureSettings, speed: float = 1.0) -> None:
        """Take the settings, and the speed to play at: resampled to more samples, sound is slower and lower."""
        self.settings, self.speed = settings, speed

    @property
    def sample_rate(self) -> int:
        """The sample rate that waveforms must have, in Hz."""
        return round(self.settings.sample_rate / self.speed)

    @cached_property
    def window(self) -> numpy.ndarray:
        """(n_fft,) float32."""
        from librosa.filters import get_window  # takes a second: only where sound is read, once for all processes

        window: numpy.ndarray = get_window("hann", self.settings.n_fft, fftbins=True)
        return window.astype(numpy.float32)

    @cached_property
    def filters(self) -> numpy.ndarray:
        """(n_fft / 2 + 1, mels) float32."""
        from librosa.filters import mel

        of = self.settings
        filters: numpy.ndarray = mel(sr=of.sample_rate, n_fft=of.n_fft, n_mels=of.n_mels, fmin=of.fmin, fmax=of.fmax)
        return numpy.ascontiguousarray(filters.T, dtype=numpy.float32)

    @cached_property
    def blocks(self) -> list[tuple[slice, slice, numpy.ndarray]]:
        """The filterbank in pieces: a range of frequencies, a range of mels, and (frequencies, mels) of weights."""
        pieces = []
        for first in range(0, self.settings.n_mels, MELS_PER_BLOCK):
            mels = slice(first, min(first + MELS_PER_BLOCK, self.settings.n_mels))
            heard = numpy.flatnonzero(self.filters[:, mels].any(axis=1))
            # Filters narrower than the distance between two frequencies may hear none.
            frequencies = slice(int(heard[0]), int(heard[-1]) + 1) if len(heard) else slice(0, 1)
            pieces.append((frequencies, mels, numpy.ascontiguousarray(self.filters[frequencies, mels])))
        return pieces

    def __getstate__(self) -> dict[str, Any]:
        return {"settings": self.settings, "speed": self.speed, "window": self.window, "filters": self.filters}

    def __call__(self, waveform: numpy.ndarray) -> numpy.ndarray:
        """The log-mel spectrogram of one utterance.

        Args:
            waveform: (samples,) float32 at the settings' sample rate; at least one sample.

        Returns:
            (frames, mels) float32 decibels, frames = 1 + samples // hop_length.
        """
        # Imported here, since a `prepare` that finds nothing new to read is over before this is imported.
        import scipy.fft

        of = self.settings
        padded = numpy.zeros(len(waveform) + of.n_fft // 2 * 2, numpy.float32)
        padded[of.n_fft // 2 : of.n_fft // 2 + len(waveform)] = waveform
        frames = numpy.lib.stride_tricks.sliding_window_view(padded, of.n_fft)[:: of.hop_length]
        mels = numpy.empty((len(frames), of.n_mels), numpy.float32)
        at_once = max(1, NUMBERS_AT_ONCE // of.n_fft)
        for start in range(0, len(frames), at_once):
            some = slice(start, start + at_once)
            spectrum = scipy.fft.rfft(frames[some] * self.window, axis=1, overwrite_x=True)
            parts = spectrum.view(numpy.float32)  # (frames, n_fft + 2): real and imaginary parts in turn
            numpy.square(parts, out=parts)
            power = parts[:, ::2] + parts[:, 1::2]  # (frames, n_fft / 2 + 1)
            for of_frequencies, of_mels, weights in self.blocks:
                numpy.matmul(power[:, of_frequencies], weights, out=mels[some, of_mels])
        # In place, and by the natural logarithm, which numpy computes many at a time.
        decibels = numpy.log(numpy.maximum(mels, SMALLEST_POWER, out=mels), out=mels)
        decibels *= DECIBELS_PER_NEPER
        return numpy.maximum(decibels, decibels.max() - of.top_db, out=decibels)


def cut(log_mels: numpy.ndarray, frames: int, start: int) -> numpy.ndarray:
    """`frames` frames of an utterance from frame `start`, padded at the end with its quietest value (silence).

    (all frames, mels) -> (frames, mels)
    """
    window = log_mels[start : start + frames]
    missing = frames - len(window)
    return numpy.pad(window, ((0, missing), (0, 0)), constant_values=log_mels.min()) if missing else window
