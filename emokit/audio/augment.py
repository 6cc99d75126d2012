"""What is done to a training utterance's log-mel: shift, gain, noise, masks; every draw from the generator given."""

from dataclasses import dataclass

import numpy

from emokit.audio.features import SMALLEST_POWER, cut
from emokit.audio.settings import AugmentationSettings


@dataclass(frozen=True)
class Augment:
    """The settings, and what they need to know of the features."""

    settings: AugmentationSettings
    frames_per_second: float
    bin_widths: numpy.ndarray
    """(mels,) the power that white noise of power one has in each mel bin."""

    def window(self, log_mel: numpy.ndarray, frames: int, random: numpy.random.Generator) -> numpy.ndarray:
        """A window of `frames` frames: (all frames, mels) decibels -> (frames, mels) float32 decibels."""
        spare = len(log_mel) - frames
        if spare >= 0:
            window = cut(log_mel, frames, int(random.integers(spare + 1)))
        else:
            most = min(-spare, round(self.settings.shift_seconds * self.frames_per_second))
            before = int(random.integers(most + 1)) if most else 0
            quiet = numpy.full((before, log_mel.shape[1]), log_mel.min(), log_mel.dtype)
            window = cut(numpy.concatenate([quiet, log_mel]) if before else log_mel, frames, 0)
        return self._masked(self._noisy(window.astype(numpy.float32), random), random)

    def _noisy(self, window: numpy.ndarray, random: numpy.random.Generator) -> numpy.ndarray:
        of = self.settings
        if of.gain_db:
            window = window + numpy.float32(random.uniform(-of.gain_db, of.gain_db))
        if of.noise_snr_db is None:
            return window
        # Powers of sound and of independent noise add up; each bin of the noise varies as the power of a Gaussian does.
        power = 10 ** (window / 10)
        noise = self.bin_widths * random.exponential(size=window.shape).astype(numpy.float32)
        share = power.mean() / noise.mean() * 10 ** (-random.uniform(*of.noise_snr_db) / 10)
        noisy: numpy.ndarray = 10 * numpy.log10(numpy.maximum(power + share * noise, SMALLEST_POWER))
        return noisy.astype(numpy.float32)

    def _masked(self, window: numpy.ndarray, random: numpy.random.Generator) -> numpy.ndarray:
        of = self.settings
        masks = ((0, of.num_time_masks, of.longest_time_mask), (1, of.num_frequency_masks, of.widest_frequency_mask))
        mean = window.mean() if of.num_time_masks or of.num_frequency_masks else 0
        for axis, count, longest in masks:
            for _ in range(count):
                length = int(random.integers(min(longest, window.shape[axis]) + 1))
                first = int(random.integers(window.shape[axis] - length + 1))
                window[(slice(None),) * axis + (slice(first, first + length),)] = mean
        return window
