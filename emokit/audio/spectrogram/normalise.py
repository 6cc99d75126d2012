"""Standardisation with the statistics of an utterance or a speaker instead of the training split's."""

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy

from emokit.audio.settings import DataSettings

if TYPE_CHECKING:
    import pandas
    import torch

DECLARED = (
    "features were standardised with the audio of the test speakers, without its labels (data.speaker_normalisation)"
)

SMALLEST_DEVIATION_DB = 1.0  # a mel bin that hardly varies is not amplified


class Statistics:
    """Mean and deviation of each mel bin over the frames of the utterances that were added."""

    def __init__(self) -> None:
        self.frames, self.total, self.squares = 0, numpy.float64(0), numpy.float64(0)

    def add(self, log_mel: numpy.ndarray) -> None:
        """Add an utterance: (frames, mels) decibels."""
        values = log_mel.astype(numpy.float64)
        self.frames += len(values)
        self.total = self.total + values.sum(axis=0)
        self.squares = self.squares + numpy.square(values).sum(axis=0)

    def result(self, smallest: float = 0.0) -> numpy.ndarray:
        """(2, mels) float32: the mean, and the deviation of at least `smallest`, in decibels."""
        mean = self.total / self.frames
        deviation = numpy.sqrt(numpy.maximum(self.squares / self.frames - numpy.square(mean), 0))
        return numpy.stack([mean, numpy.maximum(deviation, smallest)]).astype(numpy.float32)


def group_statistics(log_mels: Iterable[numpy.ndarray], groups: Sequence[Hashable]) -> numpy.ndarray:
    """Mean and deviation of each utterance's group: (utterances, 2, mels) float32 decibels.

    Args:
        log_mels: per utterance (frames, mels) decibels.
        groups: the group of each utterance, such as its speaker.
    """
    sums: dict[Hashable, Statistics] = {}
    for log_mel, group in zip(log_mels, groups, strict=True):
        sums.setdefault(group, Statistics()).add(log_mel)
    results = {group: statistics.result(SMALLEST_DEVIATION_DB) for group, statistics in sums.items()}
    return numpy.stack([results[group] for group in groups])


def statistics_of(
    settings: DataSettings, rows: "pandas.DataFrame", log_mels: Sequence[numpy.ndarray]
) -> numpy.ndarray | None:
    """Mean and deviation that each row is standardised with, as `group_statistics`; None where the training split's are used.

    Args:
        settings: choose the normalisation.
        rows: `corpus` and `speaker` of each utterance.
        log_mels: per utterance (frames, mels) decibels.
    """
    if settings.speaker_normalisation:
        import pandas

        speakers = zip(rows["corpus"], rows["speaker"], strict=True)
        # An utterance without a speaker is a group of its own.
        groups = [
            (corpus, speaker, row if pandas.isna(speaker) else None) for row, (corpus, speaker) in enumerate(speakers)
        ]
        return group_statistics(log_mels, groups)
    if settings.utterance_normalisation:
        return group_statistics(log_mels, range(len(rows)))
    return None


Values = TypeVar("Values", numpy.ndarray, "torch.Tensor")


def standardised(windows: Values, statistics: Values | None) -> Values:
    """Windows (utterances, frames, mels) standardised with `statistics` (utterances, 2, mels); unchanged where it is None."""
    if statistics is None:
        return windows
    return (windows - statistics[:, None, 0]) / statistics[:, None, 1]


def of_log_mels(config: Any) -> str:
    """What the log-mels of a model with this config are standardised with; `train` where its vectors are, by speaker."""
    return "train" if getattr(config, "normalised", None) else str(config.normalisation)
