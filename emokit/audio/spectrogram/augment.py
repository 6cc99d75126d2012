"""Augmentation of training windows: shift, gain, noise, masks. numpy draws the numbers, torch computes on any device."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy
import torch
from torch import Tensor

from emokit.audio.settings import AugmentationSettings
from emokit.audio.spectrogram.log_mel import SMALLEST_POWER


@dataclass(frozen=True)
class Draw:
    """The random numbers of one utterance."""

    start: int
    """The first frame of the window; below 0, that many frames of silence come before the utterance."""
    gain_db: float
    snr_db: float
    """Signal-to-noise ratio, in decibels."""
    masks: tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]
    """Over time and over mels: the first frame or bin of each mask, and the first one after it."""


@dataclass(frozen=True)
class Augment:
    """The augmentation that the settings ask for."""

    settings: AugmentationSettings
    frames_per_second: float
    bin_widths: numpy.ndarray
    """(mels,) the power of white noise of power one in each mel bin."""

    def draw(self, length: int, frames: int, random: numpy.random.Generator) -> Draw:
        """Draw for an utterance of `length` frames, from which a window of `frames` frames is cut."""
        settings, spare = self.settings, length - frames
        if spare >= 0:
            start = int(random.integers(spare + 1))
        else:
            most = min(-spare, round(settings.shift_seconds * self.frames_per_second))
            start = -int(random.integers(most + 1)) if most else 0
        gain = random.uniform(-settings.gain_db, settings.gain_db) if settings.gain_db else 0.0
        snr = random.uniform(*settings.noise_snr_db) if settings.noise_snr_db else 0.0
        sizes = (frames, len(self.bin_widths))
        limits = (
            (settings.num_time_masks, settings.time_mask_param),
            (settings.num_freq_masks, settings.freq_mask_param),
        )
        over_time, over_mels = (
            tuple(_stretch(size, longest, random) for _ in range(count))
            for size, (count, longest) in zip(sizes, limits, strict=True)
        )
        return Draw(start, gain, snr, (over_time, over_mels))

    def __call__(self, windows: Tensor, draws: Sequence[Draw], random: numpy.random.Generator) -> Tensor:
        """Windows (utterances, frames, mels) in decibels -> the same with gain, noise and masks, on the same device."""
        settings, device = self.settings, windows.device
        if settings.gain_db:
            windows = windows + torch.tensor([draw.gain_db for draw in draws], device=device)[:, None, None]
        if settings.noise_snr_db:
            snr_db = torch.tensor([draw.snr_db for draw in draws], device=device)
            windows = self._noisy(windows, snr_db, int(random.integers(2**31)))
        mean = windows.mean(dim=(1, 2), keepdim=True) if settings.num_time_masks or settings.num_freq_masks else windows
        for axis in (0, 1):
            stretches = torch.tensor([draw.masks[axis] for draw in draws], device=device)  # (utterances, masks, 2)
            if stretches.numel():
                at = torch.arange(windows.shape[1 + axis], device=device)
                masked = ((at >= stretches[..., :1]) & (at < stretches[..., 1:])).any(dim=1)  # (utterances, size)
                windows = torch.where(masked.unsqueeze(2 - axis), mean, windows)
        return windows

    def _noisy(self, windows: Tensor, snr_db: Tensor, seed: int) -> Tensor:
        # The powers of a signal and of independent noise add up; the noise in a bin is distributed as the power of a Gaussian.
        power = 10 ** (windows / 10)
        generator = torch.Generator(windows.device).manual_seed(seed)
        noise = torch.empty_like(windows).exponential_(generator=generator)
        noise *= torch.from_numpy(self.bin_widths).to(windows.device)
        share = power.mean(dim=(1, 2)) / noise.mean(dim=(1, 2)) * 10 ** (-snr_db / 10)
        return 10 * (power + share[:, None, None] * noise).clamp_min(SMALLEST_POWER).log10()


def _stretch(size: int, longest: int, random: numpy.random.Generator) -> tuple[int, int]:
    length = int(random.integers(min(longest, size) + 1))
    first = int(random.integers(size - length + 1))
    return first, first + length
