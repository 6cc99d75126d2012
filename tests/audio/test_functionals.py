"""Functionals against other implementations, and the regression on them against scikit-learn's."""

import librosa
import numpy
import pytest
import scipy.fft
import scipy.stats
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from emokit.audio import baseline, functionals
from emokit.audio.functionals import NUM_FUNCTIONALS, QUANTILES, FunctionalsRegression
from emokit.audio.model import AcrnnConfig, AcrnnForAudioClassification
from emokit.labels import NUM_LABELS

NUM_CURVES = 2 * (functionals.NUM_BANDS + functionals.NUM_CEPSTRA)
SHAPE = {"num_mels": 64, "channels": (4, 8), "lstm_size": 8, "attention_heads": 2, "head_size": 8}


def speech(seed: int = 0, frames: int = 50, mels: int = 64) -> numpy.ndarray:
    """(frames, mels) decibels, none of them silent."""
    random = numpy.random.default_rng(seed)
    return random.normal(-30, 3, (frames, mels)).astype(numpy.float32)


def of(model: FunctionalsRegression, log_mel: numpy.ndarray) -> numpy.ndarray:
    """(functionals, curves) of one window, without the last number."""
    found = model.functionals(torch.from_numpy(log_mel)[None])[0].numpy()
    assert found.shape == (NUM_FUNCTIONALS,)
    return found[:-1].reshape(-1, NUM_CURVES)


def test_each_functional_is_what_others_compute() -> None:
    log_mel = speech()
    bands = log_mel.reshape(50, functionals.NUM_BANDS, 2).mean(axis=2)
    cepstra = scipy.fft.dct(log_mel.astype(numpy.float64), axis=1, norm="ortho")[:, : functionals.NUM_CEPSTRA]
    levels = numpy.concatenate([bands, cepstra], axis=1)
    slopes = librosa.feature.delta(levels, width=5, axis=0, mode="nearest")
    curves = numpy.concatenate([levels, slopes], axis=1)
    ordered = numpy.sort(curves, axis=0)
    expected = [
        curves.mean(axis=0),
        curves.std(axis=0),
        scipy.stats.skew(curves, axis=0),
        numpy.log(scipy.stats.kurtosis(curves, axis=0, fisher=False) + 1e-3),
        (curves * numpy.linspace(-1, 1, 50)[:, None]).mean(axis=0),
        *(ordered[round(49 * share)] for share in QUANTILES),
    ]
    assert of(FunctionalsRegression(64), log_mel) == pytest.approx(numpy.stack(expected), rel=1e-3, abs=1e-3)


def test_silence_before_and_after_changes_nothing_but_the_slopes_at_its_edge() -> None:
    log_mel, model = speech(), FunctionalsRegression(64)
    quiet = numpy.pad(log_mel, ((10, 40), (0, 0)), constant_values=-80)
    levels = slice(0, NUM_CURVES // 2)
    assert of(model, quiet)[:, levels] == pytest.approx(of(model, log_mel)[:, levels], rel=1e-4, abs=1e-4)


def test_a_window_of_silence_and_one_of_a_single_frame_have_numbers() -> None:
    model = FunctionalsRegression(20)  # fewer mels than bands
    for window in (torch.full((1, 30, 20), -80.0), torch.full((1, 1, 20), -20.0)):
        assert torch.isfinite(model.functionals(window)).all()


@pytest.mark.parametrize("there", [(0, 1, 2, 3, 4, 5, 6), (0, 2, 3), (1, 4)])
def test_one_linear_map_says_what_scikit_learn_says(there: tuple[int, ...]) -> None:
    model = FunctionalsRegression(64)
    windows = torch.from_numpy(numpy.stack([speech(seed) for seed in range(42)]))
    targets = numpy.resize(there, 42)
    with torch.inference_mode():
        found = model.functionals(windows).double().numpy()
        scaler = StandardScaler().fit(found)
        regression = LogisticRegression(C=0.01).fit(scaler.transform(found), targets)
        model.take(scaler, regression)
        said = model(windows).logits.softmax(dim=1).numpy()
    expected = numpy.zeros((42, NUM_LABELS))
    expected[:, there] = regression.predict_proba(scaler.transform(found))
    assert said == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("best", range(len(baseline.STRENGTHS)))
def test_the_strength_with_the_highest_uar_on_dev_is_taken(best: int) -> None:
    targets = numpy.arange(42) % NUM_LABELS
    windows = torch.from_numpy(numpy.stack([speech(seed) for seed in range(42)]))
    tried: list[torch.Tensor] = []

    def predict_dev(model: FunctionalsRegression) -> numpy.ndarray:
        tried.append(model.linear.weight.clone())
        right = numpy.eye(NUM_LABELS)[numpy.arange(NUM_LABELS)]
        return right if len(tried) == best + 1 else numpy.roll(right, 1, axis=0)

    model = FunctionalsRegression(64)
    baseline.fit(model, [windows[:20], windows[20:]], targets, predict_dev, numpy.arange(NUM_LABELS))
    assert len(tried) == len(baseline.STRENGTHS)
    assert torch.equal(model.linear.weight, tried[best])
    norms = [float(weights.norm()) for weights in tried]
    assert norms == sorted(norms)  # the strongest regularisation comes first, and is taken in a tie


def test_a_network_with_functionals_says_the_mean_of_both_and_is_saved_whole(tmp_path) -> None:  # type: ignore[no-untyped-def]
    network = AcrnnForAudioClassification(AcrnnConfig(**SHAPE)).eval()
    regression = FunctionalsRegression(64)
    torch.nn.init.normal_(regression.linear.weight, std=0.01)
    windows = torch.from_numpy(numpy.stack([speech(seed) for seed in range(3)]))
    with torch.inference_mode():
        mean = (network(windows).logits.softmax(1) + regression(windows).logits.softmax(1)) / 2
        network.add(regression)
        assert torch.allclose(network(windows).logits.softmax(1), mean, atol=1e-6)
        network.save_pretrained(tmp_path)
        again = AcrnnForAudioClassification.from_pretrained(tmp_path).eval()
        assert torch.equal(again(windows).logits, network(windows).logits)
