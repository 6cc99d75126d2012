"""The points of the simplex: how many, which, in which order, and coarse to fine."""

import itertools

import numpy
import pytest

from emokit.fusion.late import simplex as module
from emokit.fusion.late.simplex import climb, grid, in_order, num_points, simplex


@pytest.mark.parametrize(
    ("modalities", "steps", "expected"),
    [
        (1, 50, 1),
        (2, 50, 51),
        (3, 50, 1_326),
        (3, 200, 20_301),
        (4, 20, 1_771),
        (4, 50, 23_426),
        (5, 10, 1_001),
        (5, 50, 316_251),
    ],
)
def test_there_are_as_many_points_as_ways_to_divide_the_steps(modalities, steps, expected):
    assert num_points(modalities, steps) == expected
    if expected < 50_000:
        points = simplex(modalities, steps)
        assert len(numpy.unique(points, axis=0)) == len(points) == expected
        assert (points.sum(axis=1) == steps).all()
        assert points.min() >= 0


def test_every_vector_that_sums_to_the_steps_is_on_the_simplex():
    by_hand = [point for point in itertools.product(range(7), repeat=3) if sum(point) == 6]
    assert simplex(3, 6).tolist() == [list(point) for point in by_hand]


def test_the_order_is_linear_first_then_nearest_to_equal_then_larger_on_the_first_named():
    points = grid(3, 3, ["linear", "log"])
    expected = [
        [1, 1, 1],
        [2, 1, 0],
        [2, 0, 1],
        [1, 2, 0],
        [1, 0, 2],
        [0, 2, 1],
        [0, 1, 2],
        [3, 0, 0],
        [0, 3, 0],
        [0, 0, 3],
    ]
    assert points.weights["linear"].tolist() == expected
    assert list(points.weights) == ["linear", "log"]
    assert len(points) == 20
    assert points.at(0) == ((1, 1, 1), "linear")
    assert points.at(11) == ((2, 1, 0), "log")


def test_too_many_points_become_a_coarse_grid_of_integer_steps():
    points = grid(5, 50, ["linear"])
    weights = points.all_weights
    assert 30_000 < len(points) <= module.MAX_POINTS
    assert (weights.sum(axis=1) == 50).all()
    assert len(numpy.unique(weights, axis=0)) == len(weights)
    assert {tuple(row) for row in 50 * numpy.eye(5, dtype=int)} <= {tuple(row) for row in weights.tolist()}


def test_hill_climbing_finds_an_optimum_that_the_coarse_grid_misses():
    optimum = numpy.array([33, 91, 5, 71])

    def score(weights):
        return -((weights - optimum) ** 2).sum(axis=1).astype(float)

    coarse = simplex(4, 10) * 20
    visited = climb(coarse, score)
    assert visited[score(visited).argmax()].tolist() == optimum.tolist()
    assert len(visited) < 5_000
    assert {tuple(row) for row in coarse.tolist()} <= {tuple(row) for row in visited.tolist()}
    assert visited.tolist() == in_order(visited).tolist()
