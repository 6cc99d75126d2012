"""The ACRNN's family: its batches, its memory format, and predictions of audio files."""

import json

import numpy
import pytest
import torch

from emokit.audio.settings import AudioSettings
from emokit.audio.spectrogram.family import AcrnnFamily
from emokit.audio.splits import read_splits
from emokit.data.prepared import open_prepared
from emokit.errors import DataError


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
def test_a_config_that_does_not_fit_the_model_is_named(small_acrnn, tmp_path, name, value, fault):
    small_acrnn.save_pretrained(tmp_path)
    assert AcrnnFamily().load_model(tmp_path).config.window_frames == 40
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {name: value}))
    with pytest.raises(DataError) as error:
        AcrnnFamily().load_model(tmp_path)
    start = f"{tmp_path / 'config.json'} does not describe the model beside it ({fault}"
    assert str(error.value).startswith(start)
    assert str(error.value).endswith("); train the run again with --force.")
