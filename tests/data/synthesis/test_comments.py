"""The layout of GoEmotions: invented comments in the format of the real TSVs."""

import re
from pathlib import Path

import pytest

from emokit.data.synthesis.corpora import write_corpus

OFFICIAL = [
    "admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion", "curiosity", "desire",
    "disappointment", "disapproval", "disgust", "embarrassment", "excitement", "fear", "gratitude", "grief", "joy",
    "love", "nervousness", "optimism", "pride", "realization", "relief", "remorse", "sadness", "surprise", "neutral",
]  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("comments") / "goemotions"
    write_corpus("goemotions", root)
    return root


def rows(root: Path, split: str) -> list[list[str]]:
    return [line.split("\t") for line in (root / f"{split}.tsv").read_text(encoding="utf-8").splitlines()]


def test_the_labels_are_the_28_in_their_published_order(root: Path) -> None:
    assert (root / "labels.txt").read_text(encoding="utf-8").split("\n") == OFFICIAL


def test_every_row_has_a_text_label_numbers_and_a_unique_id(root: Path) -> None:
    all_rows = [row for split in ("train", "dev", "test") for row in rows(root, split)]
    assert all(
        len(row) == 3 and row[0] and re.fullmatch(r"\d+(,\d+)*", row[1]) and re.fullmatch(r"e[0-9a-z]{6}", row[2])
        for row in all_rows
    )
    assert len({row[2] for row in all_rows}) == len(all_rows) == 2080


def test_every_split_has_every_label_some_quotation_marks_and_rows_with_two_labels(root: Path) -> None:
    for split in ("train", "dev", "test"):
        of_split = rows(root, split)
        assert {number for _, numbers, _ in of_split for number in numbers.split(",")} == {str(n) for n in range(28)}
        assert any("," in numbers for _, numbers, _ in of_split)
        assert any(text.startswith('"') or 'said "' in text for text, _, _ in of_split)


def test_words_predict_the_label_often_but_not_always(root: Path) -> None:
    labels_of_thanks = [
        numbers for text, numbers, _ in rows(root, "train") if "thank" in text.lower() and "," not in numbers
    ]
    gratitude = str(OFFICIAL.index("gratitude"))
    assert 0.6 < labels_of_thanks.count(gratitude) / len(labels_of_thanks) < 0.98
