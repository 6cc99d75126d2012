"""Augmentation: drawn values stay within the settings."""

import numpy
import pytest
import torch

from emokit.audio.settings import AugmentationSettings
from emokit.audio.spectrogram.augment import Augment
from emokit.audio.spectrogram.windows import MappedLogMels

FRAMES, MELS = 40, 16


def make(**settings):
    return Augment(AugmentationSettings(**settings), 10.0, numpy.ones(MELS, numpy.float32))


def log_mel(frames=FRAMES, seed=0):
    return numpy.random.default_rng(seed).normal(-30, 5, (frames, MELS)).astype(numpy.float32)


def window(augment, utterance, frames, random):
    """One window of an utterance: drawn, cut and augmented."""
    drawn = augment.draw(len(utterance), frames, random)
    cut = MappedLogMels([utterance], torch.device("cpu")).windows([0], [drawn.start], frames)
    return augment(cut, [drawn], random)[0].numpy()


def test_without_augmentation_a_window_is_the_utterance():
    augmented = window(make(), log_mel(), FRAMES, numpy.random.default_rng(0))
    assert numpy.array_equal(augmented, log_mel())


def test_masks_are_at_most_as_large_as_the_settings_allow_and_hold_the_mean():
    random = numpy.random.default_rng(0)
    sizes = set()
    for _ in range(200):
        augmented = window(make(num_time_masks=1, time_mask_param=5), log_mel(), FRAMES, random)
        masked = (abs(augmented - log_mel().mean()) < 1e-4).all(axis=1)
        assert numpy.array_equal(augmented[~masked], log_mel()[~masked])
        sizes.add(int(masked.sum()))
    assert sizes == {0, 1, 2, 3, 4, 5}
    augmented = window(make(num_freq_masks=1, freq_mask_param=16), log_mel(), FRAMES, random)
    masked = (abs(augmented - log_mel().mean()) < 1e-4).all(axis=0)
    assert numpy.array_equal(augmented[:, ~masked], log_mel()[:, ~masked])


def test_a_short_utterance_is_moved_by_at_most_the_shift():
    random, short = numpy.random.default_rng(0), log_mel(10)
    firsts = set()
    for _ in range(200):
        augmented = window(make(shift_seconds=0.5), short, FRAMES, random)  # five frames
        first = int((augmented != short.min()).any(axis=1).argmax())
        assert numpy.array_equal(augmented[first : first + 10], short)
        firsts.add(first)
    assert firsts == {0, 1, 2, 3, 4, 5}


@pytest.mark.parametrize("snr", [0.0, 10.0, 30.0])
def test_noise_has_the_signal_to_noise_ratio_of_the_settings(snr):
    augmented = window(make(noise_snr_db=(snr, snr)), log_mel(2000), 2000, numpy.random.default_rng(0))
    signal = (10 ** (log_mel(2000) / 10)).mean()
    added = (10 ** (augmented / 10) - 10 ** (log_mel(2000) / 10)).mean()
    assert 10 * numpy.log10(signal / added) == pytest.approx(snr, abs=0.05)


def test_gain_moves_all_bins_alike_and_at_most_as_far_as_the_settings_allow():
    random = numpy.random.default_rng(0)
    for _ in range(50):
        difference = window(make(gain_db=6), log_mel(), FRAMES, random) - log_mel()
        assert difference.std() < 1e-4
        assert abs(difference.mean()) <= 6
