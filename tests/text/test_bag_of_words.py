"""The bag of words: against scikit-learn, kept without pickle, and its numbers on the real corpora."""

import numpy
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from emokit import runs
from emokit.audio.settings import FeatureSettings
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.data.catalogue import read_catalogue, with_roots
from emokit.data.prepare import Plan, prepare
from emokit.data.splits.draw import SplitSettings
from emokit.errors import DataError
from emokit.text import bag_of_words
from emokit.text.settings import TextSettings
from emokit.text.train import train

TEXTS = ["I love this", "I hate this", "love love it", "hate it, hate you", "I was there", "we were here"] * 4
TARGETS = numpy.array([3, 0, 3, 0, 4, 4] * 4)


@pytest.fixture(scope="module")
def model():
    return bag_of_words.fit(TEXTS, TARGETS, TEXTS, TARGETS)


def test_it_learns_what_words_say(model):
    found = model.probabilities(["love you", "hate them", "where were we", "\u202e 😂"])
    assert found.argmax(axis=1)[:3].tolist() == [3, 0, 4]
    assert found.sum(axis=1) == pytest.approx(numpy.ones(4))


def test_a_class_that_training_did_not_have_gets_nothing(model):
    assert model.probabilities(["love"])[0, [1, 2, 5, 6]].tolist() == [0, 0, 0, 0]


def test_it_has_words_and_characters_as_scikit_learn_counts_them(model):
    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", sublinear_tf=True).fit(TEXTS)
    characters = TfidfVectorizer(ngram_range=(2, 5), analyzer="char_wb", sublinear_tf=True).fit(TEXTS)
    features = numpy.hstack([part.transform(["I love it"]).toarray() for part in (words, characters)])
    logits = features @ model.coefficients.T + model.intercepts
    powers = numpy.exp(logits - logits.max())
    assert model.probabilities(["I love it"]) == pytest.approx(powers / powers.sum(), abs=1e-6)


def test_what_was_kept_predicts_the_same_to_the_last_digit(model, tmp_path):
    bag_of_words.save(model, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.safetensors", "vocabularies.json"]
    texts = [*TEXTS, "something else entirely", "你好"]
    assert (bag_of_words.read(tmp_path).probabilities(texts) == model.probabilities(texts)).all()


def test_two_classes_are_told_apart_too():
    two = TARGETS != 4
    texts = [text for text, take in zip(TEXTS, two, strict=True) if take]
    found = bag_of_words.fit(texts, TARGETS[two], texts, TARGETS[two]).probabilities(["love", "hate"])
    assert found.argmax(axis=1).tolist() == [3, 0]


def test_a_damaged_folder_is_named(model, tmp_path):
    bag_of_words.save(model, tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"cut short")
    with pytest.raises(DataError) as error:
        bag_of_words.read(tmp_path)
    assert str(error.value).startswith(f"{tmp_path} holds no whole model (")
    assert str(error.value).endswith("); train the run again with --force.")


def scores(name, root, tmp_path):
    """The scores of a run of the kind tfidf on a whole corpus."""
    corpora = with_roots(read_catalogue(), [name], [f"{name}={root}"])
    features = FeatureSettings()
    data = prepare(Plan(tuple(corpora), features, SplitSettings()), tmp_path / "prepared", LogMel(features))
    train(TextSettings.make({"name": name, "model": {"kind": "tfidf"}}), data, tmp_path / "run", device="cpu")
    return runs.read_metrics(tmp_path / "run")["splits"]


@pytest.mark.corpus
def test_on_goemotions_it_has_the_accuracy_that_it_is_known_for(corpora, tmp_path):
    test = scores("goemotions", corpora / "goemotions", tmp_path)["test"]
    assert test["n"] == 4590
    assert test["accuracy"] == pytest.approx(0.638, abs=0.01)
    assert 0.55 <= test["macro_f1"] <= 0.58


@pytest.mark.corpus
def test_on_meld_it_has_the_f1_that_it_is_known_for(corpora, tmp_path):
    found = scores("meld", corpora / "meld" / "MELD.Raw", tmp_path)
    assert (found["dev"]["n"], found["test"]["n"]) == (1109, 2610)
    assert found["dev"]["weighted_f1"] == pytest.approx(0.527, abs=0.01)
    assert found["test"]["weighted_f1"] == pytest.approx(0.568, abs=0.01)
