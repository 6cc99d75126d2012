"""The words for train, dev and test that tables, files and folders of others have."""

import re
from collections.abc import Iterable

WORDS = {
    "train": ("train", "training"),
    "dev": ("dev", "development", "val", "valid", "validation", "eval", "evaluation"),
    "test": ("test", "testing"),
}
SPLIT_OF = {word: split for split, words in WORDS.items() for word in words}
EXPECTED = "train, dev and test (val, valid, validation, development, eval and evaluation count as dev)"


def split_of(word: str) -> str | None:
    """The split that a word names, in any case; None for another word."""
    return SPLIT_OF.get(word.strip().lower())


def split_in(name: str) -> str | None:
    """The split that the name of a file has among its words, such as `calls-val.csv`; None where it has none, or two."""
    splits = {SPLIT_OF[word] for word in re.split(r"[^a-z]+", name.lower()) if word in SPLIT_OF}
    return splits.pop() if len(splits) == 1 else None


def read_as(words: Iterable[str]) -> str | None:
    """A sentence on the words that are no names of splits themselves: `val and eval count as dev`; None where all are."""
    others = sorted({word for word in words if split_of(word) not in (None, word)})
    return ", ".join(f"{word} counts as {split_of(word)}" for word in others) or None
