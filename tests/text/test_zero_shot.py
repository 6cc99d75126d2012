"""Classifiers used without training: labels mapped, probabilities normalised, missing classes listed."""

import numpy
import pytest
from transformers import BertConfig, BertForSequenceClassification, BertModel

from emokit.errors import DataError, UsageError
from emokit.labels import DEFAULT_LABELS, LabelSet
from emokit.text.model import train_tokenizer
from emokit.text.settings import TextSettings, TinySettings
from emokit.text.zero_shot import classifier, label_map

CLASSIFIER_LABELS = ["joy", "love", "anger", "sarcasm"]
MAP = {"joy": "happy", "love": "happy", "anger": "angry", "sarcasm": None}


def config(problem=None):
    return BertConfig(id2label=dict(enumerate(CLASSIFIER_LABELS)), problem_type=problem)


def test_labels_of_one_class_are_summed_and_unmapped_ones_are_normalised_away():
    probabilities = label_map(config(), MAP, "x", DEFAULT_LABELS).probabilities(numpy.log([[0.2, 0.3, 0.1, 0.4]]))
    assert dict(zip(DEFAULT_LABELS, probabilities[0].round(6), strict=True)) == pytest.approx(
        {"angry": 1 / 6, "disgust": 0, "fear": 0, "happy": 5 / 6, "neutral": 0, "sad": 0, "surprise": 0}, abs=1e-6
    )


def test_sigmoid_probabilities_are_normalised_to_one():
    probabilities = label_map(config("multi_label_classification"), MAP, "x", DEFAULT_LABELS).probabilities(
        numpy.array([[0.0, 0.0, 0.0, 9.0]])
    )
    assert probabilities[0, DEFAULT_LABELS.index("happy")] == pytest.approx(2 / 3)
    assert probabilities.sum() == pytest.approx(1)


def test_a_text_with_unmapped_labels_only_still_gets_probabilities():
    probabilities = label_map(config(), MAP, "x", DEFAULT_LABELS).probabilities(
        numpy.array([[-900.0, -900.0, -900.0, 0.0]])
    )
    assert probabilities.sum() == pytest.approx(1)
    assert probabilities[0, DEFAULT_LABELS.index("fear")] == 0


def test_classes_that_it_never_predicts_are_listed():
    assert label_map(config(), MAP, "x", DEFAULT_LABELS).missing == ["disgust", "fear", "neutral", "sad", "surprise"]


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        (
            {"joy": "happy"},
            "x has the label love, which model.labels lacks; map it to one of angry, disgust, fear, happy, neutral, sad, "
            "surprise or to null.",
        ),
        (
            dict.fromkeys(CLASSIFIER_LABELS) | {"other": "sad"},
            "x has the labels joy, love, anger, sarcasm, and model.labels maps all of them to null; map one or more to "
            "angry, disgust, fear, happy, neutral, sad, surprise.",
        ),
        (
            MAP | {"joy": "joyful"},
            "model.labels maps joy to joyful, and the data have angry, disgust, fear, happy, neutral, sad, surprise; map it "
            "to one of them or to null.",
        ),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(mapping, sentence):
    with pytest.raises(UsageError) as error:
        label_map(config(), mapping, "x", DEFAULT_LABELS)
    assert str(error.value) == sentence


def test_labels_are_mapped_onto_the_label_set_of_the_data():
    mapping = label_map(
        config(), {**dict.fromkeys(CLASSIFIER_LABELS), "anger": "cross"}, "x", LabelSet(("calm", "cross"))
    )
    assert mapping.matrix.tolist() == [[0, 0], [0, 0], [0, 1], [0, 0]]
    assert mapping.missing == ["calm"]


def test_a_model_without_a_classification_head_is_refused(tmp_path):
    tokenizer = train_tokenizer(["a b c"], TinySettings(vocab_size=300), 64)
    tokenizer.save_pretrained(tmp_path)
    shape = BertConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=64,
        hidden_size=8,
        num_attention_heads=2,
        intermediate_size=8,
        num_hidden_layers=1,
    )
    BertModel(shape).save_pretrained(tmp_path)
    values = {"kind": "zero_shot", "name": str(tmp_path), "labels": {"LABEL_0": "happy", "LABEL_1": "sad"}}
    settings = TextSettings.make({"model": values, "features": {"max_length": 32}})
    with pytest.raises(DataError) as error:
        classifier(settings, DEFAULT_LABELS)
    assert str(error.value) == (
        f"{tmp_path} has no classification head (classifier.bias is missing), so it needs training; "
        "fine-tune it with model.kind=pretrained."
    )
    BertForSequenceClassification(shape).save_pretrained(tmp_path)
    model, _ = classifier(settings, DEFAULT_LABELS)
    assert model.config.num_labels == 2
