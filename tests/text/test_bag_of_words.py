"""The bag of words: against scikit-learn, saved without pickle, and its scores on the real corpora."""

import json

import numpy
import pytest
from safetensors.numpy import load_file, save_file
from sklearn.feature_extraction.text import TfidfVectorizer

from emokit import runs
from emokit.audio.settings import FeatureSettings
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.data.catalogue import read_catalogue, with_roots
from emokit.data.plan import Plan
from emokit.data.prepare import prepare
from emokit.data.splits.draw import SplitSettings
from emokit.errors import DataError
from emokit.labels import DEFAULT_LABELS, LabelSet
from emokit.text import bag_of_words
from emokit.text.settings import TextSettings
from emokit.text.train import train
from emokit.training.batches import one_hot

TEXTS = ["I love this", "I hate this", "love love it", "hate it, hate you", "I was there", "we were here"] * 4
TARGETS = numpy.array([3, 0, 3, 0, 4, 4] * 4)


@pytest.fixture(scope="module")
def model():
    return bag_of_words.fit(TEXTS, one_hot(TARGETS, 7), TEXTS, TARGETS, DEFAULT_LABELS)


def test_it_predicts_the_class_of_the_words(model):
    probabilities = model.probabilities(["love you", "hate them", "where were we", "\u202e 😂"])
    assert probabilities.argmax(axis=1)[:3].tolist() == [3, 0, 4]
    assert probabilities.sum(axis=1) == pytest.approx(numpy.ones(4))


def test_a_class_that_train_lacks_has_probability_zero(model):
    assert model.probabilities(["love"])[0, [1, 2, 5, 6]].tolist() == [0, 0, 0, 0]


def test_its_features_are_words_and_characters_as_scikit_learn_counts_them(model):
    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", sublinear_tf=True).fit(TEXTS)
    characters = TfidfVectorizer(ngram_range=(2, 5), analyzer="char_wb", sublinear_tf=True).fit(TEXTS)
    features = numpy.hstack([view.transform(["I love it"]).toarray() for view in (words, characters)])
    logits = features @ model.coefficients.T + model.intercepts
    powers = numpy.exp(logits - logits.max())
    assert model.probabilities(["I love it"]) == pytest.approx(powers / powers.sum(), abs=1e-6)


def test_a_saved_model_predicts_the_same_to_the_last_digit(model, tmp_path):
    bag_of_words.save(model, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.safetensors", "vocabularies.json"]
    texts = [*TEXTS, "something else entirely", "你好"]
    assert (bag_of_words.load(tmp_path, DEFAULT_LABELS).probabilities(texts) == model.probabilities(texts)).all()


def test_a_model_has_the_label_set_of_its_data(tmp_path):
    labels = LabelSet(("cross", "dull", "eager", "fond", "glum"))
    saved = bag_of_words.fit(TEXTS, one_hot(TARGETS, 5), TEXTS, TARGETS, labels)
    assert saved.coefficients.shape[0] == 5
    assert saved.probabilities(["love", "hate"]).argmax(axis=1).tolist() == [3, 0]
    bag_of_words.save(saved, tmp_path)
    assert json.loads((tmp_path / "vocabularies.json").read_text())["labels"] == list(labels)
    assert bag_of_words.load(tmp_path, labels).labels == labels
    with pytest.raises(DataError) as error:
        bag_of_words.load(tmp_path, DEFAULT_LABELS)
    assert str(error.value) == (
        f"{tmp_path} has a model of the labels cross, dull, eager, fond, glum and its run has angry, disgust, fear, happy, "
        "neutral, sad, surprise; train the run again with --force."
    )


def test_two_classes_are_enough():
    rows = TARGETS != 4
    texts = [text for text, is_used in zip(TEXTS, rows, strict=True) if is_used]
    two = bag_of_words.fit(texts, one_hot(TARGETS[rows], 7), texts, TARGETS[rows], DEFAULT_LABELS)
    assert two.probabilities(["love", "hate"]).argmax(axis=1).tolist() == [3, 0]


def test_a_damaged_folder_is_named(model, tmp_path):
    bag_of_words.save(model, tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"cut short")
    with pytest.raises(DataError) as error:
        bag_of_words.load(tmp_path, DEFAULT_LABELS)
    assert str(error.value).startswith(f"{tmp_path} has a damaged model (")
    assert str(error.value).endswith("); train the run again with --force.")


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_model_with_a_frequency_that_is_none_is_refused(model, tmp_path, value):
    bag_of_words.save(model, tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    weights["idf_words"][0] = value
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(DataError) as error:
        bag_of_words.load(tmp_path, DEFAULT_LABELS)
    assert str(error.value) == (
        f"{tmp_path} has a damaged model (inverse document frequencies that are not above 0); train the run again with --force."
    )


def scores(name, root, tmp_path):
    """The scores of a tfidf run on a whole corpus."""
    corpora = with_roots(read_catalogue(), [name], [f"{name}={root}"])
    features = FeatureSettings()
    data = prepare(Plan(tuple(corpora), features, SplitSettings()), tmp_path / "prepared", LogMel(features))
    train(TextSettings.make({"name": name, "model": {"kind": "tfidf"}}), data, tmp_path / "run", device="cpu")
    return runs.read_metrics(tmp_path / "run")["splits"]


@pytest.mark.corpus
def test_its_accuracy_on_goemotions_is_the_known_one(corpora, tmp_path):
    test = scores("goemotions", corpora / "goemotions", tmp_path)["test"]
    assert test["n"] == 4590
    assert test["accuracy"] == pytest.approx(0.638, abs=0.01)
    assert 0.55 <= test["macro_f1"] <= 0.58


@pytest.mark.corpus
def test_its_f1_on_meld_is_the_known_one(corpora, tmp_path):
    splits = scores("meld", corpora / "meld" / "MELD.Raw", tmp_path)
    assert (splits["dev"]["n"], splits["test"]["n"]) == (1109, 2610)
    assert splits["dev"]["weighted_f1"] == pytest.approx(0.527, abs=0.01)
    assert splits["test"]["weighted_f1"] == pytest.approx(0.568, abs=0.01)


@pytest.mark.parametrize(
    ("name", "of_shape"),
    [
        ("intercepts", "(1,) for 7 labels"),
        ("idf_words", "(1,) for 10 terms"),
        ("coefficients", "(1, {n}) for 7 labels"),
    ],
)
def test_weights_of_another_shape_are_refused(model, tmp_path, name, of_shape):
    bag_of_words.save(model, tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    size = weights["coefficients"].shape[1]
    save_file(weights | {name: numpy.ascontiguousarray(weights[name][:1])}, tmp_path / "model.safetensors")
    with pytest.raises(DataError) as error:
        bag_of_words.load(tmp_path, DEFAULT_LABELS)
    shape = of_shape.format(n=size).replace("10 terms", f"{len(weights['idf_words'])} terms")
    assert (
        str(error.value)
        == f"{tmp_path} has a damaged model ({name} of shape {shape}); train the run again with --force."
    )
