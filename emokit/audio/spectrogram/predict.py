"""Probabilities from log-mel spectrograms; the windows of a long utterance are averaged."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy
import torch

from emokit.audio.spectrogram.normalise import standardised
from emokit.audio.spectrogram.windows import cut
from emokit.audio.windows import average_windows, pool_steps, window_spans
from emokit.errors import DataError

BATCH_WINDOWS = 64


def predict_log_mels(
    model: torch.nn.Module,
    log_mels: Sequence[numpy.ndarray],
    window_frames: int,
    device: torch.device,
    overlap: float = 0.0,
    statistics: numpy.ndarray | None = None,
) -> numpy.ndarray:
    """The probabilities of each utterance.

    Args:
        model: log-mels (windows, frames, mels) in decibels -> an object with `logits` (windows, classes).
        log_mels: per utterance (frames, mels) decibels, of any length.
        window_frames: number of frames that the model was trained on.
        device: where the model is.
        overlap: share of a window that the next one repeats.
        statistics: mean and deviation that each utterance is standardised with, as `normalise.statistics_of` gives them.

    Returns:
        (utterances, classes) float64, the mean over each utterance's windows; each row sums to one.
    """
    places, probabilities = predict_windows(model, log_mels, window_frames, device, overlap, statistics)
    return average_windows([row for row, _ in places], probabilities, len(log_mels))


def predict_windows(
    model: torch.nn.Module,
    log_mels: Sequence[numpy.ndarray],
    window_frames: int,
    device: torch.device,
    overlap: float = 0.0,
    statistics: numpy.ndarray | None = None,
) -> tuple[list[tuple[int, int]], numpy.ndarray]:
    """As `predict_log_mels`, before the mean: (utterance, first frame) of each window, and (windows, classes) float64."""
    places, batches = window_batches(log_mels, window_frames, overlap, statistics)
    if not places:
        raise DataError("There is no utterance to predict; name at least one.")
    with torch.inference_mode():
        # Moved to the CPU first: MPS has no float64.
        probabilities = [
            model(input_features=windows.to(device)).logits.cpu().double().softmax(dim=1).numpy() for windows in batches
        ]
    return places, numpy.concatenate(probabilities)


def embed_log_mel(
    model: Any,
    log_mel: numpy.ndarray,
    window_frames: int,
    overlap: float,
    statistics: numpy.ndarray | None,
    steps: int,
) -> numpy.ndarray:
    """(steps, dim) float32: the model's time steps over an utterance's windows; arguments as `predict_log_mels` takes them.

    Args:
        steps: largest number of vectors.
    """
    _, batches = window_batches([log_mel], window_frames, overlap, statistics)
    with torch.inference_mode():
        frames = [window for windows in batches for window in model.time_steps(windows.to(model.device)).cpu().numpy()]
    return pool_steps(frames, steps)


def window_batches(
    log_mels: Sequence[numpy.ndarray], window_frames: int, overlap: float, statistics: numpy.ndarray | None
) -> tuple[list[tuple[int, int]], Iterator[torch.Tensor]]:
    """(utterance, first frame) of each window, and batches of windows (windows, frames, mels) as the model takes them.

    Args:
        log_mels, window_frames, overlap, statistics: as `predict_log_mels` takes them.
    """
    spans = window_spans([len(log_mel) for log_mel in log_mels], window_frames, overlap)
    places = [(row, start) for row, start, _ in spans]

    def batches() -> Iterator[torch.Tensor]:
        for first in range(0, len(places), BATCH_WINDOWS):
            batch = places[first : first + BATCH_WINDOWS]
            windows = numpy.stack([cut(log_mels[row], window_frames, start) for row, start in batch])
            rows = [row for row, _ in batch]
            windows = standardised(windows.astype(numpy.float32), None if statistics is None else statistics[rows])
            yield torch.from_numpy(windows)

    return places, batches()
