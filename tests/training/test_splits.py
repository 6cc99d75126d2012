"""Checks before training: a missing corpus, an empty split and a class that train lacks are named."""

from pathlib import Path

import numpy
import pandas
import pytest

from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet
from emokit.training.splits import check_splits, rows_of_corpora, target_shares, weighted_rows

LABELS = LabelSet(("calm", "cross", "tired"))
FOLDER = Path("data")


def table(*rows):
    return pandas.DataFrame(rows, columns=["corpus", "split", "label"])


def test_rows_of_other_corpora_are_left_out():
    rows = table(("b", "train", "calm"), ("a", "train", "cross"), ("c", "dev", "calm"), ("a", "test", "calm"))
    chosen = rows_of_corpora(rows, ("a", "c"), FOLDER, "text")
    assert chosen["corpus"].tolist() == ["a", "c", "a"]
    assert chosen.index.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("rows", "present"), [(table(("b", "dev", "calm"), ("a", "dev", "calm")), "a, b"), (table(), "no corpus")]
)
def test_a_corpus_without_rows_is_named_with_those_that_have_some(rows, present):
    with pytest.raises(UsageError) as error:
        rows_of_corpora(rows, ("x",), FOLDER, "audio")
    assert str(error.value) == f"data.corpora names x and data has audio of {present}; prepare it too."


def test_an_empty_split_is_named_unless_it_is_not_read():
    rows = table(("b", "train", "calm"), ("a", "train", "cross"), ("a", "dev", "calm"))
    check_splits(rows, ("train", "dev"), LABELS, FOLDER, "text")
    with pytest.raises(DataError) as error:
        check_splits(rows, ("train", "dev", "test"), LABELS, FOLDER, "text")
    assert str(error.value) == (
        "data has no test utterances with text of a, b; prepare a corpus that has one, "
        "or put a corpus into test with --split CORPUS=test."
    )


def test_a_class_that_train_lacks_is_named_even_if_only_an_unread_split_has_it():
    rows = table(("a", "train", "calm"), ("a", "dev", "calm"), ("a", "test", "cross"))
    with pytest.raises(DataError) as error:
        check_splits(rows, ("train", "dev"), LABELS, FOLDER, "audio")
    assert str(error.value) == (
        "The train split has no utterance labelled cross, which dev or test have; "
        "prepare more corpora or another split seed."
    )


def test_a_class_that_no_split_has_is_not_required():
    rows = table(("a", "train", "calm"), ("a", "train", "cross"), ("a", "dev", "calm"))
    check_splits(rows, ("train", "dev"), LABELS, FOLDER, "audio")


def test_a_train_split_of_one_label_is_named():
    rows = table(("a", "train", "calm"), ("a", "dev", "calm"))
    check_splits(rows, ("dev",), LABELS, FOLDER, "audio")
    with pytest.raises(DataError) as error:
        check_splits(rows, ("train", "dev"), LABELS, FOLDER, "audio")
    assert str(error.value) == (
        "The train split of data has no label but calm, and a model needs two or more; prepare more corpora or another split."
    )


def test_a_soft_label_is_the_target_where_there_is_one():
    labels = LabelSet(["calm", "cross"])
    table = pandas.DataFrame({"label": ["cross", "calm", "calm"], "soft_label": [None, [0.75, 0.25], [0.5, 0.5]]})
    assert target_shares(table, labels).tolist() == [[0, 1], [0.75, 0.25], [0.5, 0.5]]
    assert target_shares(table, labels, soft=False).tolist() == [[0, 1], [1, 0], [1, 0]]
    assert target_shares(table.drop(columns="soft_label"), labels).tolist() == [[0, 1], [1, 0], [1, 0]]


def test_soft_targets_become_weighted_rows_and_hard_ones_stay_as_they_are():
    rows, classes, weights = weighted_rows(numpy.array([[0, 1], [0.75, 0.25]], numpy.float32))
    assert (rows.tolist(), classes.tolist(), weights.tolist()) == ([0, 1, 1], [1, 0, 1], [1, 0.75, 0.25])
    rows, classes, weights = weighted_rows(numpy.eye(2, dtype=numpy.float32)[[1, 0, 1]])
    assert (rows.tolist(), classes.tolist(), weights) == ([0, 1, 2], [1, 0, 1], None)
