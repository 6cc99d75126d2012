"""Classifiers scored as they are: their labels mapped, sums shared out, missing classes told."""

import numpy
import pytest
from transformers import BertConfig, BertForSequenceClassification, BertModel

from emokit.errors import DataError, UsageError
from emokit.labels import LABELS
from emokit.text.model import learn_tokenizer
from emokit.text.settings import TextSettings, TinySettings
from emokit.text.zero_shot import classifier, label_map

OWN = ["joy", "love", "anger", "sarcasm"]
MAP = {"joy": "happy", "love": "happy", "anger": "angry", "sarcasm": None}


def config(problem=None):
    return BertConfig(id2label=dict(enumerate(OWN)), problem_type=problem)


def test_labels_of_one_class_are_summed_and_what_is_left_out_is_shared_out():
    found = label_map(config(), MAP, "x").probabilities(numpy.log([[0.2, 0.3, 0.1, 0.4]]))
    assert dict(zip(LABELS, found[0].round(6), strict=True)) == pytest.approx(
        {"angry": 1 / 6, "disgust": 0, "fear": 0, "happy": 5 / 6, "neutral": 0, "sad": 0, "surprise": 0}, abs=1e-6
    )


def test_labels_with_a_sigmoid_each_are_made_to_sum_to_one():
    found = label_map(config("multi_label_classification"), MAP, "x").probabilities(numpy.array([[0.0, 0.0, 0.0, 9.0]]))
    assert found[0, LABELS.index("happy")] == pytest.approx(2 / 3)
    assert found.sum() == pytest.approx(1)


def test_a_text_of_which_only_left_out_labels_are_said_still_gets_probabilities():
    found = label_map(config(), MAP, "x").probabilities(numpy.array([[-900.0, -900.0, -900.0, 0.0]]))
    assert found.sum() == pytest.approx(1)
    assert found[0, LABELS.index("fear")] == 0


def test_the_classes_that_it_never_says_are_told():
    assert label_map(config(), MAP, "x").missing == ["disgust", "fear", "neutral", "sad", "surprise"]


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (
            {"joy": "happy"},
            "x says love, which model.labels lacks; map it to one of angry, disgust, fear, happy, neutral, sad, surprise, "
            "or to null.",
        ),
        (
            dict.fromkeys(OWN) | {"other": "sad"},
            "x says joy, love, anger, sarcasm, and model.labels maps none of them to one of the seven.",
        ),
    ],
)
def test_a_table_that_does_not_fit_is_refused(labels, sentence):
    with pytest.raises(UsageError) as error:
        label_map(config(), labels, "x")
    assert str(error.value) == sentence


def test_a_model_without_a_classification_head_is_refused(tmp_path):
    tokenizer = learn_tokenizer(["a b c"], TinySettings(vocabulary=300), 64)
    tokenizer.save_pretrained(tmp_path)
    shape = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8, "num_hidden_layers": 1}
    of = BertConfig(vocab_size=len(tokenizer), max_position_embeddings=64, **shape)
    BertModel(of).save_pretrained(tmp_path)
    values = {"kind": "zero_shot", "name": str(tmp_path), "labels": {"LABEL_0": "happy", "LABEL_1": "sad"}}
    settings = TextSettings.make({"model": values, "features": {"max_length": 32}})
    with pytest.raises(DataError) as error:
        classifier(settings)
    assert str(error.value) == (
        f"{tmp_path} has no classification head (classifier.bias is missing), so it cannot be scored as it is; "
        "fine-tune it with model.kind=pretrained."
    )
    BertForSequenceClassification(of).save_pretrained(tmp_path)
    model, _ = classifier(settings)
    assert model.config.num_labels == 2
