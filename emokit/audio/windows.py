"""Windows: where a long recording is cut. One implementation for frames and samples."""

from collections.abc import Sequence

import numpy


def window_starts(length: int, window: int, overlap: float = 0.0) -> list[int]:
    """The starts of as few evenly spaced windows as cover a recording.

    Args:
        length: of the recording, in frames or samples.
        window: length of a window, in the same unit.
        overlap: at least this share of a window is repeated by the next one.
    """
    if length <= window:
        return [0]
    step = max(1, int(window * (1 - overlap)))
    count = 1 + -(-(length - window) // step)
    return [round(start) for start in numpy.linspace(0, length - window, count)]


def window_spans(lengths: Sequence[int], window: int, overlap: float) -> list[tuple[int, int, int]]:
    """(utterance, start, stop) of every window of every utterance; a window of a shorter utterance stops at its end."""
    return [
        (row, start, min(start + window, length))
        for row, length in enumerate(lengths)
        for start in window_starts(length, window, overlap)
    ]


def cut(log_mel: numpy.ndarray, frames: int, start: int) -> numpy.ndarray:
    """One window of an utterance, padded with silence: the quietest value of the utterance.

    Args:
        log_mel: (all frames, mels) decibels.
        frames: length of the window.
        start: its first frame; below 0, that many frames of silence come before the utterance.

    Returns:
        (frames, mels), of the same type.
    """
    window = log_mel[max(0, start) : start + frames]
    before = max(0, -start)
    missing = frames - before - len(window)
    if not before and not missing:
        return window
    return numpy.pad(window, ((before, missing), (0, 0)), constant_values=log_mel.min())


def pool_steps(frames: Sequence[numpy.ndarray], steps: int) -> numpy.ndarray:
    """The frames of a recording's windows as at most `steps` vectors: the means of as many stretches of nearly equal length.

    Args:
        frames: per window (frames, dim), in their order.
        steps: largest number of vectors.

    Returns:
        (steps, dim) float32.
    """
    every = numpy.concatenate(list(frames)).astype(numpy.float64)
    stretches = numpy.array_split(every, min(steps, len(every)))
    return numpy.stack([stretch.mean(axis=0) for stretch in stretches]).astype(numpy.float32)
