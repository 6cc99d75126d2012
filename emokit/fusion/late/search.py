"""The search: the score of every weight vector, on dev as it is and on any number of resamples of it.

A score is made of counts per cluster, so a thousand resamples of a point cost one product of matrices. Of points whose scores
are equal (within 1e-12) the first in the order of `simplex` is the best.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy

from emokit.fusion.late.combine import Terms, first_largest
from emokit.fusion.late.inputs import Panel
from emokit.fusion.late.settings import Objective, Pooling
from emokit.fusion.late.simplex import Points, climb, num_points
from emokit.labels import NUM_LABELS
from emokit.metrics import SMALLEST_PROBABILITY, count_score

EQUAL_SCORES = 1e-12
# Float64 numbers in the largest array of a chunk: 2 MiB stay near the processor, and are too few for BLAS to start threads for.
CHUNK_NUMBERS = 1 << 18


def first_best(scores: numpy.ndarray) -> int:
    """The number of the best of (points,) scores, the first of equals."""
    return int((scores >= scores.max() - EQUAL_SCORES).argmax())


@dataclass(frozen=True)
class Problem:
    """What is searched: terms per pooling, the truth, the clusters, and the score.

    targets: (utterances,) class numbers
    cluster: (utterances,) the number of each utterance's cluster
    """

    terms: Mapping[Pooling, Terms]
    targets: numpy.ndarray
    cluster: numpy.ndarray
    num_clusters: int
    objective: Objective

    @classmethod
    def of(cls, panel: Panel, poolings: Sequence[Pooling], objective: Objective) -> "Problem":
        """The problem of a panel's utterances."""
        names, cluster = numpy.unique(panel.clusters, return_inverse=True)
        terms = {pooling: Terms.of(panel, pooling) for pooling in poolings}
        return cls(terms, panel.targets, cluster, len(names), objective)

    @cached_property
    def support(self) -> numpy.ndarray:
        """(clusters, classes) how often each label is the truth."""
        counts = numpy.bincount(self.cluster * NUM_LABELS + self.targets, minlength=self.num_clusters * NUM_LABELS)
        return counts.reshape(self.num_clusters, NUM_LABELS).astype(numpy.float64)

    def scores(self, points: Points, draws: numpy.ndarray | None = None) -> Iterator[tuple[slice, numpy.ndarray]]:
        """Chunk by chunk: which points, and their scores (draws, points); the higher the better, so NLL is negated.

        Args:
            points: what to score.
            draws: (draws, clusters) how often each cluster counts; None is every cluster once.
        """
        draws = numpy.ones((1, self.num_clusters)) if draws is None else draws
        score = self._log_likelihoods if self.objective == "nll" else self._count_scores
        per_point = max(NUM_LABELS * len(self.targets), 2 * NUM_LABELS * max(self.num_clusters, len(draws)))
        size, first = max(1, CHUNK_NUMBERS // per_point), 0
        for pooling, weights in points.weights.items():
            for start in range(0, len(weights), size):
                found = score(self.terms[pooling], weights[start : start + size], draws)
                yield slice(first, first + found.shape[1]), found
                first += found.shape[1]

    def plain_scores(self, points: Points) -> numpy.ndarray:
        """(points,) scores on the utterances as they are."""
        return numpy.concatenate([scores[0] for _, scores in self.scores(points)])

    def best(self, points: Points, draws: numpy.ndarray | None = None) -> tuple[numpy.ndarray, numpy.ndarray]:
        """(draws,) the number of the best point of each draw, and (draws,) its score."""
        index, best = numpy.zeros(1, dtype=int), numpy.array([-math.inf])
        for chunk, scores in self.scores(points, draws):
            largest = scores.max(axis=1)
            here = (scores >= largest[:, None] - EQUAL_SCORES).argmax(axis=1) + chunk.start
            better = largest > best + EQUAL_SCORES
            index, best = numpy.where(better, here, index), numpy.where(better, largest, best)
        return index, best

    def refined(self, points: Points, steps: int) -> Points:
        """Where the points are a coarse grid only, with those met on the way up from the best of them."""
        modalities = points.all_weights.shape[1]

        def climbed(pooling: Pooling, weights: numpy.ndarray) -> numpy.ndarray:
            if len(weights) == num_points(modalities, steps):
                return weights
            return climb(weights, lambda some: self.plain_scores(Points({pooling: some})))

        return Points({pooling: climbed(pooling, weights) for pooling, weights in points.weights.items()})

    def _count_scores(self, terms: Terms, weights: numpy.ndarray, draws: numpy.ndarray) -> numpy.ndarray:
        predicted = first_largest(terms.sums(weights))
        size, cells = len(weights), 2 * NUM_LABELS
        # One count of everything: point, cluster, class guessed, wrong or right.
        cell = cells * self.cluster + 2 * predicted + (predicted == self.targets)
        cell += cells * self.num_clusters * numpy.arange(size)[:, None]
        counts = numpy.bincount(cell.ravel(), minlength=size * self.num_clusters * cells)
        by_cluster = counts.reshape(size, self.num_clusters, cells).transpose(1, 0, 2).astype(numpy.float64)
        drawn = (draws @ by_cluster.reshape(self.num_clusters, -1)).reshape(len(draws), size, NUM_LABELS, 2)
        hits = drawn[..., 1]
        return count_score(self.objective, hits, (draws @ self.support)[:, None, :], drawn[..., 0] + hits)

    def _log_likelihoods(self, terms: Terms, weights: numpy.ndarray, draws: numpy.ndarray) -> numpy.ndarray:
        logs = numpy.maximum(terms.log_truths(weights, self.targets), math.log(SMALLEST_PROBABILITY))
        order = numpy.argsort(self.cluster, kind="stable")
        starts = numpy.searchsorted(self.cluster[order], numpy.arange(self.num_clusters))
        sums = numpy.add.reduceat(logs[:, order], starts, axis=1)
        found: numpy.ndarray = draws @ sums.T / (draws @ self.support).sum(axis=1, keepdims=True)
        return found
