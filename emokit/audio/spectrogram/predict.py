"""Probabilities from log-mel spectrograms; the windows of a long utterance are averaged. Without torch: an engine has it."""

from collections.abc import Iterator, Sequence

import numpy

from emokit.audio.spectrogram.normalise import standardised
from emokit.audio.windows import cut, window_spans
from emokit.engines.protocol import Engine, probabilities
from emokit.errors import DataError
from emokit.training.windows import average_windows


def predict_log_mels(
    engine: Engine,
    log_mels: Sequence[numpy.ndarray],
    window_frames: int,
    overlap: float = 0.0,
    statistics: numpy.ndarray | None = None,
) -> numpy.ndarray:
    """The probabilities of each utterance.

    Args:
        engine: takes `input_features`, windows of log-mels (windows, frames, mels) in decibels.
        log_mels: per utterance (frames, mels) decibels, of any length.
        window_frames: number of frames that the model was trained on.
        overlap: share of a window that the next one repeats.
        statistics: mean and deviation that each utterance is standardised with, as `normalise.statistics_of` gives them.

    Returns:
        (utterances, classes) float64, the mean over each utterance's windows; each row sums to one.
    """
    places, by_window = predict_windows(engine, log_mels, window_frames, overlap, statistics)
    return average_windows([row for row, _ in places], by_window, len(log_mels))


def predict_windows(
    engine: Engine,
    log_mels: Sequence[numpy.ndarray],
    window_frames: int,
    overlap: float = 0.0,
    statistics: numpy.ndarray | None = None,
) -> tuple[list[tuple[int, int]], numpy.ndarray]:
    """As `predict_log_mels`, before the mean: (utterance, first frame) of each window, and (windows, classes) float64."""
    places, batches = window_batches(log_mels, window_frames, overlap, statistics, engine.batch_windows)
    if not places:
        raise DataError("There is no utterance to predict; name at least one.")
    return places, numpy.concatenate([probabilities(engine({"input_features": windows})) for windows in batches])


def window_batches(
    log_mels: Sequence[numpy.ndarray],
    window_frames: int,
    overlap: float,
    statistics: numpy.ndarray | None,
    batch_windows: int,
) -> tuple[list[tuple[int, int]], Iterator[numpy.ndarray]]:
    """(utterance, first frame) of each window, and batches of windows (windows, frames, mels) float32 as the model takes them.

    Args:
        log_mels, window_frames, overlap, statistics: as `predict_log_mels` takes them.
        batch_windows: the most windows of a batch.
    """
    spans = window_spans([len(log_mel) for log_mel in log_mels], window_frames, overlap)
    places = [(row, start) for row, start, _ in spans]

    def batches() -> Iterator[numpy.ndarray]:
        for first in range(0, len(places), batch_windows):
            batch = places[first : first + batch_windows]
            windows = numpy.stack([cut(log_mels[row], window_frames, start) for row, start in batch])
            rows = [row for row, _ in batch]
            yield standardised(windows.astype(numpy.float32), None if statistics is None else statistics[rows])

    return places, batches()
