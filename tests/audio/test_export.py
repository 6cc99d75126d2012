"""Export to ONNX: the same logits without torch, for batches and lengths that the export did not see."""

import json
import shutil

import numpy
import pytest
import torch
from transformers import AutoFeatureExtractor
from typer.testing import CliRunner

from emokit.audio.export import export_onnx
from emokit.audio.predict import load_model
from emokit.audio.settings import AudioSettings
from emokit.audio.train import train
from emokit.cli.app import app
from emokit.data.prepared import open_prepared
from emokit.labels import LABELS
from tests.audio.conftest import write_encoder

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
pytestmark = pytest.mark.end_to_end

CPU = torch.device("cpu")


def said(folder, inputs):
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    return session.run(None, {name: values.numpy() for name, values in inputs.items()})[0]


def test_an_acrnn_says_the_same_as_onnx(small_prepared, small_settings, tmp_path):
    small_settings["training"]["max_epochs"] = 1
    train(AudioSettings.make(small_settings), open_prepared(small_prepared), tmp_path / "run", device="cpu")
    result = CliRunner().invoke(
        app, ["export", str(tmp_path / "run"), "--format", "onnx", "--out", str(tmp_path / "onnx")]
    )
    assert (result.exit_code, result.stdout.strip()) == (0, str(tmp_path / "onnx")), result.output
    about = json.loads((tmp_path / "onnx/emokit.json").read_text())
    assert about["largest_difference"] <= 1e-4
    assert (about["inputs"], about["labels"], about["features"]["n_mels"]) == (["input_features"], list(LABELS), 32)
    windows = {"input_features": torch.randn(5, about["window_frames"], 32) * 15 - 40}
    wanted = load_model(tmp_path / "run", CPU)(**windows).logits.detach().numpy()
    assert numpy.abs(said(tmp_path / "onnx", windows) - wanted).max() <= 1e-4


def test_a_pretrained_encoder_says_the_same_as_onnx_for_waveforms_of_any_length(small_prepared, tmp_path):
    values = {
        "name": "speech",
        "model": {"name": str(write_encoder("wav2vec2", tmp_path / "encoder", num_hidden_layers=1))},
        "training": {"max_epochs": 1, "batch_size": 16},
    }
    data = shutil.copytree(small_prepared, tmp_path / "prepared")
    train(AudioSettings.make(values), open_prepared(data), tmp_path / "run", device="cpu")
    assert export_onnx(tmp_path / "run", tmp_path / "onnx") <= 1e-4
    assert json.loads((tmp_path / "onnx/emokit.json").read_text())["sample_rate"] == 16_000
    extractor = AutoFeatureExtractor.from_pretrained(tmp_path / "onnx")
    random = numpy.random.default_rng(1)
    sounds = [random.normal(0, 0.1, length) for length in (4_000, 30_000)]
    inputs = extractor(sounds, sampling_rate=16_000, padding=True, return_attention_mask=True, return_tensors="pt")
    wanted = load_model(tmp_path / "run", CPU)(**inputs).logits.detach().numpy()
    assert numpy.abs(said(tmp_path / "onnx", inputs) - wanted).max() <= 1e-4
