"""Training batches of spectrogram windows: shuffled, cut at random, augmented and mixed."""

from collections.abc import Iterator, Sequence

import numpy
import torch
from torch import Tensor

from emokit.audio.spectrogram.augment import Augment
from emokit.audio.spectrogram.normalise import standardised
from emokit.audio.spectrogram.windows import DeviceLogMels, MappedLogMels
from emokit.runtime import derived_seed
from emokit.training.batches import draw_mixup, mix, sampling_probabilities
from emokit.training.objective import Batch


class TrainingBatches:
    """The batches of each epoch; an epoch's number determines them."""

    def __init__(
        self,
        versions: Sequence[MappedLogMels | DeviceLogMels],
        shares: numpy.ndarray,
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
            versions: per speed factor, the utterances' log-mels; one of them is drawn each time.
            shares: (utterances, classes) share of each class in each utterance's target.
            augment: applied to each window.
            statistics: per speed factor, the mean and deviation that each utterance is standardised with after augmentation, as
                `normalise.statistics_of` gives them.
            window_frames, batch_size, mixup_alpha, seed: as in the settings.
            balanced: draw each class equally often, with replacement, instead of each utterance once.
        """
        self.versions, self.shares, self.augment, self.statistics = versions, shares, augment, statistics
        self.window_frames, self.batch_size = window_frames, batch_size
        self.mixup_alpha, self.balanced, self.seed = mixup_alpha, balanced, seed

    def __len__(self) -> int:
        # The last, smaller batch is left out: batch normalisation over a few utterances is noise, and over one an error.
        return len(self.shares) // self.batch_size

    def __call__(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch: input_features (batch, frames, mels) in decibels, targets (batch, classes)."""
        random = numpy.random.default_rng(derived_seed(self.seed, epoch, 1))
        size = len(self.shares)
        if self.balanced:
            order = random.choice(size, size=size, p=sampling_probabilities(self.shares))
        else:
            order = random.permutation(size)
        for first in range(0, len(self) * self.batch_size, self.batch_size):
            rows = order[first : first + self.batch_size]
            windows = self._windows(rows, random)
            targets = self.shares[rows]
            if self.mixup_alpha > 0:
                share, partners = draw_mixup(self.mixup_alpha, len(rows), random)
                windows = mix(windows, windows[torch.from_numpy(partners).to(windows.device)], share)
                targets = mix(targets, targets[partners], share)
            yield {"input_features": windows, "targets": torch.from_numpy(targets)}

    def _windows(self, rows: numpy.ndarray, random: numpy.random.Generator) -> Tensor:
        """(rows, frames, mels), each at a drawn speed, augmented and standardised."""
        speeds, draws = [], []
        for row in rows:
            speeds.append(int(random.integers(len(self.versions))) if len(self.versions) > 1 else 0)
            draws.append(self.augment.draw(self.versions[speeds[-1]].lengths[row], self.window_frames, random))
        windows: Tensor | None = None
        for speed, version in enumerate(self.versions):
            places = [place for place, chosen in enumerate(speeds) if chosen == speed]
            if places:
                starts = [draws[place].start for place in places]
                cut = version.windows([int(rows[place]) for place in places], starts, self.window_frames)
                windows = cut.new_empty(len(rows), *cut.shape[1:]) if windows is None else windows
                windows[torch.tensor(places, device=cut.device)] = cut
        if windows is None:
            raise ValueError("a batch has no utterance")
        windows = self.augment(windows, draws, random)
        per_row = [self.statistics[speed] for speed in speeds] if self.statistics else []
        statistics = [values[row] for values, row in zip(per_row, rows, strict=False) if values is not None]
        if not statistics:
            return windows
        return standardised(windows, torch.from_numpy(numpy.stack(statistics)).to(windows.device))
