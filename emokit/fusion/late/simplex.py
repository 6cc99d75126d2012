"""Weight vectors on the simplex: integer numbers of steps, zero or more, with a constant sum.

Vectors are sorted in the order in which ties are broken: linear pooling before log pooling, then the smaller distance to equal
weights, then the larger weight on the modality named first.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy

from emokit.fusion.late.settings import Pooling

# A grid with more points is searched coarse to fine.
MAX_POINTS = 50_000
NUM_STARTS = 20  # best points of the coarse grid that hill climbing starts from


@dataclass(frozen=True)
class Points:
    """Weight vectors, per pooling.

    weights: pooling -> (points, modalities) in steps, in the order in which ties are broken
    """

    weights: dict[Pooling, numpy.ndarray]

    def __len__(self) -> int:
        return sum(map(len, self.weights.values()))

    def at(self, index: int) -> tuple[tuple[int, ...], Pooling]:
        """The weights and the pooling of a point; indices run through all poolings."""
        for pooling, weights in self.weights.items():
            if index < len(weights):
                return tuple(map(int, weights[index])), pooling
            index -= len(weights)
        raise IndexError(index)

    @property
    def all_weights(self) -> numpy.ndarray:
        """(points, modalities) weights of all poolings."""
        return numpy.vstack(list(self.weights.values()))


def num_points(modalities: int, steps: int) -> int:
    """The number of weight vectors on the grid."""
    return math.comb(steps + modalities - 1, modalities - 1)


def simplex(modalities: int, steps: int) -> numpy.ndarray:
    """(points, modalities) all vectors of integers from 0 whose sum is `steps`."""
    size = num_points(modalities, steps)
    # Stars and bars: the number of stars between two bars is one weight.
    positions = itertools.combinations(range(steps + modalities - 1), modalities - 1)
    bars = numpy.array(list(positions), dtype=numpy.int64).reshape(size, modalities - 1)
    first, last = numpy.full((size, 1), -1), numpy.full((size, 1), steps + modalities - 1)
    weights: numpy.ndarray = numpy.diff(numpy.hstack([first, bars, last]), axis=1) - 1
    return weights


def in_order(weights: numpy.ndarray) -> numpy.ndarray:
    """Weight vectors (points, modalities) sorted in the order in which ties are broken."""
    distance = ((weights.shape[1] * weights - weights.sum(axis=1, keepdims=True)) ** 2).sum(axis=1)
    ordered: numpy.ndarray = weights[numpy.lexsort([*(-weights.T[::-1]), distance])]
    return ordered


def grid(modalities: int, steps: int, poolings: Sequence[Pooling]) -> Points:
    """All points; with more than `MAX_POINTS`, the points of a coarser grid, rounded to integer steps."""
    coarse_steps = steps
    while num_points(modalities, coarse_steps) > MAX_POINTS:
        coarse_steps -= 1
    weights = simplex(modalities, coarse_steps)
    if coarse_steps < steps:
        floor, remainder = numpy.divmod(weights * steps, coarse_steps)
        # The steps lost by rounding down go to the largest remainders.
        rank = numpy.argsort(numpy.argsort(-remainder, axis=1, kind="stable"), axis=1, kind="stable")
        weights = numpy.unique(floor + (rank < steps - floor.sum(axis=1, keepdims=True)), axis=0)
    ordered = in_order(weights)
    return Points(dict.fromkeys(poolings, ordered))


def climb(weights: numpy.ndarray, score: Callable[[numpy.ndarray], numpy.ndarray]) -> numpy.ndarray:
    """Hill climbing from the best points of a coarse grid (points, modalities); returns these points and all visited ones.

    A move shifts weight from one modality to another. Moves are halved, down to one step, when none improves the best score.

    Args:
        weights: the coarse points, in steps.
        score: weights (points, modalities) -> (points,), higher is better.
    """
    modalities, steps = weights.shape[1], int(weights[0].sum())
    moves = numpy.array(
        [
            [(index == target) - (index == source) for index in range(modalities)]
            for source, target in itertools.permutations(range(modalities), 2)
        ]
    )
    scores = score(weights)
    visited = {tuple(row) for row in weights.tolist()}
    move_size = max(1, steps // 8)
    while move_size:
        best = weights[numpy.argsort(-scores, kind="stable")[:NUM_STARTS]]
        neighbours = (best[:, None] + move_size * moves).reshape(-1, modalities)
        unvisited = sorted({tuple(row) for row in neighbours[(neighbours >= 0).all(axis=1)].tolist()} - visited)
        improved = False
        if unvisited:
            visited.update(unvisited)
            new_weights = numpy.array(unvisited)
            new_scores = score(new_weights)
            improved = new_scores.max() > scores.max()
            weights, scores = numpy.vstack([weights, new_weights]), numpy.concatenate([scores, new_scores])
        if not improved:
            move_size //= 2
    return in_order(weights)
