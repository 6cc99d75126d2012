"""Augmentation: what is drawn stays within what the settings say."""

import numpy
import pytest
import torch
from pydantic import ValidationError

from emokit.audio.settings import AugmentationSettings
from emokit.audio.spectrogram.augment import Augment
from emokit.audio.spectrogram.batches import MappedLogMels

FRAMES, MELS = 40, 16


def make(**settings):
    return Augment(AugmentationSettings(**settings), 10.0, numpy.ones(MELS, numpy.float32))


def log_mel(frames=FRAMES, seed=0):
    return numpy.random.default_rng(seed).normal(-30, 5, (frames, MELS)).astype(numpy.float32)


def window(augment, of, frames, random):
    """One window of an utterance: drawn, cut and augmented."""
    drawn = augment.draw(len(of), frames, random)
    cut = MappedLogMels([of], torch.device("cpu")).windows([0], [drawn.start], frames)
    return augment(cut, [drawn], random)[0].numpy()


def test_without_augmentation_a_window_is_the_utterance():
    found = window(make(), log_mel(), FRAMES, numpy.random.default_rng(0))
    assert numpy.array_equal(found, log_mel())


def test_masks_are_no_larger_than_the_settings_say_and_hold_the_mean():
    random = numpy.random.default_rng(0)
    sizes = set()
    for _ in range(200):
        found = window(make(num_time_masks=1, time_mask_param=5), log_mel(), FRAMES, random)
        masked = (abs(found - log_mel().mean()) < 1e-4).all(axis=1)
        assert numpy.array_equal(found[~masked], log_mel()[~masked])
        sizes.add(int(masked.sum()))
    assert sizes == {0, 1, 2, 3, 4, 5}
    found = window(make(num_freq_masks=1, freq_mask_param=16), log_mel(), FRAMES, random)
    masked = (abs(found - log_mel().mean()) < 1e-4).all(axis=0)
    assert numpy.array_equal(found[:, ~masked], log_mel()[:, ~masked])


def test_a_short_utterance_is_moved_by_no_more_than_the_shift():
    random, short = numpy.random.default_rng(0), log_mel(10)
    firsts = set()
    for _ in range(200):
        found = window(make(shift_seconds=0.5), short, FRAMES, random)  # five frames
        first = int((found != short.min()).any(axis=1).argmax())
        assert numpy.array_equal(found[first : first + 10], short)
        firsts.add(first)
    assert firsts == {0, 1, 2, 3, 4, 5}


@pytest.mark.parametrize("snr", [0.0, 10.0, 30.0])
def test_noise_has_the_power_that_the_ratio_says(snr):
    found = window(make(noise_snr_db=(snr, snr)), log_mel(2000), 2000, numpy.random.default_rng(0))
    signal = (10 ** (log_mel(2000) / 10)).mean()
    added = (10 ** (found / 10) - 10 ** (log_mel(2000) / 10)).mean()
    assert 10 * numpy.log10(signal / added) == pytest.approx(snr, abs=0.05)


def test_gain_moves_all_bins_alike_and_no_further_than_the_settings_say():
    random = numpy.random.default_rng(0)
    for _ in range(50):
        difference = window(make(gain_db=6), log_mel(), FRAMES, random) - log_mel()
        assert difference.std() < 1e-4
        assert abs(difference.mean()) <= 6


def test_speeds_that_are_no_speeds_are_refused():
    with pytest.raises(ValidationError, match="must have speeds"):
        AugmentationSettings(speeds=(1.0, 3.0))
    with pytest.raises(ValidationError, match=r"must have noise_snr_db as \[lowest, highest\]"):
        AugmentationSettings(noise_snr_db=(20, 10))
