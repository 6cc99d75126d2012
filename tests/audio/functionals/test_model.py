"""Functionals against other implementations, and the regression on them against scikit-learn's."""

from pathlib import Path
from typing import Any

import librosa
import numpy
import pytest
import scipy.fft
import scipy.stats
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from emokit.audio.functionals import model
from emokit.audio.functionals.model import (
    NUM_FUNCTIONALS,
    QUANTILES,
    FunctionalsConfig,
    FunctionalsForAudioClassification,
)
from emokit.training.linear.fit import of_all_classes
from emokit.training.model_checks import load_pretrained

NUM_CLASSES = 7
NUM_CURVES = 2 * (model.NUM_BANDS + model.NUM_CEPSTRA)


def speech(seed: int = 0, frames: int = 50, mels: int = 64) -> numpy.ndarray:
    """(frames, mels) decibels, none of them silent."""
    random = numpy.random.default_rng(seed)
    return random.normal(-30, 3, (frames, mels)).astype(numpy.float32)


def new(n_mels: int = 64, **config: Any) -> FunctionalsForAudioClassification:
    return FunctionalsForAudioClassification(FunctionalsConfig(n_mels=n_mels, num_labels=NUM_CLASSES, **config)).eval()


def functionals(model: FunctionalsForAudioClassification, log_mel: numpy.ndarray) -> numpy.ndarray:
    """(functionals, curves) of one window, without the last number."""
    values = model.summarised(torch.from_numpy(log_mel)[None])[0].numpy()
    assert values.shape == (NUM_FUNCTIONALS,)
    return values[:-1].reshape(-1, NUM_CURVES)


def test_each_functional_equals_that_of_another_implementation() -> None:
    log_mel = speech()
    bands = log_mel.reshape(50, model.NUM_BANDS, 2).mean(axis=2)
    cepstra = scipy.fft.dct(log_mel.astype(numpy.float64), axis=1, norm="ortho")[:, : model.NUM_CEPSTRA]
    levels = numpy.concatenate([bands, cepstra], axis=1)
    slopes = librosa.feature.delta(levels, width=5, axis=0, mode="nearest")
    curves = numpy.concatenate([levels, slopes], axis=1)
    ordered = numpy.sort(curves, axis=0)
    expected = [
        curves.mean(axis=0),
        curves.std(axis=0),
        scipy.stats.skew(curves, axis=0),
        numpy.log(scipy.stats.kurtosis(curves, axis=0, fisher=False)),
        (curves * numpy.linspace(-1, 1, 50)[:, None]).mean(axis=0),
        *(ordered[round(49 * share)] for share in QUANTILES),
    ]
    assert functionals(new(), log_mel) == pytest.approx(numpy.stack(expected), rel=1e-3, abs=1e-3)


def test_a_saved_model_is_the_same_model(tmp_path: Path) -> None:
    model = new(normalisation="speaker")
    model.standardise_with(torch.randn(20, NUM_FUNCTIONALS))
    window = torch.from_numpy(speech())[None] / 10
    model.save_pretrained(tmp_path)
    again = load_pretrained(FunctionalsForAudioClassification, tmp_path)
    assert torch.equal(again(input_features=window).logits, model(window).logits)


def test_silence_before_and_after_changes_only_the_slopes_at_its_edge() -> None:
    log_mel, model = speech(), new()
    quiet = numpy.pad(log_mel, ((10, 40), (0, 0)), constant_values=-80)
    levels = slice(0, NUM_CURVES // 2)
    assert functionals(model, quiet)[:, levels] == pytest.approx(
        functionals(model, log_mel)[:, levels], rel=1e-4, abs=1e-4
    )


def test_windows_of_one_level_or_one_frame_have_no_trend_and_no_shape() -> None:
    model = new(20)  # fewer mels than bands
    for window in (torch.full((1, 30, 20), -80.0), torch.full((1, 1, 20), -20.0)):
        values = functionals(model, window[0].numpy())
        assert numpy.isfinite(values).all()
        assert abs(values[2:5]).max() < 1e-3  # skewness, logarithm of kurtosis, trend


def test_speech_is_separated_from_silence_in_decibels_and_in_deviations() -> None:
    log_mel = speech()
    for candidate, silence, scale in (
        (new(), -60, 1),
        (new(features={"top_db": 40}), -45, 1),  # no value is lower there
        (new(normalisation="utterance"), -4, 30),
    ):
        window = (log_mel + 30) / scale if scale > 1 else log_mel
        quiet = numpy.pad(window, ((0, 20), (0, 0)), constant_values=silence)
        count = candidate.summarised(torch.from_numpy(quiet)[None])[0, -1]
        assert count.exp() == pytest.approx(len(log_mel))


@pytest.mark.parametrize("present", [(0, 1, 2, 3, 4, 5, 6), (0, 2, 3), (1, 4)])
def test_the_linear_map_has_the_probabilities_of_scikit_learn(present: tuple[int, ...]) -> None:
    model = new()
    windows = torch.from_numpy(numpy.stack([speech(seed) for seed in range(42)]))
    targets = numpy.resize(present, 42)
    with torch.inference_mode():
        values = model.summarised(windows)
        model.standardise_with(values)
        standard = StandardScaler().fit_transform(values.numpy())
        assert model.standardised(values).numpy() == pytest.approx(standard, abs=1e-3)
        regression = LogisticRegression(C=0.01).fit(standard, targets)
        model.set_regression(*of_all_classes(regression, NUM_CLASSES))
        probabilities = model(windows).logits.softmax(dim=1).numpy()
    expected = numpy.zeros((42, NUM_CLASSES))
    expected[:, present] = regression.predict_proba(standard)
    assert probabilities == pytest.approx(expected, abs=1e-4)
