"""The mean over the windows of an utterance."""

import numpy
import pytest

from emokit.training.windows import average_windows


def test_the_mean_is_over_the_windows_of_each_utterance():
    probabilities = numpy.array([[0.2, 0.8], [0.9, 0.1], [0.6, 0.4]])
    assert average_windows([0, 1, 0], probabilities, 2) == pytest.approx(numpy.array([[0.4, 0.6], [0.9, 0.1]]))
