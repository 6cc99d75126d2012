"""Windows and batches: cut, padded, mixed, and decided by the epoch's number alone."""

import numpy
import pytest
import torch

from emokit.audio.settings import AugmentationSettings
from emokit.audio.spectrogram.augment import Augment
from emokit.audio.spectrogram.batches import DeviceLogMels, MappedLogMels, TrainingBatches, on_device, starts

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("frames", "expected"), [(1, [0]), (130, [0]), (131, [0, 1]), (260, [0, 130]), (300, [0, 85, 170])]
)
def test_as_few_windows_as_cover_an_utterance(frames, expected):
    assert starts(frames, 130) == expected


def test_windows_that_overlap_start_closer_together():
    assert starts(260, 130, overlap=0.5) == [0, 65, 130]
    assert starts(100, 130, overlap=0.5) == [0]


def make(mixup_alpha=0.0, count=10, frames=(4, 9, 30), seed=0, balanced=False, statistics=None):
    # Utterance i is made of the number i + 1, so that what is in a batch can be read off.
    log_mels = [numpy.full((frames[i % len(frames)], 3), i + 1, numpy.float16) for i in range(count)]
    log_mels = [
        numpy.concatenate([log_mel, log_mel[-1:] * 0]) for log_mel in log_mels
    ]  # the last frame is the quietest
    targets = numpy.arange(count) % 7
    augment = Augment(AugmentationSettings(), 43.0, numpy.ones(3, numpy.float32))
    chosen = {"window_frames": 8, "batch_size": 4, "mixup_alpha": mixup_alpha, "balanced": balanced, "seed": seed}
    return TrainingBatches([MappedLogMels(log_mels, CPU)], targets, augment, statistics, **chosen)


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
    batches.versions = [
        batches.versions[0],
        MappedLogMels([log_mel + 100 for log_mel in batches.versions[0].log_mels], CPU),
    ]
    drawn = torch.cat([batch["input_features"][:, 0, 0] for batch in batches(1)])
    assert 0 < (drawn > 100).sum() < 8


def test_windows_are_standardised_with_their_own_statistics_after_they_are_augmented():
    # Utterance i is made of the number i + 1: with mean i and deviation 2 every first frame comes to one half.
    own = numpy.stack([numpy.stack([numpy.full(3, i), numpy.full(3, 2.0)]) for i in range(10)]).astype(numpy.float32)
    for batch in make(statistics=[own])(1):
        assert torch.all(batch["input_features"][:, 0] == 0.5)


def test_log_mels_that_are_kept_on_the_device_give_the_windows_of_those_that_are_not():
    random = numpy.random.default_rng(0)
    log_mels = [random.normal(-40, 10, (frames, 5)).astype(numpy.float16) for frames in (1, 8, 30, 12)]
    asked = ([3, 0, 1, 2, 2, 0], [0, 0, -3, 22, 5, -7], 8)
    mapped, kept = MappedLogMels(log_mels, CPU), DeviceLogMels(log_mels, CPU)
    assert torch.equal(mapped.windows(*asked), kept.windows(*asked))
    assert mapped.lengths == kept.lengths == [1, 8, 30, 12]
    silence = float(log_mels[1].min())
    assert mapped.windows([1], [-3], 8)[0, :3].tolist() == [[silence] * 5] * 3
    assert mapped.windows([1], [-3], 8)[0, 3:].tolist() == log_mels[1][:5].tolist()


def test_off_a_gpu_log_mels_stay_where_they_are():
    (found,) = on_device([[numpy.zeros((3, 2), numpy.float16)]], CPU)
    assert isinstance(found, MappedLogMels)


@pytest.mark.parametrize(("free", "kind"), [(96, "kept"), (95, "mapped")])
def test_all_speeds_together_have_to_fit_into_half_of_what_a_gpu_has_free(monkeypatch, free, kind):
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda device: (free, 1_000))
    monkeypatch.setattr("emokit.audio.spectrogram.batches.DeviceLogMels", lambda log_mels, device: "kept")
    monkeypatch.setattr("emokit.audio.spectrogram.batches.MappedLogMels", lambda log_mels, device: "mapped")
    speed = [numpy.zeros((3, 2), numpy.float16)] * 2  # 24 bytes
    assert on_device([speed, speed], torch.device("cuda")) == [kind, kind]
