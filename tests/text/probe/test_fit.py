"""A probe of a frozen text encoder, end to end: its run, its cached layers, prediction, export and refusals."""

import shutil

import numpy
import pytest
from transformers import BertConfig, BertForSequenceClassification

from emokit import predictions
from emokit.data.prepared import open_prepared
from emokit.errors import UsageError
from emokit.text.export import export_onnx
from emokit.text.model import train_tokenizer
from emokit.text.predictor import load
from emokit.text.settings import TextSettings, TinySettings
from emokit.text.train import plan, train

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def data(text_prepared, tmp_path_factory):
    """A copy, because the layers are stored beside it."""
    return shutil.copytree(text_prepared, tmp_path_factory.mktemp("probe") / "prepared")


@pytest.fixture(scope="module")
def encoder(data, tmp_path_factory):
    """A small encoder with random weights."""
    folder = tmp_path_factory.mktemp("encoder") / "bert"
    texts = open_prepared(data).table["text"].dropna().tolist()
    tokenizer = train_tokenizer(texts, TinySettings(vocab_size=400), 32)
    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(
        vocab_size=len(tokenizer), max_position_embeddings=32, pad_token_id=tokenizer.pad_token_id, **shape
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def settings(encoder, **model):
    values = {
        "name": "probe",
        "features": {"max_length": 24},
        "model": {"kind": "probe", "name": str(encoder), **model},
    }
    return TextSettings.make(values)


@pytest.fixture(scope="module")
def run(data, encoder, tmp_path_factory):
    run = tmp_path_factory.mktemp("run") / "run"
    train(settings(encoder), open_prepared(data), run, device="cpu")
    return run


def test_a_run_predicts_as_it_was_scored(run, data):
    scored = predictions.read(run / "predictions" / "test.parquet")
    predicted, _ = load(run, "cpu").predict_split(open_prepared(data), "test")
    # The stored layers have the precision of float16.
    assert numpy.abs(predicted.probabilities - scored.probabilities).max() < 5e-3
    assert predicted.probabilities.sum(axis=1) == pytest.approx(1)


def test_layers_are_computed_once(run, data, encoder, tmp_path):
    computed = []
    train(
        settings(encoder),
        open_prepared(data),
        tmp_path / "again",
        device="cpu",
        progress=lambda *now: computed.append(now),
    )
    assert computed == []
    other = settings(encoder, layers=[0, 2])
    train(other, open_prepared(data), tmp_path / "other", device="cpu", progress=lambda *now: computed.append(now))
    assert computed
    assert load(tmp_path / "other", "cpu").classifier.model.chosen == [0, 2]


def test_it_embeds_the_mean_over_the_tokens(run):
    classifier = load(run, "cpu").classifier
    (embedding,) = [entry.vectors for entry in load(run, "cpu").embed(["what a day"])]
    batch = classifier.tokenizer(["what a day"], return_tensors="pt")
    assert embedding == pytest.approx(classifier.model.pooled(**batch)[0].numpy(), abs=1e-5)


def test_a_text_alone_and_beside_a_longer_one_has_the_same_probabilities(run):
    predictor = load(run, "cpu")
    alone = next(predictor.predict(["no"])).probabilities
    beside = next(predictor.predict(["no", "a much longer text about this recipe and that goal"])).probabilities
    assert alone == pytest.approx(beside, abs=1e-5)


def test_onnx_gives_the_logits_of_the_probe(run, tmp_path):
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
    assert export_onnx(run, tmp_path / "onnx") <= 1e-4


def test_a_layer_that_the_encoder_lacks_is_refused(data, encoder):
    with pytest.raises(UsageError) as error:
        plan(settings(encoder, layers=[1, 3]), open_prepared(data))
    assert str(error.value) == f"model.layers has 3 and {encoder} has the layers 0 to 2; choose among them."


def test_a_plan_has_no_steps(data, encoder):
    assert plan(settings(encoder), open_prepared(data)).facts == {"steps_per_epoch": 0}
