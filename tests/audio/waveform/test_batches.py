"""Waveforms for pretrained encoders: padded, cut, mixed and batched by length; the epoch's number decides all of it."""

import numpy
import pytest
import torch
from transformers import Wav2Vec2FeatureExtractor, WhisperFeatureExtractor

from emokit.audio.settings import AugmentationSettings
from emokit.audio.waveform.batches import SpeechProcessor, WaveformBatches, mixed

RATE = 16_000
EARS = SpeechProcessor(Wav2Vec2FeatureExtractor(do_normalize=False))
WHISPER = SpeechProcessor(WhisperFeatureExtractor(feature_size=16, chunk_length=2))
RANDOM = numpy.random.default_rng(0)
SOUNDS = [RANDOM.normal(0, 0.1, length).astype(numpy.float16) for length in RANDOM.integers(5000, 40_000, 60)]
TARGETS = RANDOM.integers(0, 7, 60)


def batches(versions=(SOUNDS,), ears=EARS, augmentation=None, **how):
    usual = {
        "window_seconds": 1.5,
        "batch_size": 8,
        "max_seconds_per_batch": 6.0,
        "mixup_alpha": 0.0,
        "balanced": False,
        "seed": 0,
    }
    return WaveformBatches(versions, TARGETS, ears, augmentation or AugmentationSettings(), **(usual | how))


def test_waveforms_are_padded_on_the_right_and_the_mask_says_where():
    found = EARS([numpy.full(5000, 0.5), numpy.full(7000, 0.25)])
    assert found["input_values"].shape == (2, 7000)
    assert found["input_values"][0, 4999:5001].tolist() == [0.5, 0.0]
    assert found["attention_mask"].sum(1).tolist() == [5000, 7000]


def test_each_clip_is_normalised_by_itself():
    ears = SpeechProcessor(Wav2Vec2FeatureExtractor())
    together = ears([SOUNDS[0], SOUNDS[1]])["input_values"]
    alone = ears([SOUNDS[0]])["input_values"][0]
    assert torch.allclose(together[0, : len(alone)], alone, atol=1e-6)
    assert (float(alone.mean()), float(alone.std())) == pytest.approx((0, 1), abs=1e-3)


@pytest.mark.parametrize("ears", [EARS, WHISPER])
def test_a_clip_shorter_than_one_frame_is_filled_up_with_silence(ears):
    found = ears([numpy.full(10, 0.5)])
    per_mark = 1 if ears is EARS else 160  # samples to a place of the mask
    assert int(found["attention_mask"].sum()) == 4000 // per_mark


def test_whisper_takes_every_clip_as_long_as_it_hears():
    found = WHISPER([SOUNDS[0][:16_000], SOUNDS[1][:8000]])
    assert found["input_features"].shape == (2, 16, 200)
    assert found["attention_mask"].sum(1).tolist() == [100, 50]
    assert WHISPER.lengths(numpy.array([100, 9000])).tolist() == [32_000, 32_000]


def test_a_batch_holds_no_more_seconds_than_allowed_and_every_utterance_comes_once():
    of = batches()
    for batch in of(1):
        assert batch["input_values"].numel() <= 6 * RATE
        assert len(batch["targets"]) <= 8
    seen = numpy.concatenate([batch["targets"].argmax(1) for batch in of(1)])
    assert numpy.bincount(seen).tolist() == numpy.bincount(TARGETS).tolist()
    assert len(list(of(2))) == len(of)


def test_of_a_long_utterance_a_window_is_cut_at_random():
    long = numpy.arange(40_000, dtype=numpy.float32)
    of = WaveformBatches(
        [[long]], TARGETS[:1], EARS, AugmentationSettings(), window_seconds=1.0, batch_size=1, max_seconds_per_batch=9.0,
        mixup_alpha=0.0, balanced=False, seed=0,
    )  # fmt: skip
    first, second = (next(of(epoch))["input_values"][0] for epoch in (1, 2))
    assert first.tolist() == list(range(int(first[0]), int(first[0]) + RATE))
    assert first[0] != second[0]


def test_the_epochs_number_decides_all_of_it():
    noisy = AugmentationSettings(noise_snr_db=(0, 20), gain_db=6, speeds=(1.0, 0.9))
    slower = [numpy.repeat(sound, 2) for sound in SOUNDS]
    one, again, other = (
        batches((SOUNDS, slower), augmentation=noisy, mixup_alpha=0.4, seed=seed) for seed in (0, 0, 1)
    )
    for batch, same, different in zip(one(3), again(3), other(3), strict=True):
        assert all(torch.equal(batch[name], same[name]) for name in batch)
        assert batch["input_values"].shape != different["input_values"].shape or not torch.equal(
            batch["input_values"], different["input_values"]
        )


def test_two_waveforms_are_mixed_over_the_longer_one():
    assert mixed(numpy.ones(2), numpy.full(4, 2.0), numpy.float32(0.75)).tolist() == [1.25, 1.25, 0.5, 0.5]


def test_targets_are_mixed_as_the_waveforms_are():
    constant = [numpy.full(8000, target, numpy.float32) for target in TARGETS]
    for batch in batches((constant,), mixup_alpha=1.0)(1):
        heard = batch["input_values"][:, 0]
        assert torch.allclose(heard, batch["targets"] @ torch.arange(7.0), atol=1e-5)


def test_noise_has_the_power_that_was_asked_for():
    tone = [numpy.full(24_000, 0.5, numpy.float32)] * 60
    noisy = batches((tone,), augmentation=AugmentationSettings(noise_snr_db=(10, 10)))
    noise = next(noisy(1))["input_values"] - 0.5
    assert 10 * numpy.log10(0.25 / float(noise.square().mean())) == pytest.approx(10, abs=0.2)
