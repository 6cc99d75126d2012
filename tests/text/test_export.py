"""Export to ONNX: the same logits without torch, for batches and lengths that the export did not trace."""

import json

import numpy
import pytest

from emokit import runs
from emokit.data.prepared import open_prepared
from emokit.errors import UsageError
from emokit.text.export import export_onnx
from emokit.text.predictor import load
from emokit.text.settings import TextSettings
from emokit.text.train import train

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
pytestmark = pytest.mark.end_to_end


@pytest.fixture
def run(text_prepared, text_settings, tmp_path):
    text_settings["training"]["max_epochs"] = 1
    train(TextSettings.make(text_settings), open_prepared(text_prepared), tmp_path / "run", device="cpu")
    return tmp_path / "run"


def test_onnx_gives_the_logits_of_the_model(run, tmp_path):
    assert export_onnx(run, tmp_path / "onnx") <= 1e-4
    about = json.loads((tmp_path / "onnx" / "emokit.json").read_text())
    assert about["labels"] == runs.read_metrics(run)["labels"]
    session = onnxruntime.InferenceSession(tmp_path / "onnx" / "model.onnx")
    encoder = load(run, "cpu").classifier
    for texts in (["wow"], ["a much longer text about this recipe and that goal", "no", "maybe so", "🙂", "x"]):
        batch = encoder.tokenizer(texts, padding=True, return_tensors="pt")
        logits = session.run(None, {name: batch[name].numpy() for name in about["inputs"]})[0]
        expected = encoder.model(**batch).logits.detach().numpy()
        assert numpy.abs(logits - expected).max() <= 1e-4
    with pytest.raises(UsageError) as error:
        export_onnx(run, tmp_path / "onnx")
    assert str(error.value) == (
        f"{tmp_path / 'onnx'} exists and is not empty; name another folder, or add --force to replace it."
    )


def test_a_bag_of_words_is_not_exported(text_prepared, tmp_path):
    settings = TextSettings.make({"name": "bag", "model": {"kind": "tfidf"}})
    train(settings, open_prepared(text_prepared), tmp_path / "run", device="cpu")
    with pytest.raises(UsageError) as error:
        export_onnx(tmp_path / "run", tmp_path / "onnx")
    assert str(error.value) == (
        f"{tmp_path / 'run'} has a tfidf model; only pretrained and tiny models and probes can be exported."
    )
    assert not (tmp_path / "onnx").exists()
