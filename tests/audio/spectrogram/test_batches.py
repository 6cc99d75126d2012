"""Training batches: shuffled, padded, mixed, and determined by the epoch's number."""

import numpy
import torch

from emokit.audio.settings import AugmentationSettings
from emokit.audio.spectrogram.augment import Augment
from emokit.audio.spectrogram.batches import TrainingBatches
from emokit.audio.spectrogram.windows import MappedLogMels
from emokit.training.batches import one_hot

CPU = torch.device("cpu")


def make(mixup_alpha=0.0, count=10, frames=(4, 9, 30), seed=0, balanced=False, statistics=None):
    # Utterance i is made of the number i + 1, so that a batch shows its utterances.
    log_mels = [numpy.full((frames[i % len(frames)], 3), i + 1, numpy.float16) for i in range(count)]
    log_mels = [
        numpy.concatenate([log_mel, log_mel[-1:] * 0]) for log_mel in log_mels
    ]  # the last frame is the quietest
    shares = one_hot(numpy.arange(count) % 7, 7)
    augment = Augment(AugmentationSettings(), 43.0, numpy.ones(3, numpy.float32))
    how = {"window_frames": 8, "batch_size": 4, "mixup_alpha": mixup_alpha, "balanced": balanced}
    return TrainingBatches([MappedLogMels(log_mels, CPU)], shares, augment, statistics, **how, seed=seed)


def test_every_batch_is_full_and_no_utterance_comes_twice_in_an_epoch():
    batches = make()
    epoch = list(batches(1))
    assert len(epoch) == len(batches) == 2
    seen = [int(value) for batch in epoch for value in batch["input_features"][:, 0, 0]]
    assert len(seen) == len(set(seen)) == 8
    for batch in epoch:
        assert batch["input_features"].shape == (4, 8, 3)
        assert batch["input_features"].dtype == torch.float32
        utterances = batch["input_features"][:, 0, 0].long() - 1
        assert torch.equal(batch["targets"].argmax(dim=1), utterances % 7)


def test_a_short_utterance_is_padded_with_its_quietest_value():
    batch = next(make(count=4, frames=(2,))(1))
    first = batch["input_features"][0, :, 0]
    assert first[0] > 0
    assert first[2:].tolist() == [0.0] * 6


def test_the_number_of_the_epoch_determines_the_batches():
    def values(batches, epoch):
        return torch.cat([batch["input_features"] for batch in batches(epoch)])

    assert torch.equal(values(make(0.4), 3), values(make(0.4), 3))
    assert not torch.equal(values(make(0.4), 3), values(make(0.4), 4))
    assert not torch.equal(values(make(0.4), 3), values(make(0.4, seed=1), 3))


def test_mixup_mixes_targets_with_the_same_share_as_spectrograms():
    batches = make(mixup_alpha=1.0, count=7, frames=(20,))
    batches.batch_size = 7
    batch = next(batches(1))
    values, targets = batch["input_features"][:, 0, 0], batch["targets"]
    assert torch.allclose(targets.sum(dim=1), torch.ones(7))
    # Utterance i holds the number i + 1 and has the target i, so both sides must have the same mean.
    assert torch.allclose(values, (targets * torch.arange(1.0, 8.0)).sum(dim=1), atol=1e-5)
    assert bool((targets.max(dim=1).values < 1).any())


def test_a_balanced_sampler_draws_each_class_equally_often():
    batches = make(count=700, balanced=True)
    batches.shares = one_hot(numpy.repeat([0, 5], [600, 100]), 7)
    drawn = torch.cat([batch["targets"].argmax(dim=1) for epoch in range(1, 6) for batch in batches(epoch)])
    assert abs((drawn == 5).float().mean().item() - 0.5) < 4 * 0.5 / len(drawn) ** 0.5  # four standard errors


def test_each_speed_is_drawn():
    batches = make(count=8, frames=(20,))
    batches.versions = [
        batches.versions[0],
        MappedLogMels([log_mel + 100 for log_mel in batches.versions[0].log_mels], CPU),
    ]
    drawn = torch.cat([batch["input_features"][:, 0, 0] for batch in batches(1)])
    assert 0 < (drawn > 100).sum() < 8


def test_windows_are_standardised_with_the_statistics_of_their_utterance():
    # Utterance i is made of the number i + 1: with mean i and deviation 2 every first frame becomes one half.
    statistics = numpy.stack([numpy.stack([numpy.full(3, i), numpy.full(3, 2.0)]) for i in range(10)])
    for batch in make(statistics=[statistics.astype(numpy.float32)])(1):
        assert torch.all(batch["input_features"][:, 0] == 0.5)


def test_targets_have_the_width_of_the_label_set():
    batches = make()
    batches.shares = numpy.eye(9, dtype=numpy.float32)
    assert next(batches(1))["targets"].shape == (4, 9)
