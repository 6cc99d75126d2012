"""The audio modality as other parts of emokit see it: plan, card, and the same logits from ONNX."""

import json
import shutil

import numpy
import pytest
import torch
from transformers import AutoFeatureExtractor
from typer.testing import CliRunner

from emokit import runs
from emokit.audio.modality import AUDIO
from emokit.audio.predictor import AudioPredictor
from emokit.audio.settings import AudioSettings
from emokit.cli.app import app
from emokit.data.prepared import open_prepared
from emokit.errors import DataError, UsageError
from emokit.modality.registry import exportable, modality, trainable
from tests.audio.conftest import write_encoder


def test_it_is_registered_trained_and_exported():
    assert modality("audio") is AUDIO
    assert AUDIO.settings() is AudioSettings
    assert AudioSettings().modality == AUDIO.name
    assert "audio" in trainable()
    assert "audio" in exportable()


def test_there_is_no_pretrained_model_of_its_own():
    with pytest.raises(UsageError) as error:
        AUDIO.load(None)
    assert str(error.value) == "There is no pretrained audio model; name a run folder."


@pytest.mark.parametrize(("kind", "steps"), [("acrnn", None), ("functionals", 0)])
def test_a_plan_counts_utterances_and_steps(small_prepared, small_settings, kind, steps):
    if kind == "functionals":
        small_settings["model"] = {"kind": kind}
    small_settings["training"]["gradient_accumulation_steps"] = 2
    prepared = open_prepared(small_prepared)
    plan = AUDIO.plan(AudioSettings.make(small_settings), prepared)
    assert plan.utterances == prepared.table["split"].value_counts().to_dict()
    assert list(plan.utterances) == ["train", "dev", "test"]
    batches = plan.utterances["train"] // 16
    assert plan.facts == {"steps_per_epoch": -(-batches // 2) if steps is None else steps}


def test_the_card_imports_what_transformers_needs():
    facts = AUDIO.card({})
    assert (facts.reads, facts.pipeline_tag) == ("a recording of one utterance", "audio-classification")
    assert "import emokit.hf" in facts.loading
    assert "AutoModelForAudioClassification" in facts.loading


def logits_of_onnx(folder, inputs):
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    return session.run(None, {name: values.numpy() for name, values in inputs.items()})[0]


@pytest.mark.end_to_end
@pytest.mark.parametrize("kind", ["acrnn", "functionals"])
def test_a_model_of_spectrograms_has_the_same_logits_as_onnx(acrnn_run, small_prepared, small_settings, tmp_path, kind):
    pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
    run = acrnn_run
    if kind == "functionals":
        small_settings["model"] = {"kind": "functionals"}
        run = tmp_path / "run"
        AUDIO.train(AudioSettings.make(small_settings), open_prepared(small_prepared), run, device="cpu")
    result = CliRunner().invoke(app, ["export", str(run), "--format", "onnx", "--out", str(tmp_path / "onnx")])
    assert (result.exit_code, result.stdout.strip()) == (0, str(tmp_path / "onnx")), result.output
    about = json.loads((tmp_path / "onnx/emokit.json").read_text())
    assert about["largest_difference"] <= 1e-4
    labels = list(runs.read_labels(run))
    assert (about["inputs"], about["labels"], about["features"]["n_mels"]) == (["input_features"], labels, 32)
    windows = {"input_features": torch.randn(5, about["window_frames"], 32) * 15 - 40}
    expected = AudioPredictor(run, "cpu").model(**windows).logits.detach().numpy()
    assert numpy.abs(logits_of_onnx(tmp_path / "onnx", windows) - expected).max() <= 1e-4


@pytest.mark.end_to_end
def test_a_pretrained_encoder_has_the_same_logits_as_onnx_for_waveforms_of_any_length(small_prepared, tmp_path):
    pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
    values = {
        "name": "speech",
        "model": {"name": str(write_encoder("wav2vec2", tmp_path / "encoder", num_hidden_layers=1))},
        "training": {"max_epochs": 1, "batch_size": 16},
    }
    data = shutil.copytree(small_prepared, tmp_path / "prepared")
    AUDIO.train(AudioSettings.make(values), open_prepared(data), tmp_path / "run", device="cpu")
    assert AUDIO.export(tmp_path / "run", tmp_path / "onnx") <= 1e-4
    assert json.loads((tmp_path / "onnx/emokit.json").read_text())["sample_rate"] == 16_000
    extractor = AutoFeatureExtractor.from_pretrained(tmp_path / "onnx")
    random = numpy.random.default_rng(1)
    waveforms = [random.normal(0, 0.1, length) for length in (4_000, 30_000)]
    inputs = extractor(waveforms, sampling_rate=16_000, padding=True, return_attention_mask=True, return_tensors="pt")
    expected = AudioPredictor(tmp_path / "run", "cpu").model(**inputs).logits.detach().numpy()
    assert numpy.abs(logits_of_onnx(tmp_path / "onnx", inputs) - expected).max() <= 1e-4


@pytest.mark.parametrize("kind", ["pretrained", "probe"])
def test_a_sweep_is_refused_before_its_first_point_where_its_encoder_cannot_be_used(small_prepared, tmp_path, kind):
    encoder = write_encoder("wav2vec2", tmp_path / "encoder")
    settings = AudioSettings.make({"model": {"kind": kind, "name": str(encoder)}, "training": {"batch_size": 4}})
    AUDIO.check_data(settings, open_prepared(small_prepared))
    config = json.loads((encoder / "config.json").read_text())
    (encoder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 0}))
    with pytest.raises(DataError) as error:
        AUDIO.check_data(settings, open_prepared(small_prepared))
    assert str(error.value).startswith(f"{encoder / 'config.json'} has num_hidden_layers = 0 ")
    (encoder / "config.json").unlink()
    with pytest.raises(DataError) as error:
        AUDIO.check_data(settings, open_prepared(small_prepared))
    assert str(error.value) == f"{encoder} has no config.json, so it holds no model; name a folder that has one."
