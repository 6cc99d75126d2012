"""A probe of text: its embeddings, its export and the layers that it refuses."""

import pytest
import torch
from transformers import AutoModelForSequenceClassification

import emokit.hf  # noqa: F401  registers the models
from emokit.data.prepared import open_prepared
from emokit.errors import UsageError
from emokit.text.export import export_onnx
from emokit.text.predictor import load
from emokit.text.train import plan

pytestmark = pytest.mark.end_to_end


def test_it_embeds_the_mean_over_the_tokens(run):
    classifier = load(run, "cpu").classifier
    (embedding,) = [entry.vectors for entry in load(run, "cpu").embed(["what a day"])]
    batch = classifier.tokenizer(["what a day"], return_tensors="pt")
    assert embedding == pytest.approx(classifier.model.pooled(**batch)[0].detach().numpy(), abs=1e-5)


def test_a_text_alone_and_beside_a_longer_one_has_the_same_probabilities(run):
    predictor = load(run, "cpu")
    alone = next(predictor.predict(["no"])).probabilities
    beside = next(predictor.predict(["no", "a much longer text about this recipe and that goal"])).probabilities
    assert alone == pytest.approx(beside, abs=1e-5)


def test_transformers_loads_it_after_the_models_are_registered(run):
    classifier = load(run, "cpu").classifier
    model = AutoModelForSequenceClassification.from_pretrained(run / "model").eval()
    batch = classifier.tokenizer(["what a day"], return_tensors="pt")
    with torch.inference_mode():
        assert torch.equal(model(**batch).logits, classifier.model(**batch).logits)
    assert "import emokit.hf" in (run / "README.md").read_text()


def test_onnx_gives_the_logits_of_the_probe(run, tmp_path):
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
    assert export_onnx(run, tmp_path / "onnx") <= 1e-4


def test_a_layer_that_the_encoder_lacks_is_refused(data, encoder, probe_settings):
    with pytest.raises(UsageError) as error:
        plan(probe_settings(layers=[1, 3]), open_prepared(data))
    assert str(error.value) == f"model.layers has 3 and {encoder} has the layers 0 to 2; choose among them."
