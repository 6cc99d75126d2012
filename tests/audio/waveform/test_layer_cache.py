"""The cache of a frozen encoder's layers: computed once per encoder and recording, whatever the encoder is called."""

import json
import shutil
from pathlib import Path

import numpy
import pytest
import torch

from emokit.audio.feature_cache import read_waveform
from emokit.audio.settings import AudioSettings
from emokit.audio.waveform import layer_cache
from emokit.audio.waveform.layer_cache import key, layers_of
from emokit.audio.waveform.pretrained import pretrained
from emokit.data.prepared import open_prepared
from emokit.labels import DEFAULT_LABELS
from tests.audio.conftest import write_encoder


def model_of(folder, **data):
    values = {"model": {"name": str(folder), "frozen": True}, "data": {"window_seconds": 0.75} | data}
    return pretrained(AudioSettings.make(values), DEFAULT_LABELS).eval()


@pytest.fixture
def copied(small_prepared, tmp_path):
    return open_prepared(shutil.copytree(small_prepared, tmp_path / "prepared"))


@pytest.mark.parametrize("kind", ["wav2vec2", "whisper"])
def test_the_layers_are_means_and_deviations_over_the_frames_of_each_window(encoder_of, copied, kind):
    model, rows = model_of(encoder_of(kind)), copied.table.head(3)
    first, *_ = layers_of(model, copied, rows)
    waveform = read_waveform(Path(copied.roots["emodb"]) / rows["path"].iloc[0], 16_000)
    assert first.shape[1:] == (3, 2, 16)
    with torch.inference_mode():
        states, _ = model.layers(**model.processor([waveform[:12_000]]))
    expected = numpy.stack([torch.stack([layer[0].mean(0), layer[0].std(0, correction=0)]).numpy() for layer in states])
    assert first[0].astype(numpy.float32) == pytest.approx(expected, abs=2e-3)


def test_a_second_training_computes_nothing(encoder_of, copied, monkeypatch):
    model = model_of(encoder_of("wav2vec2"))
    first = [layers.copy() for layers in layers_of(model, copied, copied.table)]
    monkeypatch.setattr(layer_cache, "layer_statistics", lambda *_: pytest.fail("computed again"))
    for before, again in zip(first, layers_of(model, copied, copied.table), strict=True):
        assert (before == again).all()


def test_the_key_is_of_weights_windows_and_processor_and_not_of_the_folder(encoder_of, tmp_path):
    model = model_of(encoder_of("wav2vec2"))
    copy = shutil.copytree(encoder_of("wav2vec2"), tmp_path / "other-name")
    assert key(model_of(copy)) == key(model)
    assert key(model_of(copy, window_seconds=1.0)) != key(model)
    assert key(model_of(write_encoder("wav2vec2", tmp_path / "wider", hidden_size=32))) != key(model)
    with torch.no_grad():
        model.encoder.masked_spec_embed += 1  # in training only, and random where a checkpoint lacks it
    assert key(model) == key(model_of(copy))
    edited = json.loads((copy / "config.json").read_text()) | {"num_attention_heads": 4}
    (copy / "config.json").write_text(json.dumps(edited))
    assert key(model_of(copy)) != key(model)
    shutil.copy(encoder_of("wav2vec2") / "config.json", copy)
    with torch.no_grad():
        model.encoder.encoder.layers[0].attention.q_proj.weight[0, 0] += 1e-3
    assert key(model) != key(model_of(copy))
