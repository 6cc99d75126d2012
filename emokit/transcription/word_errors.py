"""Word error rate: how many words of a transcript are wrong, by the words that are known, with a bootstrap interval.

Texts are compared after Whisper's own normalisation (Radford et al. 2022, appendix C): English ignores case, punctuation,
contractions and ways to write numbers; other languages ignore case and punctuation. In languages without spaces between words,
characters are counted in place of words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy

from emokit.metrics import NUM_RESAMPLES, bootstrap_weights
from emokit.schema.metrics import FEWEST_CLUSTERS
from emokit.transcription.languages import ENGLISH, WITHOUT_SPACES


@dataclass(frozen=True)
class WordErrors:
    """The errors of one transcript.

    Attributes:
        errors: words substituted, inserted and deleted.
        words: number of the words that were said.
    """

    errors: int
    words: int


def words_of(text: str, language: str | None) -> list[str]:
    """The words of a text after Whisper's normalisation; characters in languages without spaces between words."""
    return _normaliser(language or "")(text).split()


@cache
def _normaliser(language: str) -> Any:
    from transformers.models.whisper.english_normalizer import BasicTextNormalizer, EnglishTextNormalizer

    if language == ENGLISH:
        return EnglishTextNormalizer({})  # British spellings stay as they are
    return BasicTextNormalizer(split_letters=language in WITHOUT_SPACES)


def word_errors(known: str, transcript: str, language: str | None) -> WordErrors:
    """The errors of a transcript by the words that are known to be said."""
    known_words, written_words = words_of(known, language), words_of(transcript, language)
    return WordErrors(edit_distance(known_words, written_words), len(known_words))


def edit_distance(before: Sequence[str], after: Sequence[str]) -> int:
    """The fewest substitutions, insertions and deletions that make one list of words the other (Levenshtein 1966)."""
    costs = list(range(len(after) + 1))
    for row, word in enumerate(before, start=1):
        diagonal, costs[0] = costs[0], row
        for column, other in enumerate(after, start=1):
            diagonal, costs[column] = (
                costs[column],
                min(costs[column] + 1, costs[column - 1] + 1, diagonal + (word != other)),
            )
    return costs[-1]


def rate(entries: Iterable[tuple[str, WordErrors]], noun: str = "speaker") -> dict[str, Any]:
    """The word error rate of several transcripts, all their words counted alike.

    Args:
        entries: cluster, such as the speaker, and the errors of each transcript.
        noun: what a cluster is.

    Returns:
        `rate`, the counts, the `interval` over clusters (None for too few of them), and the rate `per_cluster`.
    """
    clusters: dict[str, list[WordErrors]] = {}
    for cluster, errors in entries:
        clusters.setdefault(cluster, []).append(errors)
    sums = numpy.array(
        [[sum(entry.errors for entry in group), sum(entry.words for entry in group)] for group in clusters.values()],
        dtype=numpy.float64,
    ).reshape(-1, 2)
    errors, words = sums.sum(axis=0)
    return {
        "rate": _share(errors, words),
        "interval": _interval(sums) if len(sums) >= FEWEST_CLUSTERS else None,
        "errors": int(errors),
        "words": int(words),
        "utterances": sum(map(len, clusters.values())),
        "cluster": noun,
        "num_clusters": len(clusters),
        "per_cluster": _per_cluster(dict(zip(clusters, sums, strict=True))),
    }


def _interval(sums: numpy.ndarray) -> list[float]:
    """The 95 % bootstrap interval of a rate, of the (clusters, 2) errors and words of each cluster."""
    resampled = bootstrap_weights(len(sums), NUM_RESAMPLES, seed=0) @ sums
    rates = resampled[:, 0] / numpy.maximum(resampled[:, 1], 1)
    return [float(bound) for bound in numpy.quantile(rates, [0.025, 0.975])]


def _per_cluster(sums: Mapping[str, numpy.ndarray]) -> dict[str, float | None]:
    return {name: _share(*values) for name, values in sorted(sums.items())}


def _share(errors: float, words: float) -> float | None:
    return float(errors / words) if words else None
