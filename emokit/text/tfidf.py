"""TF-IDF of one text, equal to scikit-learn's, without the seconds of its import: a prediction needs no more than counts."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy

# One-letter words count too: `I` is more informative than most words.
VIEWS: dict[str, dict[str, Any]] = {
    "words": {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"},
    "characters": {"analyzer": "char_wb", "ngram_range": (2, 5)},
}
WORD, SPACES = re.compile(VIEWS["words"]["token_pattern"]), re.compile(r"\s\s+")


class View:
    """The terms of one kind, words or characters, with their inverse document frequencies."""

    def __init__(self, name: str, terms: Sequence[str], idf: numpy.ndarray) -> None:
        """Take a name of `VIEWS`, the terms in their order, and (terms,) float64.

        Raises:
            ValueError: a term is there twice, or is no text.
        """
        self.name, self.terms, self.idf = name, list(terms), idf
        self.columns = {term: column for column, term in enumerate(self.terms)}
        if len(self.columns) != len(self.terms) or not all(isinstance(term, str) for term in self.terms):
            raise ValueError(f"terms of {name} that are repeated or no text")

    def __call__(self, text: str) -> tuple[numpy.ndarray, numpy.ndarray]:
        """The columns of the terms in a text, in increasing order, and their TF-IDF: float64, of length one."""
        terms = _words(text.lower()) if self.name == "words" else _characters(text.lower())
        counts = Counter(column for term in terms if (column := self.columns.get(term)) is not None)
        columns = numpy.array(sorted(counts), int)
        values = (numpy.log([counts[column] for column in columns.tolist()]) + 1) * self.idf[columns]
        length = numpy.sqrt(numpy.square(values).sum())
        return columns, values / (length or 1.0)


def _words(text: str) -> Iterator[str]:
    """The words, and the pairs of words that follow each other."""
    words = WORD.findall(text)
    yield from words
    for first, second in itertools.pairwise(words):
        yield f"{first} {second}"


def _characters(text: str) -> Iterator[str]:
    """The character n-grams of each word with a space at both ends; a word that is shorter than n counts once."""
    shortest, longest = VIEWS["characters"]["ngram_range"]
    for word in SPACES.sub(" ", text).split():
        padded = f" {word} "
        for size in range(shortest, longest + 1):
            yield padded[:size]
            for start in range(1, len(padded) - size + 1):
                yield padded[start : start + size]
            if len(padded) <= size:
                break
