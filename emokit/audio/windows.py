"""What the model sees of an utterance: windows of a fixed number of frames, cut, padded, stacked and mixed."""

from collections.abc import Iterator, Sequence

import numpy
import torch

from emokit.audio.augment import Augment
from emokit.labels import NUM_LABELS
from emokit.runtime import derived_seed
from emokit.training.loop import Batch


def starts(num_frames: int, window_frames: int, overlap: float = 0.0) -> list[int]:
    """The first frames of as few evenly spaced windows as cover an utterance and overlap by at least this share of a window."""
    if num_frames <= window_frames:
        return [0]
    step = max(1, int(window_frames * (1 - overlap)))
    count = 1 + -(-(num_frames - window_frames) // step)
    return [round(start) for start in numpy.linspace(0, num_frames - window_frames, count)]


def mean_and_deviation(log_mels: Sequence[numpy.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean and deviation of each mel bin over all frames of all utterances, both (mels,) in decibels."""
    frames, total, squares = 0, 0.0, 0.0
    for log_mel in log_mels:
        values = log_mel.astype(numpy.float64)
        frames += len(values)
        total = total + values.sum(axis=0)
        squares = squares + numpy.square(values).sum(axis=0)
    mean = numpy.asarray(total / frames)
    deviation = numpy.sqrt(numpy.maximum(squares / frames - numpy.square(mean), 0))
    return torch.tensor(mean, dtype=torch.float32), torch.tensor(deviation, dtype=torch.float32)


class TrainingBatches:
    """Shuffled, randomly cut, augmented and mixed batches; the number of an epoch decides all of it."""

    def __init__(
        self,
        versions: Sequence[Sequence[numpy.ndarray]],
        targets: numpy.ndarray,
        augment: Augment,
        *,
        window_frames: int,
        batch_size: int,
        mixup_alpha: float,
        balanced: bool,
        seed: int,
    ) -> None:
        """Take the training utterances.

        Args:
            versions: per speed, the utterances' log-mels, each (frames, mels); one of them is drawn each time.
            targets: (utterances,) class numbers.
            augment: what is done to each.
            window_frames, batch_size, mixup_alpha, seed: as the settings have them.
            balanced: draw each class equally often, with replacement, instead of each utterance once.
        """
        self.versions, self.targets, self.augment = versions, targets, augment
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
            windows = numpy.stack([self._window(int(row), random) for row in rows])
            targets = numpy.eye(NUM_LABELS, dtype=numpy.float32)[self.targets[rows]]
            if self.mixup_alpha > 0:
                share = numpy.float32(random.beta(self.mixup_alpha, self.mixup_alpha))
                partner = random.permutation(len(rows))
                windows = share * windows + (1 - share) * windows[partner]
                targets = share * targets + (1 - share) * targets[partner]
            yield {"input_features": torch.from_numpy(windows), "targets": torch.from_numpy(targets)}

    def _balanced_order(self, random: numpy.random.Generator) -> numpy.ndarray:
        chance = 1 / numpy.bincount(self.targets, minlength=NUM_LABELS).clip(1)[self.targets]
        return random.choice(len(self.targets), size=len(self.targets), p=chance / chance.sum())

    def _window(self, row: int, random: numpy.random.Generator) -> numpy.ndarray:
        version = (
            self.versions[int(random.integers(len(self.versions)))] if len(self.versions) > 1 else self.versions[0]
        )
        return self.augment.window(version[row], self.window_frames, random)
