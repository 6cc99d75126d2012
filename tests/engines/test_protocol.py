"""Probabilities of logits."""

import numpy
import pytest
from scipy.special import softmax

from emokit.engines.protocol import probabilities


def test_probabilities_are_the_softmax_in_float64() -> None:
    logits = numpy.array([[0.0, 1.0, -2.0], [1e4, 1e4, -1e4]], numpy.float32)

    result = probabilities(logits)

    assert result.dtype == numpy.float64
    assert result == pytest.approx(softmax(logits.astype(numpy.float64), axis=1), abs=1e-15)


def test_a_class_with_a_logit_of_minus_infinity_has_probability_zero() -> None:
    assert probabilities(numpy.array([[0.0, -numpy.inf, 0.0]])).tolist() == [[0.5, 0.0, 0.5]]
