"""What is done to training windows: shift, gain, noise, masks. Draws are numpy's, the arithmetic is torch's, on any device."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy
import torch
from torch import Tensor

from emokit.audio.settings import AugmentationSettings
from emokit.audio.spectrogram.log_mel import SMALLEST_POWER


@dataclass(frozen=True)
class Drawn:
    """What was drawn for one utterance."""

    start: int
    """The window's first frame; below 0, that many frames of silence come before the utterance."""
    gain_db: float
    snr_db: float
    """Signal-to-noise ratio, in decibels."""
    masks: tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]
    """Over time and over mels: the first frame or bin of each mask and the first one after it."""


@dataclass(frozen=True)
class Augment:
    """The settings, and what they need to know of the features."""

    settings: AugmentationSettings
    frames_per_second: float
    bin_widths: numpy.ndarray
    """(mels,) the power that white noise of power one has in each mel bin."""

    def draw(self, length: int, frames: int, random: numpy.random.Generator) -> Drawn:
        """Draw for an utterance of `length` frames, of which a window of `frames` frames is taken."""
        of, spare = self.settings, length - frames
        if spare >= 0:
            start = int(random.integers(spare + 1))
        else:
            most = min(-spare, round(of.shift_seconds * self.frames_per_second))
            start = -int(random.integers(most + 1)) if most else 0
        gain = random.uniform(-of.gain_db, of.gain_db) if of.gain_db else 0.0
        snr = random.uniform(*of.noise_snr_db) if of.noise_snr_db else 0.0
        sizes = (frames, len(self.bin_widths))
        limits = ((of.num_time_masks, of.time_mask_param), (of.num_freq_masks, of.freq_mask_param))
        over_time, over_mels = (
            tuple(_stretch(size, longest, random) for _ in range(count))
            for size, (count, longest) in zip(sizes, limits, strict=True)
        )
        return Drawn(start, gain, snr, (over_time, over_mels))

    def __call__(self, windows: Tensor, drawn: Sequence[Drawn], random: numpy.random.Generator) -> Tensor:
        """Windows (utterances, frames, mels) in decibels -> the same with gain, noise and masks, on the same device."""
        of, device = self.settings, windows.device
        if of.gain_db:
            windows = windows + torch.tensor([one.gain_db for one in drawn], device=device)[:, None, None]
        if of.noise_snr_db:
            snr_db = torch.tensor([one.snr_db for one in drawn], device=device)
            windows = self._noisy(windows, snr_db, int(random.integers(2**31)))
        mean = windows.mean(dim=(1, 2), keepdim=True) if of.num_time_masks or of.num_freq_masks else windows
        for axis in (0, 1):
            stretches = torch.tensor([one.masks[axis] for one in drawn], device=device)  # (utterances, masks, 2)
            if stretches.numel():
                at = torch.arange(windows.shape[1 + axis], device=device)
                masked = ((at >= stretches[..., :1]) & (at < stretches[..., 1:])).any(dim=1)  # (utterances, size)
                windows = torch.where(masked.unsqueeze(2 - axis), mean, windows)
        return windows

    def _noisy(self, windows: Tensor, snr_db: Tensor, seed: int) -> Tensor:
        # Powers of sound and of independent noise add up; each bin of the noise varies as the power of a Gaussian does.
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
