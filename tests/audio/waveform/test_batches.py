"""Waveforms for pretrained encoders: cut, mixed and batched by length; the epoch's number determines the batches."""

import shutil

import numpy
import pytest
import soundfile
import torch
from transformers import Wav2Vec2FeatureExtractor

from emokit.audio.settings import AugmentationSettings
from emokit.audio.waveform.batches import WaveformBatches, mixed, waveforms_of
from emokit.audio.waveform.processor import SpeechProcessor
from emokit.data.prepared import open_prepared
from emokit.training.batches import one_hot

RATE = 16_000
PROCESSOR = SpeechProcessor(Wav2Vec2FeatureExtractor(do_normalize=False))
RANDOM = numpy.random.default_rng(0)
WAVEFORMS = [RANDOM.normal(0, 0.1, length).astype(numpy.float16) for length in RANDOM.integers(5000, 40_000, 60)]
TARGETS = RANDOM.integers(0, 7, 60)


def new_batches(versions=(WAVEFORMS,), augmentation=None, targets=TARGETS, **overrides):
    usual = {
        "window_seconds": 1.5,
        "batch_size": 8,
        "max_seconds_per_batch": 6.0,
        "mixup_alpha": 0.0,
        "balanced": False,
        "seed": 0,
    }
    augmentation = augmentation or AugmentationSettings()
    return WaveformBatches(versions, one_hot(targets, 7), PROCESSOR, augmentation, **(usual | overrides))


def test_a_batch_has_at_most_so_many_seconds_and_every_utterance_comes_once():
    batches = new_batches()
    for batch in batches(1):
        assert batch["input_values"].numel() <= 6 * RATE
        assert len(batch["targets"]) <= 8
    seen = numpy.concatenate([batch["targets"].argmax(1) for batch in batches(1)])
    assert numpy.bincount(seen).tolist() == numpy.bincount(TARGETS).tolist()
    assert len(list(batches(2))) == len(batches)


def test_a_window_of_a_long_utterance_is_cut_at_random():
    long = numpy.arange(40_000, dtype=numpy.float32)
    batches = new_batches([[long]], targets=TARGETS[:1], window_seconds=1.0, batch_size=1, max_seconds_per_batch=9.0)
    first, second = (next(batches(epoch))["input_values"][0] for epoch in (1, 2))
    assert first.tolist() == list(range(int(first[0]), int(first[0]) + RATE))
    assert first[0] != second[0]


def test_the_number_of_the_epoch_determines_the_batches():
    noisy = AugmentationSettings(noise_snr_db=(0, 20), gain_db=6, speed_factors=(1.0, 0.9))
    slower = [numpy.repeat(waveform, 2) for waveform in WAVEFORMS]
    first, same_seed, other_seed = (
        new_batches((WAVEFORMS, slower), noisy, mixup_alpha=0.4, seed=seed) for seed in (0, 0, 1)
    )
    for batch, same, different in zip(first(3), same_seed(3), other_seed(3), strict=True):
        assert all(torch.equal(batch[name], same[name]) for name in batch)
        assert batch["input_values"].shape != different["input_values"].shape or not torch.equal(
            batch["input_values"], different["input_values"]
        )


def test_two_waveforms_are_mixed_over_the_longer_one():
    assert mixed(numpy.ones(2), numpy.full(4, 2.0), numpy.float32(0.75)).tolist() == [1.25, 1.25, 0.5, 0.5]


def test_targets_are_mixed_as_the_waveforms_are():
    constant = [numpy.full(8000, target, numpy.float32) for target in TARGETS]
    for batch in new_batches((constant,), mixup_alpha=1.0)(1):
        values = batch["input_values"][:, 0]
        assert torch.allclose(values, batch["targets"] @ torch.arange(7.0), atol=1e-5)


def test_noise_has_the_signal_to_noise_ratio_of_the_settings():
    constant = [numpy.full(24_000, 0.5, numpy.float32)] * 60
    noisy = new_batches((constant,), AugmentationSettings(noise_snr_db=(10, 10)))
    noise = next(noisy(1))["input_values"] - 0.5
    assert 10 * numpy.log10(0.25 / float(noise.square().mean())) == pytest.approx(10, abs=0.2)


def test_waveforms_of_a_prepared_folder_are_cached_by_rate_and_speed(small_prepared, tmp_path):
    prepared = open_prepared(shutil.copytree(small_prepared, tmp_path / "prepared"))
    rows = prepared.table.head(2)
    normal, slower = (waveforms_of(prepared, rows, 8_000, speed) for speed in (1.0, 0.8))
    for row, path in enumerate(rows["path"]):
        seconds = soundfile.info(f"{prepared.roots['emodb']}/{path}").duration
        assert (normal[row].dtype, normal[row].ndim) == (numpy.float16, 1)
        assert len(normal[row]) == pytest.approx(8_000 * seconds, abs=2)
        assert len(slower[row]) == pytest.approx(10_000 * seconds, abs=2)
    stores = {path.name for path in (prepared.folder / "features").glob("waveform*")}
    assert stores == {"waveform-8000", "waveform-8000-speed-0.8"}
