"""What the model sees of an utterance: windows of a fixed number of frames, cut, padded, stacked and mixed."""

from collections.abc import Iterator, Sequence

import numpy
import torch
from torch import Tensor

from emokit.audio.spectrogram.augment import Augment
from emokit.audio.spectrogram.normalise import standardised
from emokit.labels import NUM_LABELS
from emokit.runtime import derived_seed
from emokit.training.loop import Batch

LARGEST_SHARE = 0.5  # of the device's free memory that features may take; the rest is the model's


def starts(num_frames: int, window_frames: int, overlap: float = 0.0) -> list[int]:
    """The first frames of as few evenly spaced windows as cover an utterance and overlap by at least this share of a window."""
    if num_frames <= window_frames:
        return [0]
    step = max(1, int(window_frames * (1 - overlap)))
    count = 1 + -(-(num_frames - window_frames) // step)
    return [round(start) for start in numpy.linspace(0, num_frames - window_frames, count)]


def averaged(rows: Sequence[int], found: numpy.ndarray, count: int) -> numpy.ndarray:
    """The mean over each utterance's windows.

    Args:
        rows: (windows,) the utterance that each window is of.
        found: (windows, classes) probabilities.
        count: how many utterances there are; each has a window.

    Returns:
        (utterances, classes) float64.
    """
    sums = numpy.zeros((count, found.shape[1]))
    numpy.add.at(sums, list(rows), found)
    return sums / numpy.bincount(rows, minlength=count)[:, None]


class MappedLogMels:
    """Log-mels that stay where they are, on disk or in memory; windows of them are copied to the device."""

    def __init__(self, log_mels: Sequence[numpy.ndarray], device: torch.device) -> None:
        """Take per utterance (frames, mels) decibels."""
        self.log_mels, self.device = log_mels, device
        self.lengths = [len(log_mel) for log_mel in log_mels]

    def windows(self, rows: Sequence[int], first: Sequence[int], frames: int) -> Tensor:
        """(rows, frames, mels) float32 decibels from these first frames on; what lies outside is the quietest value (silence)."""
        windows = numpy.empty((len(rows), frames, self.log_mels[0].shape[1]), numpy.float32)
        for window, row, start in zip(windows, rows, first, strict=True):
            log_mel = self.log_mels[row]
            heard = log_mel[max(0, start) : start + frames]
            if len(heard) < frames:
                window[:] = log_mel.min()
            window[max(0, -start) : max(0, -start) + len(heard)] = heard
        return torch.from_numpy(windows).to(self.device, non_blocking=True)


class DeviceLogMels:
    """Log-mels that are kept on the device, so that an epoch moves nothing but numbers of frames to it."""

    def __init__(self, log_mels: Sequence[numpy.ndarray], device: torch.device) -> None:
        """Take per utterance (frames, mels) decibels."""
        self.lengths = [len(log_mel) for log_mel in log_mels]
        self.frames = torch.from_numpy(numpy.concatenate(log_mels)).to(device)  # (all frames, mels)
        self.device, self.sizes = device, torch.tensor(self.lengths, device=device)
        self.offsets = self.sizes.cumsum(0) - self.sizes
        self.quietest = torch.tensor([float(log_mel.min()) for log_mel in log_mels], device=device)

    def windows(self, rows: Sequence[int], first: Sequence[int], frames: int) -> Tensor:
        """As `MappedLogMels.windows`."""
        chosen = torch.tensor(rows, device=self.device)
        at = torch.tensor(first, device=self.device)[:, None] + torch.arange(frames, device=self.device)
        sizes = self.sizes[chosen, None]
        inside = ((at >= 0) & (at < sizes))[..., None]
        heard = self.frames[self.offsets[chosen, None] + at.clamp_min(0).minimum(sizes - 1)].float()
        return torch.where(inside, heard, self.quietest[chosen, None, None])


def on_device(
    versions: Sequence[Sequence[numpy.ndarray]], device: torch.device
) -> list[MappedLogMels] | list[DeviceLogMels]:
    """Log-mels, at one speed or at several, kept on a GPU where all of them fit; elsewhere they stay where they are."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        if sum(log_mel.nbytes for log_mels in versions for log_mel in log_mels) <= LARGEST_SHARE * free:
            return [DeviceLogMels(log_mels, device) for log_mels in versions]
    return [MappedLogMels(log_mels, device) for log_mels in versions]


class TrainingBatches:
    """Shuffled, randomly cut, augmented and mixed batches; the number of an epoch decides all of it."""

    def __init__(
        self,
        versions: Sequence[MappedLogMels | DeviceLogMels],
        targets: numpy.ndarray,
        augment: Augment,
        statistics: Sequence[numpy.ndarray | None] | None = None,
        *,
        window_frames: int,
        batch_size: int,
        mixup_alpha: float,
        balanced: bool,
        seed: int,
    ) -> None:
        """Take the training utterances.

        Args:
            versions: per speed, the utterances' log-mels; one of them is drawn each time.
            targets: (utterances,) class numbers.
            augment: what is done to each.
            statistics: per speed, what each utterance is standardised with after that, as `normalise.statistics_of` gives it.
            window_frames, batch_size, mixup_alpha, seed: as the settings have them.
            balanced: draw each class equally often, with replacement, instead of each utterance once.
        """
        self.versions, self.targets, self.augment, self.statistics = versions, targets, augment, statistics
        self.window_frames, self.batch_size, self.mixup_alpha = window_frames, batch_size, mixup_alpha
        self.balanced, self.seed = balanced, seed

    def __len__(self) -> int:
        # The last, smaller batch is left out: batch normalisation over a few utterances is noise, and over one an error.
        return len(self.targets) // self.batch_size

    def __call__(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch: input_features (batch, frames, mels) in decibels, targets (batch, classes)."""
        random = numpy.random.default_rng(derived_seed(self.seed, epoch, 1))
        order = self._balanced_order(random) if self.balanced else random.permutation(len(self.targets))
        for first in range(0, len(self) * self.batch_size, self.batch_size):
            rows = order[first : first + self.batch_size]
            windows = self._windows(rows, random)
            targets = torch.from_numpy(numpy.eye(NUM_LABELS, dtype=numpy.float32)[self.targets[rows]])
            if self.mixup_alpha > 0:
                share = float(random.beta(self.mixup_alpha, self.mixup_alpha))
                partner = torch.from_numpy(random.permutation(len(rows)))
                windows = share * windows + (1 - share) * windows[partner.to(windows.device)]
                targets = share * targets + (1 - share) * targets[partner]
            yield {"input_features": windows, "targets": targets}

    def _balanced_order(self, random: numpy.random.Generator) -> numpy.ndarray:
        chance = 1 / numpy.bincount(self.targets, minlength=NUM_LABELS).clip(1)[self.targets]
        return random.choice(len(self.targets), size=len(self.targets), p=chance / chance.sum())

    def _windows(self, rows: numpy.ndarray, random: numpy.random.Generator) -> Tensor:
        """(rows, frames, mels), each at a speed of its own, augmented and standardised."""
        speeds, drawn = [], []
        for row in rows:
            speeds.append(int(random.integers(len(self.versions))) if len(self.versions) > 1 else 0)
            drawn.append(self.augment.draw(self.versions[speeds[-1]].lengths[row], self.window_frames, random))
        windows: Tensor | None = None
        for speed, version in enumerate(self.versions):
            own = [place for place, chosen in enumerate(speeds) if chosen == speed]
            if own:
                cut = version.windows([int(rows[i]) for i in own], [drawn[i].start for i in own], self.window_frames)
                windows = cut.new_empty(len(rows), *cut.shape[1:]) if windows is None else windows
                windows[torch.tensor(own, device=cut.device)] = cut
        if windows is None:
            raise ValueError("a batch has no utterance")
        windows = self.augment(windows, drawn, random)
        found = [self.statistics[speed] for speed in speeds] if self.statistics else []
        own_statistics = [of[row] for of, row in zip(found, rows, strict=False) if of is not None]
        if not own_statistics:
            return windows
        return standardised(windows, torch.from_numpy(numpy.stack(own_statistics)).to(windows.device))
