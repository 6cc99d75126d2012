"""Windows of log-mel spectrograms: cut from memory-mapped features, or gathered on a GPU."""

from collections.abc import Callable, Sequence

import numpy
import torch
from torch import Tensor

from emokit.audio.windows import cut as cut

MAX_MEMORY_SHARE = 0.5  # of a GPU's free memory that features may take; the rest is for the model


def over_windows(logits: Callable[[Tensor], Tensor], recordings: Tensor) -> Tensor:
    """The logarithm of the mean probabilities over the windows of each recording: (recordings, classes).

    Args:
        logits: windows (windows, frames, mels) -> (windows, classes).
        recordings: (recordings, windows, frames, mels).
    """
    by_window = logits(recordings.flatten(0, 1)).float().log_softmax(dim=1)
    return by_window.unflatten(0, recordings.shape[:2]).exp().mean(dim=1).log()


class MappedLogMels:
    """Log-mels that stay on disk or in memory; their windows are copied to the device."""

    def __init__(self, log_mels: Sequence[numpy.ndarray], device: torch.device) -> None:
        """Take per utterance (frames, mels) decibels."""
        self.log_mels, self.device = log_mels, device
        self.lengths = [len(log_mel) for log_mel in log_mels]

    def windows(self, rows: Sequence[int], starts: Sequence[int], frames: int) -> Tensor:
        """(rows, frames, mels) float32 decibels from these first frames on, as `cut` cuts them."""
        windows = numpy.empty((len(rows), frames, self.log_mels[0].shape[1]), numpy.float32)
        for window, row, start in zip(windows, rows, starts, strict=True):
            window[:] = cut(self.log_mels[row], frames, start)
        return torch.from_numpy(windows).to(self.device, non_blocking=True)


class DeviceLogMels:
    """Log-mels in the device's memory, so that an epoch copies nothing but frame numbers to it."""

    def __init__(self, log_mels: Sequence[numpy.ndarray], device: torch.device) -> None:
        """Take per utterance (frames, mels) decibels."""
        self.lengths = [len(log_mel) for log_mel in log_mels]
        self.frames = torch.from_numpy(numpy.concatenate(log_mels)).to(device)  # (all frames, mels)
        self.device, self.sizes = device, torch.tensor(self.lengths, device=device)
        self.offsets = self.sizes.cumsum(0) - self.sizes
        self.quietest = torch.tensor([float(log_mel.min()) for log_mel in log_mels], device=device)

    def windows(self, rows: Sequence[int], starts: Sequence[int], frames: int) -> Tensor:
        """As `MappedLogMels.windows`."""
        chosen = torch.tensor(rows, device=self.device)
        at = torch.tensor(starts, device=self.device)[:, None] + torch.arange(frames, device=self.device)
        sizes = self.sizes[chosen, None]
        inside = ((at >= 0) & (at < sizes))[..., None]
        values = self.frames[self.offsets[chosen, None] + at.clamp_min(0).minimum(sizes - 1)].float()
        return torch.where(inside, values, self.quietest[chosen, None, None])


def on_device(
    versions: Sequence[Sequence[numpy.ndarray]], device: torch.device
) -> list[MappedLogMels] | list[DeviceLogMels]:
    """Log-mels at one or several speeds: in a GPU's memory where all of them fit, else left where they are."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        if sum(log_mel.nbytes for log_mels in versions for log_mel in log_mels) <= MAX_MEMORY_SHARE * free:
            return [DeviceLogMels(log_mels, device) for log_mels in versions]
    return [MappedLogMels(log_mels, device) for log_mels in versions]
