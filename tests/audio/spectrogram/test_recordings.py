"""Predictions of audio files from windows of log-mels."""

import numpy
import pytest
import soundfile
import torch

from emokit.audio.settings import FeatureSettings
from emokit.audio.spectrogram.family import AcrnnFamily
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.audio.spectrogram.recordings import features_of, predict_recording, speaker_statistics
from emokit.engines.by_torch import TorchEngine
from emokit.errors import DataError
from tests.audio.spectrogram.conftest import SMALL, new_model


def predicted(model, *paths):
    return list(AcrnnFamily().predict_recordings(model, paths))


def write_noise(path, seconds, seed=0):
    soundfile.write(path, numpy.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * 16_000)), 16_000)
    return path


def test_an_audio_file_is_resampled_to_the_rate_of_the_model(small_acrnn, tmp_path):
    time = numpy.arange(32000) / 32000
    tone = (0.3 * numpy.sin(2 * numpy.pi * 440 * time)).astype(numpy.float32)
    soundfile.write(tmp_path / "stereo.wav", numpy.stack([tone, tone], axis=1), 32000)
    soundfile.write(tmp_path / "mono.flac", tone[::2], 16000)
    first, second = predicted(small_acrnn, tmp_path / "stereo.wav", tmp_path / "mono.flac")
    assert first.probabilities == pytest.approx(second.probabilities, abs=5e-3)


def test_a_recording_shorter_than_one_frame_has_a_probability_per_class(small_acrnn, tmp_path):
    soundfile.write(tmp_path / "click.wav", numpy.linspace(-0.5, 0.5, 100), 16000)
    (prediction,) = predicted(small_acrnn, tmp_path / "click.wav")
    assert prediction.probabilities.shape == (7,)
    assert prediction.probabilities.sum() == pytest.approx(1)
    assert prediction.seconds.tolist() == [[0.0, 100 / 16000]]


def test_windows_are_given_in_seconds_and_end_with_the_recording(small_acrnn, tmp_path):
    (prediction,) = predicted(small_acrnn, write_noise(tmp_path / "a.wav", 1.5))
    assert prediction.seconds == pytest.approx(numpy.array([[0.0, 0.8], [0.72, 1.5]]))  # 40 frames of 0.02 s


def test_a_silent_file_does_not_stop_the_others(small_acrnn, tmp_path):
    soundfile.write(tmp_path / "a.wav", [0.0] * 16000, 16000)
    soundfile.write(tmp_path / "b.wav", numpy.linspace(-0.5, 0.5, 1600), 16000)
    first, second = predicted(small_acrnn, tmp_path / "a.wav", tmp_path / "b.wav")
    assert isinstance(first, DataError)
    assert str(first).startswith(f"{tmp_path / 'a.wav'} is silent")
    assert second.probabilities.shape == (7,)


def test_with_speaker_normalisation_all_files_count_as_one_speakers(tmp_path):
    model = new_model(normalisation="speaker")
    paths = [write_noise(tmp_path / "a.wav", 0.8, 1), write_noise(tmp_path / "b.wav", 0.3, 2), tmp_path / "missing.wav"]
    engine = TorchEngine(model, torch.device("cpu"))
    statistics = speaker_statistics(model.config, paths)
    extract = LogMel(FeatureSettings.make(SMALL))
    frames = numpy.concatenate([extract(soundfile.read(path, dtype="float32")[0]) for path in paths[:2]])
    assert statistics == pytest.approx(numpy.stack([frames.mean(axis=0), frames.std(axis=0)])[None], rel=1e-4)
    first, _, missing = predicted(model, *paths)
    assert first.probabilities == pytest.approx(
        predict_recording(engine, model.config, paths[0], statistics).probabilities
    )
    assert first.probabilities != pytest.approx(
        predict_recording(engine, model.config, paths[0]).probabilities, abs=1e-9
    )
    assert isinstance(missing, DataError)
    assert speaker_statistics(model.config, paths[2:]) is None


def test_the_extractor_of_training_is_the_extractor_of_prediction(small_acrnn):
    waveform = numpy.random.default_rng(1).normal(size=8000).astype(numpy.float32) * 0.1
    settings = features_of(small_acrnn.config)
    assert settings == FeatureSettings.make(SMALL)
    assert LogMel(settings)(waveform).shape == (26, 32)
