"""The weight vectors that are searched: whole steps, none below zero, their sum one.

They stand in the order in which ties are broken: linear pooling before log, then the nearest to equal weights, then the larger
weight on the modality that was named first.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy

from emokit.fusion.late.settings import Pooling

# More points than this are searched from coarse to fine.
MOST_POINTS = 50_000
STARTS = 20  # the best points of the coarse grid that are climbed from


@dataclass(frozen=True)
class Points:
    """Weight vectors, per pooling.

    weights: pooling -> (points, modalities) whole steps, in the order in which ties are broken
    """

    weights: dict[Pooling, numpy.ndarray]

    def __len__(self) -> int:
        return sum(map(len, self.weights.values()))

    def at(self, index: int) -> tuple[tuple[int, ...], Pooling]:
        """The weights and the pooling of the point of that number, counted through all poolings."""
        for pooling, weights in self.weights.items():
            if index < len(weights):
                return tuple(map(int, weights[index])), pooling
            index -= len(weights)
        raise IndexError(index)

    @property
    def all_weights(self) -> numpy.ndarray:
        """(points, modalities) through all poolings."""
        return numpy.vstack(list(self.weights.values()))


def num_points(modalities: int, steps: int) -> int:
    """How many weight vectors there are."""
    return math.comb(steps + modalities - 1, modalities - 1)


def simplex(modalities: int, steps: int) -> numpy.ndarray:
    """(points, modalities) every vector of whole numbers from 0 that sums to `steps`."""
    size = num_points(modalities, steps)
    # Bars between the stars: between two of them lie as many stars as the weight has steps.
    chosen = itertools.combinations(range(steps + modalities - 1), modalities - 1)
    bars = numpy.array(list(chosen), dtype=numpy.int64).reshape(size, modalities - 1)
    ends = numpy.full((size, 1), -1), numpy.full((size, 1), steps + modalities - 1)
    found: numpy.ndarray = numpy.diff(numpy.hstack([ends[0], bars, ends[1]]), axis=1) - 1
    return found


def in_order(weights: numpy.ndarray) -> numpy.ndarray:
    """Weight vectors (points, modalities) in the order in which ties are broken."""
    away = ((weights.shape[1] * weights - weights.sum(axis=1, keepdims=True)) ** 2).sum(axis=1)
    found: numpy.ndarray = weights[numpy.lexsort([*(-weights.T[::-1]), away])]
    return found


def grid(modalities: int, steps: int, poolings: Sequence[Pooling]) -> Points:
    """Every point; where there are more than `MOST_POINTS`, those of a coarser grid, moved to whole steps."""
    coarse = steps
    while num_points(modalities, coarse) > MOST_POINTS:
        coarse -= 1
    weights = simplex(modalities, coarse)
    if coarse < steps:
        whole, rest = numpy.divmod(weights * steps, coarse)
        # What rounding down has left goes to the largest remainders.
        rank = numpy.argsort(numpy.argsort(-rest, axis=1, kind="stable"), axis=1, kind="stable")
        weights = numpy.unique(whole + (rank < steps - whole.sum(axis=1, keepdims=True)), axis=0)
    ordered = in_order(weights)
    return Points(dict.fromkeys(poolings, ordered))


def climb(weights: numpy.ndarray, score: Callable[[numpy.ndarray], numpy.ndarray]) -> numpy.ndarray:
    """The points of a coarse grid (points, modalities), and those met on the way up from the best of them.

    From each of the best, weight is moved from one modality to another; by half as much once nothing is gained any more, down to
    a single step.

    Args:
        weights: the coarse points, in whole steps.
        score: weights (points, modalities) -> (points,), the higher the better.
    """
    modalities, steps = weights.shape[1], int(weights[0].sum())
    moves = numpy.array(
        [
            [(place == into) - (place == out) for place in range(modalities)]
            for out, into in itertools.permutations(range(modalities), 2)
        ]
    )
    scores = score(weights)
    met = {tuple(row) for row in weights.tolist()}
    reach = max(1, steps // 8)
    while reach:
        best = weights[numpy.argsort(-scores, kind="stable")[:STARTS]]
        near = (best[:, None] + reach * moves).reshape(-1, modalities)
        fresh = sorted({tuple(row) for row in near[(near >= 0).all(axis=1)].tolist()} - met)
        gained = False
        if fresh:
            met.update(fresh)
            more = numpy.array(fresh)
            found = score(more)
            gained = found.max() > scores.max()
            weights, scores = numpy.vstack([weights, more]), numpy.concatenate([scores, found])
        if not gained:
            reach //= 2
    return in_order(weights)
