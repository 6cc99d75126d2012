"""Classifiers: neither the order of the texts nor their batch changes the probabilities."""

import copy

import numpy
import pytest
import torch
from scipy.special import softmax

from emokit.errors import DataError
from emokit.labels import DEFAULT_LABELS
from emokit.text.classifier import EncoderClassifier, logits_of
from emokit.text.features import collate, tokenize
from emokit.text.model import tiny
from emokit.text.passages import Passage
from emokit.text.settings import TextSettings

WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "and", "is", "very", "happy", "today"]


def sentences(count):
    random = numpy.random.default_rng(0)
    return [" ".join(random.choice(WORDS, random.integers(1, 25))) for _ in range(count)]


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    shape = {"vocab_size": 300, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    settings = TextSettings.make({"model": {"kind": "tiny", "tiny": shape}, "features": {"max_length": 48}})
    model, tokenizer = tiny(settings, DEFAULT_LABELS, sentences(50))
    for weights in model.parameters():
        if weights.ndim > 1:
            torch.nn.init.normal_(weights, std=0.4)  # with the initial weights, all texts get nearly the same
    return EncoderClassifier(model.eval(), tokenizer)


def probabilities(encoder, texts):
    return encoder.predict([Passage(text) for text in texts]).probabilities


def test_shuffled_input_gives_the_same_digits(encoder):
    texts = sentences(400)
    order = numpy.random.default_rng(1).permutation(400)
    assert (probabilities(encoder, [texts[row] for row in order]) == probabilities(encoder, texts)[order]).all()


def test_a_text_alone_gets_the_same_probabilities_as_among_others(encoder):
    texts = sentences(60)
    together = probabilities(encoder, texts)
    assert together.shape == (60, len(DEFAULT_LABELS))
    assert together.std(axis=0).min() > 0.001
    for row in range(0, 60, 10):
        assert probabilities(encoder, [texts[row]])[0] == pytest.approx(together[row], abs=1e-5)


def test_batches_by_length_give_the_logits_of_a_single_batch(encoder):
    tokens = tokenize([Passage(text) for text in sentences(40)], encoder.tokenizer)
    with torch.inference_mode():
        logits = encoder.model(**collate(tokens.rows, encoder.tokenizer)).logits.double().numpy()
    assert softmax(logits_of(encoder.model, tokens, encoder.tokenizer), axis=1) == pytest.approx(
        softmax(logits, axis=1), abs=1e-6
    )


def test_no_text_at_all_is_refused(encoder):
    with pytest.raises(DataError) as error:
        probabilities(encoder, [])
    assert str(error.value) == "There is no text to predict; name at least one."


def test_the_embedding_of_a_text_is_the_state_of_its_first_token(encoder):
    texts = sentences(9)
    vectors = encoder.embed([Passage(text) for text in texts], 1)
    for text, vector in zip(texts, vectors, strict=True):
        inputs = collate(tokenize([Passage(text)], encoder.tokenizer).rows, encoder.tokenizer)
        with torch.inference_mode():
            states = encoder.model.base_model(**inputs).last_hidden_state[0].numpy()
        assert vector == pytest.approx(states[:1], abs=1e-5)
    assert numpy.ptp(numpy.concatenate(vectors), axis=0).max() > 0.01


def test_steps_are_means_of_the_tokens_that_are_not_padding(encoder):
    texts = sentences(9)
    for text, vector in zip(texts, encoder.embed([Passage(text) for text in texts], 3), strict=True):
        inputs = collate(tokenize([Passage(text)], encoder.tokenizer).rows, encoder.tokenizer)
        with torch.inference_mode():
            states = encoder.model.base_model(**inputs).last_hidden_state[0].numpy()
        parts = numpy.array_split(states, 3)
        assert vector == pytest.approx(numpy.stack([part.mean(axis=0) for part in parts]), abs=1e-5)


def test_without_a_first_token_for_the_whole_text_the_embedding_is_the_mean(encoder):
    tokenizer = copy.deepcopy(encoder.tokenizer)
    tokenizer.cls_token = None
    encoder = EncoderClassifier(encoder.model, tokenizer)
    passages = [Passage(text) for text in sentences(3)]
    (first, *_), states = encoder.embed(passages, 1), encoder.embed(passages, 64)
    assert first[0] == pytest.approx(states[0].mean(axis=0), abs=1e-5)
