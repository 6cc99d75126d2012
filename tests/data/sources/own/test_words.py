"""Words for splits in tables and file names."""

import pytest

from emokit.data.sources.own.words import read_as, split_in, split_of


@pytest.mark.parametrize(
    ("word", "split"),
    [("train", "train"), (" Training", "train"), ("VALID", "dev"), ("eval", "dev"), ("extra", None), ("", None)],
)  # fmt: skip
def test_words_of_others_name_splits(word: str, split: str | None) -> None:
    assert split_of(word) == split


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"),
        ("calls-val_2", "dev"),
        ("Test2", "test"),
        ("train_test", None),
        ("contest", None),
        ("a", None),
    ],
)
def test_a_files_name_has_a_split_among_its_words(name: str, split: str | None) -> None:
    assert split_in(name) == split


def test_words_that_are_no_names_of_splits_are_listed() -> None:
    assert read_as(["train", "val", "eval", "odd", ""]) == "eval counts as dev, val counts as dev"
    assert read_as(["train", "dev"]) is None
