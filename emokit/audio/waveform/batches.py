"""What a pretrained encoder hears: the utterances' own sound at its rate, cut, augmented, mixed and batched by length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy
import pandas
import torch
from transformers import (
    AutoFeatureExtractor,
    SequenceFeatureExtractor,
    Wav2Vec2FeatureExtractor,
    WhisperFeatureExtractor,
)

from emokit.audio.feature_cache import AGAIN, Progress, Raw, kept
from emokit.audio.settings import AugmentationSettings
from emokit.data.prepared import Prepared
from emokit.errors import DataError, UsageError
from emokit.labels import NUM_LABELS
from emokit.runtime import derived_seed
from emokit.training.batches import LengthBatches
from emokit.training.hub import read_pretrained
from emokit.training.loop import Batch

EXTRACTOR = "preprocessor_config.json"
SHORTEST_SECONDS = (
    0.25  # what is shorter is filled up with silence: a wav2vec 2.0 has twelve frames of it, and masks ten
)


@dataclass(frozen=True)
class SpeechProcessor:
    """The feature extractor that belongs to an encoder."""

    extractor: SequenceFeatureExtractor

    @property
    def sample_rate(self) -> int:
        """Of the waveforms that it takes, in Hz."""
        return int(self.extractor.sampling_rate)

    @property
    def longest_seconds(self) -> float | None:
        """The most that it hears at a time; None where there is no such limit."""
        samples = getattr(self.extractor, "n_samples", None)
        return samples / self.sample_rate if samples else None

    def lengths(self, samples: numpy.ndarray) -> numpy.ndarray:
        """(utterances,) how many samples are computed with for waveforms of these lengths, padding to a fixed length included."""
        if self.longest_seconds is not None:
            return numpy.full_like(samples, round(self.longest_seconds * self.sample_rate))
        return numpy.maximum(samples, round(SHORTEST_SECONDS * self.sample_rate))

    def __call__(self, waveforms: Sequence[numpy.ndarray]) -> dict[str, torch.Tensor]:
        """What the encoder takes: waveforms (utterances, samples) or log-mels, and the mask of what is sound and not padding."""
        shortest = round(SHORTEST_SECONDS * self.sample_rate)
        filled = [numpy.pad(one, (0, max(0, shortest - len(one)))).astype(numpy.float32) for one in waveforms]
        padding = "longest" if self.longest_seconds is None else "max_length"
        return dict(
            self.extractor(
                filled,
                sampling_rate=self.sample_rate,
                padding=padding,
                return_attention_mask=True,
                return_tensors="pt",
            )
        )


def read_processor(folder: Path, name: str, revision: str | None = None) -> SpeechProcessor:
    """The feature extractor that lies in a folder.

    Args:
        folder: as `hub.find_model` found it.
        name, revision: what it was found for.

    Raises:
        DataError: there is none, or it is damaged.
        UsageError: it is of a kind that emokit does not know.
    """
    if not (folder / EXTRACTOR).is_file():
        raise DataError(f"{folder} has no {EXTRACTOR}, so it is no encoder of speech; mend model.name.")
    extractor = read_pretrained(AutoFeatureExtractor, folder, name, revision)
    if not isinstance(extractor, Wav2Vec2FeatureExtractor | WhisperFeatureExtractor):
        raise UsageError(
            f"{name} hears through a {type(extractor).__name__}, and emokit knows those of wav2vec 2.0 and its kin and of "
            "Whisper; choose another model.name."
        )
    return SpeechProcessor(extractor)


def waveforms_of(
    prepared: Prepared, rows: pandas.DataFrame, rate: int, speed: float = 1.0, progress: Progress | None = None
) -> list[numpy.ndarray]:
    """Each row's waveform (samples,) at `rate` Hz, float16 as it is kept on disk and mapped from there.

    Raises:
        DataError: the sound is no longer where it was prepared from, or cannot be read.
    """
    name = f"waveform-{rate}" if speed == 1 else f"waveform-{rate}-speed-{speed:g}"
    wanted = f"a pretrained encoder hears the sound itself; {AGAIN}"
    store = kept(prepared, name, Raw(rate, speed), rows, wanted, progress)
    return [store[utterance_id][:, 0] for utterance_id in rows["utterance_id"]]


class WaveformBatches(LengthBatches):
    """Batches of the training split by length: cut at random, augmented and mixed; an epoch's number decides all of it."""

    def __init__(
        self,
        versions: Sequence[Sequence[numpy.ndarray]],
        targets: numpy.ndarray,
        ears: SpeechProcessor,
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
            versions: per speed, the utterances' waveforms, each (samples,); one of them is drawn each time.
            targets: (utterances,) class numbers.
            ears: what makes the encoder's input of them.
            augmentation: gain and noise.
            window_seconds, batch_size, max_seconds_per_batch, mixup_alpha, seed: as the settings have them.
            balanced: draw each class equally often, with replacement, instead of each utterance once.
        """
        self.window = round(window_seconds * ears.sample_rate)
        longest = numpy.max([[len(waveform) for waveform in version] for version in versions], axis=0)
        super().__init__(
            ears.lengths(numpy.minimum(longest, self.window)),
            targets,
            batch_size=batch_size,
            budget=round(max_seconds_per_batch * ears.sample_rate),
            seed=seed,
            balanced=balanced,
        )
        self.versions, self.targets, self.ears, self.augmentation = versions, targets, ears, augmentation
        self.mixup_alpha = mixup_alpha

    def __call__(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch: what the encoder takes, its mask, and targets (batch, classes)."""
        random = numpy.random.default_rng(derived_seed(self.seed, epoch, 2))
        for rows in self.of_epoch(epoch):
            waveforms = [self._waveform(int(row), random) for row in rows]
            targets = numpy.eye(NUM_LABELS, dtype=numpy.float32)[self.targets[rows]]
            if self.mixup_alpha > 0:
                share = numpy.float32(random.beta(self.mixup_alpha, self.mixup_alpha))
                partner = random.permutation(len(rows))
                waveforms = [mixed(waveforms[row], waveforms[other], share) for row, other in enumerate(partner)]
                targets = share * targets + (1 - share) * targets[partner]
            yield {**self.ears(waveforms), "targets": torch.from_numpy(targets)}

    def _waveform(self, row: int, random: numpy.random.Generator) -> numpy.ndarray:
        """(samples,) float32, at most a window of it."""
        speed = int(random.integers(len(self.versions))) if len(self.versions) > 1 else 0
        waveform = self.versions[speed][row]
        start = int(random.integers(max(0, len(waveform) - self.window) + 1))
        window = waveform[start : start + self.window].astype(numpy.float32)
        of = self.augmentation
        if of.gain_db:
            window = window * numpy.float32(10 ** (random.uniform(-of.gain_db, of.gain_db) / 20))
        if of.noise_snr_db is not None:
            power = numpy.square(window).mean() * 10 ** (-random.uniform(*of.noise_snr_db) / 10)
            window = window + numpy.float32(power**0.5) * random.standard_normal(len(window), numpy.float32)
        return window


def mixed(one: numpy.ndarray, other: numpy.ndarray, share: numpy.float32) -> numpy.ndarray:
    """Two waveforms at once, `share` of the first; as long as the longer one."""
    result = numpy.zeros(max(len(one), len(other)), numpy.float32)
    result[: len(one)] += share * one
    result[: len(other)] += (1 - share) * other
    return result
