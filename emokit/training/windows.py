"""The mean over the windows of an utterance; without torch, for prediction with other engines."""

from collections.abc import Sequence

import numpy


def average_windows(rows: Sequence[int], probabilities: numpy.ndarray, count: int) -> numpy.ndarray:
    """The mean over the windows of each utterance.

    Args:
        rows: (windows,) the utterance of each window.
        probabilities: (windows, classes).
        count: number of utterances; each has a window.

    Returns:
        (utterances, classes) float64.
    """
    sums = numpy.zeros((count, probabilities.shape[1]))
    numpy.add.at(sums, list(rows), probabilities)
    return sums / numpy.bincount(rows, minlength=count)[:, None]
