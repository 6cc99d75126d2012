"""Waveforms of a prepared folder, and training batches of them: cut, augmented, mixed and batched by length."""

from collections.abc import Iterator, Sequence

import numpy
import pandas
import torch

from emokit.audio.feature_cache import AGAIN, WaveformExtractor, cached_features
from emokit.audio.settings import AugmentationSettings
from emokit.audio.waveform.processor import SpeechProcessor
from emokit.data.prepared import Prepared
from emokit.modality.protocol import Progress
from emokit.runtime import derived_seed
from emokit.training.batches import LengthBatches, draw_mixup, mix
from emokit.training.objective import Batch


def waveforms_of(
    prepared: Prepared, rows: pandas.DataFrame, rate: int, speed: float = 1.0, progress: Progress | None = None
) -> list[numpy.ndarray]:
    """Each row's waveform (samples,) at `rate` Hz, float16, memory-mapped from the feature cache.

    Raises:
        DataError: a recording is no longer where it was prepared from, is another one, or cannot be read.
    """
    name = f"waveform-{rate}" if speed == 1 else f"waveform-{rate}-speed-{speed:g}"
    purpose = f"a pretrained encoder needs the waveform; {AGAIN}"
    store = cached_features(prepared, name, WaveformExtractor(rate, speed), rows, purpose, progress)
    return [store[utterance_id][:, 0] for utterance_id in rows["utterance_id"]]


class WaveformBatches(LengthBatches):
    """Batches of the training split by length: cut at random, augmented and mixed; an epoch's number determines them."""

    def __init__(
        self,
        versions: Sequence[Sequence[numpy.ndarray]],
        shares: numpy.ndarray,
        processor: SpeechProcessor,
        augmentation: AugmentationSettings,
        *,
        window_seconds: float,
        batch_size: int,
        max_seconds_per_batch: float,
        mixup_alpha: float,
        balanced: bool,
        seed: int,
    ) -> None:
        """Take the training utterances.

        Args:
            versions: per speed factor, the utterances' waveforms, each (samples,); one of them is drawn each time.
            shares: (utterances, classes) share of each class in each utterance's target.
            processor: of the encoder.
            augmentation: gain and noise.
            window_seconds, batch_size, max_seconds_per_batch, mixup_alpha, seed: as in the settings.
            balanced: draw each class equally often, with replacement, instead of each utterance once.
        """
        self.window = round(window_seconds * processor.sample_rate)
        longest = numpy.max([[len(waveform) for waveform in version] for version in versions], axis=0)
        super().__init__(
            processor.lengths(numpy.minimum(longest, self.window)),
            shares,
            batch_size=batch_size,
            budget=round(max_seconds_per_batch * processor.sample_rate),
            seed=seed,
            balanced=balanced,
        )
        self.versions, self.shares, self.processor = versions, shares, processor
        self.augmentation, self.mixup_alpha = augmentation, mixup_alpha

    def __call__(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch: the encoder's inputs with their mask, and targets (batch, classes)."""
        random = numpy.random.default_rng(derived_seed(self.seed, epoch, 2))
        for rows in self.of_epoch(epoch):
            waveforms = [self._waveform(int(row), random) for row in rows]
            targets = self.shares[rows]
            if self.mixup_alpha > 0:
                drawn, partners = draw_mixup(self.mixup_alpha, len(rows), random)
                share = numpy.float32(drawn)
                waveforms = [mixed(waveforms[row], waveforms[other], share) for row, other in enumerate(partners)]
                targets = mix(targets, targets[partners], share)
            yield {**self.processor(waveforms), "targets": torch.from_numpy(targets)}

    def _waveform(self, row: int, random: numpy.random.Generator) -> numpy.ndarray:
        """(samples,) float32, at most a window of the utterance."""
        speed = int(random.integers(len(self.versions))) if len(self.versions) > 1 else 0
        waveform = self.versions[speed][row]
        start = int(random.integers(max(0, len(waveform) - self.window) + 1))
        window = waveform[start : start + self.window].astype(numpy.float32)
        gain_db, snr_db = self.augmentation.gain_db, self.augmentation.noise_snr_db
        if gain_db:
            window = window * numpy.float32(10 ** (random.uniform(-gain_db, gain_db) / 20))
        if snr_db is not None:
            power = numpy.square(window).mean() * 10 ** (-random.uniform(*snr_db) / 10)
            window = window + numpy.float32(power**0.5) * random.standard_normal(len(window), numpy.float32)
        return window


def mixed(first: numpy.ndarray, second: numpy.ndarray, share: numpy.float32) -> numpy.ndarray:
    """The sum of two waveforms, `share` of the first; as long as the longer one."""
    result = numpy.zeros(max(len(first), len(second)), numpy.float32)
    result[: len(first)] += share * first
    result[: len(second)] += (1 - share) * second
    return result
