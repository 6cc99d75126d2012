"""Log-mel spectrograms: the only implementation, for training, prediction and export.

The values equal those of `librosa.feature.melspectrogram` and `librosa.power_to_db` (librosa 0.11: centred frames, zeros at the
edges, periodic Hann window, Slaney mels) to 2e-3 dB. scipy transforms the frames in float32. The filterbank is made once; librosa
makes it for every file, which is half of its time. A mel bin covers few frequencies, so bins are computed in blocks of
neighbours.
"""

from functools import cached_property
from typing import Any

import numpy

from emokit.audio.settings import FeatureSettings
from emokit.audio.spectrogram.mel import hann_window, mel_filters

SMALLEST_POWER = 1e-10  # librosa's `amin`: -100 dB
DECIBELS_PER_NEPER = numpy.float32(10 / numpy.log(10))
MELS_PER_BLOCK = 16  # measured: larger blocks multiply zeros, smaller ones cost calls
NUMBERS_AT_ONCE = 2**17  # half a megabyte per transform fits into the processor's cache


class LogMel:
    """The feature extractor of `prepare` and `predict`; pickled, it carries its window and filters."""

    def __init__(self, settings: FeatureSettings, speed: float = 1.0) -> None:
        """Take the settings and a speed factor: below 1, the audio is resampled to more samples, slower and lower."""
        self.settings, self.speed = settings, speed

    @property
    def sample_rate(self) -> int:
        """The sample rate that waveforms must have, in Hz."""
        return round(self.settings.sample_rate / self.speed)

    @cached_property
    def window(self) -> numpy.ndarray:
        """(n_fft,) float32."""
        return hann_window(self.settings.n_fft).astype(numpy.float32)

    @cached_property
    def filters(self) -> numpy.ndarray:
        """(n_fft / 2 + 1, mels) float32."""
        chosen = self.settings
        filters = mel_filters(chosen.sample_rate, chosen.n_fft, chosen.n_mels, chosen.fmin, chosen.fmax)
        return numpy.ascontiguousarray(filters.T)

    @cached_property
    def blocks(self) -> list[tuple[slice, slice, numpy.ndarray]]:
        """The filterbank in blocks: a range of frequencies, a range of mels, and weights (frequencies, mels)."""
        pieces = []
        for first in range(0, self.settings.n_mels, MELS_PER_BLOCK):
            mels = slice(first, min(first + MELS_PER_BLOCK, self.settings.n_mels))
            covered = numpy.flatnonzero(self.filters[:, mels].any(axis=1))
            # Filters narrower than the distance between two frequencies may cover none.
            frequencies = slice(int(covered[0]), int(covered[-1]) + 1) if len(covered) else slice(0, 1)
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
        # Imported here: a `prepare` without a new file to read never needs it.
        import scipy.fft

        n_fft = self.settings.n_fft
        padded = numpy.zeros(len(waveform) + n_fft // 2 * 2, numpy.float32)
        padded[n_fft // 2 : n_fft // 2 + len(waveform)] = waveform
        frames = numpy.lib.stride_tricks.sliding_window_view(padded, n_fft)[:: self.settings.hop_length]
        mels = numpy.empty((len(frames), self.settings.n_mels), numpy.float32)
        at_once = max(1, NUMBERS_AT_ONCE // n_fft)
        for start in range(0, len(frames), at_once):
            block = slice(start, start + at_once)
            spectrum = scipy.fft.rfft(frames[block] * self.window, axis=1, overwrite_x=True)
            parts = spectrum.view(numpy.float32)  # (frames, n_fft + 2): real and imaginary parts interleaved
            numpy.square(parts, out=parts)
            power = parts[:, ::2] + parts[:, 1::2]  # (frames, n_fft / 2 + 1)
            for frequencies, mel_range, weights in self.blocks:
                numpy.matmul(power[:, frequencies], weights, out=mels[block, mel_range])
        # In place, and by the natural logarithm, which numpy vectorises.
        decibels = numpy.log(numpy.maximum(mels, SMALLEST_POWER, out=mels), out=mels)
        decibels *= DECIBELS_PER_NEPER
        return numpy.maximum(decibels, decibels.max() - self.settings.top_db, out=decibels)
