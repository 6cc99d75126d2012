"""The ACRNN's family: its batches, its memory format, and predictions of audio files."""

import json

import numpy
import pytest
import soundfile
import torch

from emokit.audio.settings import AudioSettings, FeatureSettings
from emokit.audio.spectrogram.acrnn import AcrnnConfig, AcrnnForAudioClassification
from emokit.audio.spectrogram.family import AcrnnFamily, features_of, predict_recording, speaker_statistics
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.audio.splits import read_splits
from emokit.data.prepared import open_prepared
from emokit.errors import DataError

SMALL = {"sample_rate": 16000, "n_fft": 512, "hop_length": 320, "n_mels": 32}


def new_model(**overrides):
    torch.manual_seed(0)
    config = AcrnnConfig(
        n_mels=32,
        channels=(4, 8),
        lstm_hidden_size=8,
        num_attention_heads=2,
        classifier_hidden_size=8,
        window_frames=40,
        features=SMALL,
        num_labels=7,
        **overrides,
    )
    return AcrnnForAudioClassification(config).eval()


@pytest.fixture(scope="module")
def model():
    return new_model()


def predicted(model, *paths):
    return list(AcrnnFamily().predict_recordings(model, paths))


def write_noise(path, seconds, seed=0):
    soundfile.write(path, numpy.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * 16_000)), 16_000)
    return path


def test_an_audio_file_is_resampled_to_the_rate_of_the_model(model, tmp_path):
    time = numpy.arange(32000) / 32000
    tone = (0.3 * numpy.sin(2 * numpy.pi * 440 * time)).astype(numpy.float32)
    soundfile.write(tmp_path / "stereo.wav", numpy.stack([tone, tone], axis=1), 32000)
    soundfile.write(tmp_path / "mono.flac", tone[::2], 16000)
    first, second = predicted(model, tmp_path / "stereo.wav", tmp_path / "mono.flac")
    assert first.probabilities == pytest.approx(second.probabilities, abs=5e-3)


def test_a_recording_shorter_than_one_frame_has_a_probability_per_class(model, tmp_path):
    soundfile.write(tmp_path / "click.wav", numpy.linspace(-0.5, 0.5, 100), 16000)
    (prediction,) = predicted(model, tmp_path / "click.wav")
    assert prediction.probabilities.shape == (7,)
    assert prediction.probabilities.sum() == pytest.approx(1)
    assert prediction.seconds.tolist() == [[0.0, 100 / 16000]]


def test_windows_are_given_in_seconds_and_end_with_the_recording(model, tmp_path):
    (prediction,) = predicted(model, write_noise(tmp_path / "a.wav", 1.5))
    assert prediction.seconds == pytest.approx(numpy.array([[0.0, 0.8], [0.72, 1.5]]))  # 40 frames of 0.02 s


def test_a_silent_file_does_not_stop_the_others(model, tmp_path):
    soundfile.write(tmp_path / "a.wav", [0.0] * 16000, 16000)
    soundfile.write(tmp_path / "b.wav", numpy.linspace(-0.5, 0.5, 1600), 16000)
    first, second = predicted(model, tmp_path / "a.wav", tmp_path / "b.wav")
    assert isinstance(first, DataError)
    assert str(first).startswith(f"{tmp_path / 'a.wav'} is silent")
    assert second.probabilities.shape == (7,)


def test_with_speaker_normalisation_all_files_count_as_one_speakers(tmp_path):
    model = new_model(normalisation="speaker")
    paths = [write_noise(tmp_path / "a.wav", 0.8, 1), write_noise(tmp_path / "b.wav", 0.3, 2), tmp_path / "missing.wav"]
    statistics = speaker_statistics(model, paths)
    extract = LogMel(FeatureSettings.make(SMALL))
    frames = numpy.concatenate([extract(soundfile.read(path, dtype="float32")[0]) for path in paths[:2]])
    assert statistics == pytest.approx(numpy.stack([frames.mean(axis=0), frames.std(axis=0)])[None], rel=1e-4)
    first, _, missing = predicted(model, *paths)
    assert first.probabilities == pytest.approx(predict_recording(model, paths[0], statistics).probabilities)
    assert first.probabilities != pytest.approx(predict_recording(model, paths[0]).probabilities, abs=1e-9)
    assert isinstance(missing, DataError)
    assert speaker_statistics(model, paths[2:]) is None


def test_the_extractor_of_training_is_the_extractor_of_prediction(model):
    waveform = numpy.random.default_rng(1).normal(size=8000).astype(numpy.float32) * 0.1
    settings = features_of(model)
    assert settings == FeatureSettings.make(SMALL)
    assert LogMel(settings)(waveform).shape == (26, 32)


def test_a_model_in_training_has_its_channels_last_in_memory(small_prepared, small_settings):
    settings, prepared = AudioSettings.make(small_settings), open_prepared(small_prepared)
    splits = read_splits(settings, prepared)
    model = AcrnnFamily().new_model(settings, splits["train"], prepared.labels)
    kernels = [p for p in model.blocks.parameters() if p.ndim == 4 and p.shape[1] > 1 and p.shape[2] > 1]
    assert kernels
    assert all(kernel.stride()[1] == 1 for kernel in kernels)


def test_a_new_model_standardises_with_the_training_split(small_prepared, small_settings):
    settings, prepared = AudioSettings.make(small_settings), open_prepared(small_prepared)
    splits = read_splits(settings, prepared)
    model = AcrnnFamily().new_model(settings, splits["train"], prepared.labels)
    frames = numpy.concatenate(splits["train"].log_mels).astype(numpy.float64)
    assert model.feature_mean.numpy() == pytest.approx(frames.mean(axis=0), rel=1e-5)
    assert model.feature_deviation.numpy() == pytest.approx(frames.std(axis=0), rel=1e-5)
    assert (model.config.window_frames, model.config.n_mels) == (76, 32)
    device = torch.device("cpu")
    trainable = AcrnnFamily().trainable(settings, model, prepared, splits, device)
    assert AcrnnFamily().plan(settings, splits["train"].table) == {"steps_per_epoch": len(trainable.batches)}
    assert trainable.predict(model.eval(), "dev").shape == (len(splits["dev"].table), 7)


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("window_frames", "40", "window_frames is '40'"),
        ("window_frames", True, "window_frames is True"),
        ("window_frames", 0, "window_frames is 0, window_overlap 0.0"),
        ("window_overlap", 1, "window_frames is 40, window_overlap 1"),
        ("normalisation", [], "normalisation is []"),
        ("features", {"n_mels": "many"}, "The model's config.json has n_mels = 'many', but it should be"),
        ("window_frames", 1, "Given"),
    ],
)
def test_a_config_that_does_not_fit_the_model_is_named(model, tmp_path, name, value, fault):
    model.save_pretrained(tmp_path)
    assert AcrnnFamily().load_model(tmp_path).config.window_frames == 40
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {name: value}))
    with pytest.raises(DataError) as error:
        AcrnnFamily().load_model(tmp_path)
    start = f"{tmp_path / 'config.json'} does not describe the model beside it ({fault}"
    assert str(error.value).startswith(start)
    assert str(error.value).endswith("); train the run again with --force.")
