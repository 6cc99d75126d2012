"""The protocol of an engine. What is around it, windows, batches, means and probabilities, is numpy and the same for all."""

from collections.abc import Mapping
from typing import Protocol

import numpy

Inputs = Mapping[str, numpy.ndarray]
"""Name of an input -> its batch."""


class Engine(Protocol):
    """A model as a function.

    Attributes:
        batch_windows: how many windows of a recording it computes fastest at once.
    """

    batch_windows: int

    def __call__(self, inputs: Inputs) -> numpy.ndarray:
        """The logits of a batch, (batch, classes) float32."""
        ...


def probabilities(logits: numpy.ndarray) -> numpy.ndarray:
    """Logits (batch, classes) -> probabilities (batch, classes) float64; each row sums to one."""
    exponentials = numpy.exp(logits.astype(numpy.float64) - logits.max(axis=1, keepdims=True))
    result: numpy.ndarray = exponentials / exponentials.sum(axis=1, keepdims=True)
    return result
