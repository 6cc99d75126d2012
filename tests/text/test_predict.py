"""Prediction: the order of the input is kept and changes no digit, company changes nothing, runs give back their own tables."""

import numpy
import pytest
import torch
from scipy.special import softmax

from emokit import predictions
from emokit.data.prepared import open_prepared
from emokit.errors import DataError, UsageError
from emokit.labels import LABELS
from emokit.text.features import collate, tokenise
from emokit.text.model import tiny
from emokit.text.passages import Passage
from emokit.text.predict import Encoder, load_classifier, logits_of, predict_split, predict_texts
from emokit.text.settings import TextSettings
from emokit.text.train import train

CPU = torch.device("cpu")
WORDS = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "a",
    "lazy",
    "dog",
    "and",
    "is",
    "very",
    "happy",
    "about",
    "it",
    "today",
]


def sentences(count):
    random = numpy.random.default_rng(0)
    return [" ".join(random.choice(WORDS, random.integers(1, 25))) for _ in range(count)]


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    shape = {"vocab_size": 300, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    settings = TextSettings.make({"model": {"kind": "tiny", "tiny": shape}, "features": {"max_length": 48}})
    model, tokenizer = tiny(settings, sentences(50))
    for weights in model.parameters():
        if weights.ndim > 1:
            torch.nn.init.normal_(weights, std=0.4)  # as they are drawn, every text would get nearly the same
    return Encoder(model.eval(), tokenizer)


def read(encoder, texts):
    return encoder.read([Passage(text) for text in texts]).probabilities


def test_shuffled_input_gives_the_same_digits(encoder):
    texts = sentences(400)
    order = numpy.random.default_rng(1).permutation(400)
    assert (read(encoder, [texts[row] for row in order]) == read(encoder, texts)[order]).all()


def test_a_text_alone_gets_the_same_probabilities_as_in_company(encoder):
    texts = sentences(60)
    together = read(encoder, texts)
    assert together.std(axis=0).min() > 0.001
    for row in range(0, 60, 10):
        assert read(encoder, [texts[row]])[0] == pytest.approx(together[row], abs=1e-5)


def test_batches_by_length_give_what_one_batch_gives(encoder):
    tokens = tokenise([Passage(text) for text in sentences(40)], encoder.tokenizer)
    with torch.inference_mode():
        whole = encoder.model(**collate(tokens.rows, encoder.tokenizer)).logits.double().numpy()
    assert softmax(logits_of(encoder.model, tokens, encoder.tokenizer), axis=1) == pytest.approx(
        softmax(whole, axis=1), abs=1e-6
    )


def test_sentences_come_back_in_their_order_with_their_names(encoder):
    texts = [("a", "fox, fox"), ("b", "dog"), ("c", "مرحبا \u202e😂"), ("d", "x" * 100_000)]
    found = list(predict_texts(encoder, texts))
    assert [(name, text) for name, text, *_ in found] == texts
    assert [is_cut for *_, is_cut in found] == [False, False, False, True]
    for _, _, probabilities, _ in found:
        assert probabilities.sum() == pytest.approx(1)


def test_an_empty_sentence_is_named(encoder):
    with pytest.raises(DataError) as error:
        list(predict_texts(encoder, [("Sentence 1", "fox"), ("Sentence 2", "  ")]))
    assert str(error.value) == "Sentence 2 has an empty text; give it words or leave it out."


def test_nothing_to_predict_is_said(encoder):
    with pytest.raises(DataError) as error:
        read(encoder, [])
    assert str(error.value) == "There is no text to predict; name at least one."
    assert list(predict_texts(encoder, [])) == []


@pytest.mark.end_to_end
@pytest.mark.parametrize("context_turns", [0, 2])
def test_a_run_predicts_a_split_as_it_did_when_it_was_trained(text_prepared, text_settings, tmp_path, context_turns):
    text_settings["training"]["max_epochs"] = 1
    text_settings["data"] = {"context_turns": context_turns}
    run = tmp_path / "run"
    train(TextSettings.make(text_settings), open_prepared(text_prepared), run, device="cpu")
    loaded = load_classifier(run, CPU)
    count = predict_split(loaded, run, text_prepared, "test", tmp_path / "again.parquet")
    before, again = predictions.read(run / "predictions/test.parquet"), predictions.read(tmp_path / "again.parquet")
    assert count == len(before.table)
    assert before.table.equals(again.table)
    assert set(before.table["corpus"]) == {"goemotions", "meld"}
    with pytest.raises(UsageError) as error:
        predict_split(loaded, run, text_prepared, "tset", tmp_path / "x.parquet")
    assert str(error.value) == "--split tset is unknown; choose one of train, dev, test."

    (run / "model/model.safetensors").write_bytes(b"cut short")
    with pytest.raises(DataError) as damaged:
        load_classifier(run, CPU)
    assert str(damaged.value).startswith(f"{run / 'model'} holds no whole model (")
    (run / "metrics.json").unlink()
    with pytest.raises(DataError) as incomplete:
        load_classifier(run, CPU)
    assert str(incomplete.value) == (
        f"{run} has no metrics.json, so its training did not end; go on with it by adding --resume."
    )


def test_the_columns_are_in_the_one_order(encoder):
    assert read(encoder, ["fox"]).shape == (1, len(LABELS))
