"""Label sets: unique names in a fixed order, which models and tables of predictions depend on."""

import numpy
import pytest

from emokit.errors import UsageError
from emokit.labels import DEFAULT_LABELS, LabelSet


def test_the_default_label_set_has_a_fixed_order() -> None:
    assert " ".join(DEFAULT_LABELS) == "angry disgust fear happy neutral sad surprise"
    assert [DEFAULT_LABELS.label2id[DEFAULT_LABELS.id2label[target]] for target in range(7)] == list(range(7))


def test_targets_and_columns_follow_the_order_of_the_names() -> None:
    labels = LabelSet(["low", "high"])
    targets = labels.targets(["high", "low", "high"])
    assert targets.tolist() == [1, 0, 1]
    assert targets.dtype == numpy.int64
    assert labels.columns == ["p_low", "p_high"]
    assert (labels.label2id, labels.id2label) == ({"low": 0, "high": 1}, {0: "low", 1: "high"})
    with pytest.raises(KeyError):
        labels.targets(["medium"])


def test_a_label_set_equals_a_tuple_of_its_names_in_the_same_order() -> None:
    labels = LabelSet(iter(["low", "high"]))
    assert labels == ("low", "high")
    assert labels != ("high", "low")
    assert {labels: 1}["low", "high"] == 1


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["low", "high", "low"], "The label set names low twice; name each label once."),
        ([], "A label set of [] was given; name two or more labels, none of them empty."),
        (["low"], "A label set of ['low'] was given; name two or more labels, none of them empty."),
        (["low", ""], "A label set of ['low', ''] was given; name two or more labels, none of them empty."),
    ],
)
def test_repeated_empty_and_too_few_names_are_refused(names: list[str], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        LabelSet(names)
    assert str(caught.value) == sentence


def test_labels_are_renamed_and_merged_and_probabilities_carried_over() -> None:
    labels, shares = LabelSet(["joy", "love", "rage"]).merged({"love": "joy", "rage": "anger"})
    assert labels == ("joy", "anger")
    assert (numpy.array([0.5, 0.25, 0.25]) @ shares).tolist() == [0.75, 0.25]
    with pytest.raises(UsageError):
        LabelSet(["joy", "love"]).merged({"love": "joy"})
