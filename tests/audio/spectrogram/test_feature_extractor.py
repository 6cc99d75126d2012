"""The feature extractor beside a model: transformers' pipeline gives the probabilities of `emokit predict`."""

import json
import logging

import numpy
import pytest
import soundfile
import transformers

import emokit.hf  # noqa: F401  registers the models
from emokit.audio.functionals.model import FunctionalsConfig, FunctionalsForAudioClassification
from emokit.audio.modality import AUDIO
from emokit.audio.predictor import AudioPredictor
from emokit.audio.settings import AudioSettings, FeatureSettings
from emokit.audio.spectrogram.feature_extractor import LogMelFeatureExtractor, feature_extractor_of
from emokit.data.prepared import open_prepared
from emokit.errors import UsageError

RATE = 16_000


@pytest.fixture(scope="module")
def functionals_run(small_prepared, tmp_path_factory):
    """A run of functionals whose windows are standardised with their own mean and deviation."""
    values = {
        "name": "functionals",
        "data": {"window_seconds": 1.5, "utterance_normalisation": True, "window_overlap": 0.5},
        "features": {"sample_rate": RATE, "n_fft": 512, "hop_length": 320, "n_mels": 32},
        "model": {"kind": "functionals"},
    }
    run = tmp_path_factory.mktemp("functionals") / "run"
    AUDIO.train(AudioSettings.make(values), open_prepared(small_prepared), run, device="cpu")
    return run


@pytest.fixture(params=["acrnn", "functionals"])
def run(request):
    return request.getfixturevalue(f"{request.param}_run")


@pytest.fixture
def transformers_log(caplog):
    """What transformers logs, which it keeps from all other loggers by default."""
    transformers.utils.logging.enable_propagation()
    caplog.set_level(logging.WARNING)
    yield caplog
    transformers.utils.logging.disable_propagation()


@pytest.mark.parametrize("seconds", [0.3, 1.2, 4.0])
def test_the_pipeline_has_the_probabilities_of_predict(run, tmp_path, transformers_log, seconds):
    time = numpy.arange(round(seconds * RATE)) / RATE
    waveform = (0.3 * numpy.sin(2 * numpy.pi * 300 * time**1.3)).astype(numpy.float32)
    soundfile.write(tmp_path / "a.wav", waveform, RATE, subtype="FLOAT")
    (prediction,) = AudioPredictor(run, "cpu").predict([tmp_path / "a.wav"])
    assert len(prediction.windows) == 1 if seconds < 1.5 else len(prediction.windows) > 1

    classify = transformers.pipeline("audio-classification", model=str(run / "model"), device="cpu", top_k=None)
    scores = {entry["label"]: entry["score"] for entry in classify({"array": waveform, "sampling_rate": RATE})}
    expected = dict(zip(prediction.labels, prediction.probabilities, strict=True))
    assert scores == pytest.approx(expected, abs=1e-6)
    assert max(scores.values()) - min(scores.values()) > 1e-3
    assert transformers_log.messages == []  # such as: the model is not supported for audio-classification


def test_preprocessor_config_holds_what_the_model_was_trained_on(functionals_run):
    stored = json.loads((functionals_run / "model/preprocessor_config.json").read_text())
    config = json.loads((functionals_run / "model/config.json").read_text())
    assert stored["feature_extractor_type"] == "LogMelFeatureExtractor"
    for name in ("features", "window_frames", "window_overlap", "normalisation"):
        assert stored[name] == config[name], name
    assert stored["sampling_rate"] == config["features"]["sample_rate"] == RATE
    assert stored["normalisation"] == "utterance"


def test_a_recording_of_several_windows_has_all_of_them():
    extractor = LogMelFeatureExtractor(RATE, {"sample_rate": RATE, "n_mels": 32}, window_frames=10)
    shapes = [extractor(numpy.ones(512 * frames, numpy.float32))["input_features"].shape for frames in (3, 9, 10, 25)]
    assert shapes == [(1, 1, 10, 32), (1, 1, 10, 32), (1, 2, 10, 32), (1, 3, 10, 32)]


def test_a_waveform_that_does_not_fit_is_refused():
    extractor = LogMelFeatureExtractor(RATE)
    for waveform, rate, sentence in (
        (numpy.ones(9), 8000, "The waveform has 8000 Hz and the model takes 16000 Hz; resample it first."),
        (
            numpy.ones((2, 9)),
            None,
            "The waveform has the shape (2, 9) where (samples,) was expected; average its channels first.",
        ),
    ):
        with pytest.raises(UsageError) as error:
            extractor(waveform, sampling_rate=rate)
        assert str(error.value) == sentence


def test_log_mels_stay_in_decibels_where_vectors_are_standardised_by_speaker():
    features = FeatureSettings(n_mels=16).as_dict()
    config = FunctionalsConfig(
        n_mels=16, normalisation="speaker", normalised="vectors", features=features, num_labels=2
    )
    extractor = feature_extractor_of(FunctionalsForAudioClassification(config))
    assert extractor.normalisation == "train"
