"""The search: scores of weight vectors on dev and on bootstrap resamples of dev.

A score is computed from counts per cluster, so a thousand resamples of a point cost one matrix product. Among points with equal
scores (within 1e-12), the first in the order of `simplex` is the best.
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
from emokit.metrics import SMALLEST_PROBABILITY, count_score

SCORE_TOLERANCE = 1e-12
# Float64 numbers in the largest array of a chunk: 2 MiB fit the processor's cache and are too few for BLAS to start threads.
CHUNK_NUMBERS = 1 << 18


def first_best(scores: numpy.ndarray) -> int:
    """The index of the best of (points,) scores, the first in a tie."""
    return int((scores >= scores.max() - SCORE_TOLERANCE).argmax())


@dataclass(frozen=True)
class Problem:
    """A search problem: terms per pooling, truth, clusters, and the objective.

    targets: (utterances,) true classes
    cluster: (utterances,) index of each utterance's cluster
    """

    terms: Mapping[Pooling, Terms]
    targets: numpy.ndarray
    num_classes: int
    cluster: numpy.ndarray
    num_clusters: int
    objective: Objective

    @classmethod
    def from_panel(cls, panel: Panel, poolings: Sequence[Pooling], objective: Objective) -> "Problem":
        """The search problem on a panel's utterances."""
        names, cluster = numpy.unique(panel.clusters, return_inverse=True)
        terms = {pooling: Terms.from_panel(panel, pooling) for pooling in poolings}
        return cls(terms, panel.targets, len(panel.labels), cluster, len(names), objective)

    @cached_property
    def support(self) -> numpy.ndarray:
        """(clusters, classes) counts of the true classes."""
        cell = self.cluster * self.num_classes + self.targets
        counts = numpy.bincount(cell, minlength=self.num_clusters * self.num_classes)
        return counts.reshape(self.num_clusters, self.num_classes).astype(numpy.float64)

    def scores(self, points: Points, draws: numpy.ndarray | None = None) -> Iterator[tuple[slice, numpy.ndarray]]:
        """Yield per chunk of points their slice and their scores (draws, points); higher is better, so NLL is negated.

        Args:
            points: the points to score.
            draws: (draws, clusters) how often each cluster is drawn; None counts every cluster once.
        """
        draws = numpy.ones((1, self.num_clusters)) if draws is None else draws
        score = self._log_likelihoods if self.objective == "nll" else self._count_scores
        per_point = max(self.num_classes * len(self.targets), 2 * self.num_classes * max(self.num_clusters, len(draws)))
        size, first = max(1, CHUNK_NUMBERS // per_point), 0
        for pooling, weights in points.weights.items():
            for start in range(0, len(weights), size):
                chunk = score(self.terms[pooling], weights[start : start + size], draws)
                yield slice(first, first + chunk.shape[1]), chunk
                first += chunk.shape[1]

    def plain_scores(self, points: Points) -> numpy.ndarray:
        """(points,) scores on the utterances without resampling."""
        return numpy.concatenate([scores[0] for _, scores in self.scores(points)])

    def best(self, points: Points, draws: numpy.ndarray | None = None) -> tuple[numpy.ndarray, numpy.ndarray]:
        """(draws,) the index of the best point of each draw, and (draws,) its score."""
        index, best = numpy.zeros(1, dtype=int), numpy.array([-math.inf])
        for chunk, scores in self.scores(points, draws):
            largest = scores.max(axis=1)
            chunk_index = (scores >= largest[:, None] - SCORE_TOLERANCE).argmax(axis=1) + chunk.start
            better = largest > best + SCORE_TOLERANCE
            index, best = numpy.where(better, chunk_index, index), numpy.where(better, largest, best)
        return index, best

    def refined(self, points: Points, steps: int) -> Points:
        """The points with those that hill climbing visits; a complete grid stays as it is."""
        modalities = points.all_weights.shape[1]

        def climbed(pooling: Pooling, weights: numpy.ndarray) -> numpy.ndarray:
            if len(weights) == num_points(modalities, steps):
                return weights
            return climb(weights, lambda candidates: self.plain_scores(Points({pooling: candidates})))

        return Points({pooling: climbed(pooling, weights) for pooling, weights in points.weights.items()})

    def _count_scores(self, terms: Terms, weights: numpy.ndarray, draws: numpy.ndarray) -> numpy.ndarray:
        predicted = first_largest(terms.sums(weights))
        size, cells = len(weights), 2 * self.num_classes
        # One bincount over point, cluster, predicted class, and wrong or right.
        cell = cells * self.cluster + 2 * predicted + (predicted == self.targets)
        cell += cells * self.num_clusters * numpy.arange(size)[:, None]
        counts = numpy.bincount(cell.ravel(), minlength=size * self.num_clusters * cells)
        by_cluster = counts.reshape(size, self.num_clusters, cells).transpose(1, 0, 2).astype(numpy.float64)
        drawn = (draws @ by_cluster.reshape(self.num_clusters, -1)).reshape(len(draws), size, self.num_classes, 2)
        hits = drawn[..., 1]
        return count_score(self.objective, hits, (draws @ self.support)[:, None, :], drawn[..., 0] + hits)

    def _log_likelihoods(self, terms: Terms, weights: numpy.ndarray, draws: numpy.ndarray) -> numpy.ndarray:
        logs = numpy.maximum(terms.log_probabilities_of(self.targets, weights), math.log(SMALLEST_PROBABILITY))
        order = numpy.argsort(self.cluster, kind="stable")
        starts = numpy.searchsorted(self.cluster[order], numpy.arange(self.num_clusters))
        sums = numpy.add.reduceat(logs[:, order], starts, axis=1)
        means: numpy.ndarray = draws @ sums.T / (draws @ self.support).sum(axis=1, keepdims=True)
        return means
