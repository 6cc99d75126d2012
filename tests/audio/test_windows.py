"""Windows and batches: cut, padded, mixed, and decided by the epoch's number alone."""

import numpy
import pytest
import torch

from emokit.audio.augment import Augment
from emokit.audio.settings import AugmentationSettings
from emokit.audio.windows import TrainingBatches, mean_and_deviation, starts


@pytest.mark.parametrize(
    ("frames", "expected"), [(1, [0]), (130, [0]), (131, [0, 1]), (260, [0, 130]), (300, [0, 85, 170])]
)
def test_as_few_windows_as_cover_an_utterance(frames, expected):
    assert starts(frames, 130) == expected


def test_mean_and_deviation_are_over_all_frames_of_all_utterances():
    random = numpy.random.default_rng(0)
    log_mels = [random.normal(-40, 10, (frames, 6)).astype(numpy.float16) for frames in (3, 50, 17)]
    mean, deviation = mean_and_deviation(log_mels)
    joined = numpy.concatenate(log_mels).astype(numpy.float64)
    assert numpy.allclose(mean, joined.mean(axis=0), atol=1e-4)
    assert numpy.allclose(deviation, joined.std(axis=0), atol=1e-4)


def test_windows_that_overlap_start_closer_together():
    assert starts(260, 130, overlap=0.5) == [0, 65, 130]
    assert starts(100, 130, overlap=0.5) == [0]


def make(mixup_alpha=0.0, count=10, frames=(4, 9, 30), seed=0, balanced=False):
    # Utterance i is made of the number i + 1, so that what is in a batch can be read off.
    log_mels = [numpy.full((frames[i % len(frames)], 3), i + 1, numpy.float16) for i in range(count)]
    log_mels = [
        numpy.concatenate([log_mel, log_mel[-1:] * 0]) for log_mel in log_mels
    ]  # the last frame is the quietest
    targets = numpy.arange(count) % 7
    augment = Augment(AugmentationSettings(), 43.0, numpy.ones(3, numpy.float32))
    chosen = {"window_frames": 8, "batch_size": 4, "mixup_alpha": mixup_alpha, "balanced": balanced, "seed": seed}
    return TrainingBatches([log_mels], targets, augment, **chosen)


def test_every_batch_is_full_and_no_utterance_comes_twice_in_an_epoch():
    batches = make()
    found = list(batches(1))
    assert len(found) == len(batches) == 2
    seen = [int(value) for batch in found for value in batch["input_features"][:, 0, 0]]
    assert len(seen) == len(set(seen)) == 8
    for batch in found:
        assert batch["input_features"].shape == (4, 8, 3)
        assert batch["input_features"].dtype == torch.float32
        utterances = batch["input_features"][:, 0, 0].long() - 1
        assert torch.equal(batch["targets"].argmax(dim=1), utterances % 7)


def test_a_short_utterance_is_padded_with_its_quietest_value():
    batch = next(make(count=4, frames=(2,))(1))
    first = batch["input_features"][0, :, 0]
    assert first[0] > 0
    assert first[2:].tolist() == [0.0] * 6


def test_the_number_of_the_epoch_decides_the_batches():
    def values(batches, epoch):
        return torch.cat([batch["input_features"] for batch in batches(epoch)])

    assert torch.equal(values(make(0.4), 3), values(make(0.4), 3))
    assert not torch.equal(values(make(0.4), 3), values(make(0.4), 4))
    assert not torch.equal(values(make(0.4), 3), values(make(0.4, seed=1), 3))


def test_mixup_mixes_targets_by_the_share_that_it_mixes_sound_by():
    batches = make(mixup_alpha=1.0, count=7, frames=(20,))
    batches.batch_size = 7
    batch = next(batches(1))
    values, targets = batch["input_features"][:, 0, 0], batch["targets"]
    assert torch.allclose(targets.sum(dim=1), torch.ones(7))
    # Utterance i holds the number i + 1 and has the label i, so both sides must name the same mean number.
    assert torch.allclose(values, (targets * torch.arange(1.0, 8.0)).sum(dim=1), atol=1e-5)
    assert bool((targets.max(dim=1).values < 1).any())


def test_a_balanced_sampler_draws_each_class_equally_often():
    batches = make(count=700, balanced=True)
    batches.targets = numpy.repeat([0, 5], [600, 100])
    drawn = torch.cat([batch["targets"].argmax(dim=1) for epoch in range(1, 6) for batch in batches(epoch)])
    assert abs((drawn == 5).float().mean().item() - 0.5) < 4 * 0.5 / len(drawn) ** 0.5  # four standard errors


def test_each_speed_is_drawn():
    batches = make(count=8, frames=(20,))
    batches.versions = [batches.versions[0], [log_mel + 100 for log_mel in batches.versions[0]]]
    drawn = torch.cat([batch["input_features"][:, 0, 0] for batch in batches(1)])
    assert 0 < (drawn > 100).sum() < 8
