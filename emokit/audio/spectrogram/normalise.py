"""Standardisation by an utterance's or a speaker's own statistics, in place of the training split's."""

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

import numpy
import pandas
import torch

from emokit.audio.settings import DataSettings

DECLARED = "the sound of the test speakers, without its labels, was used to standardise it (data.speaker_normalisation)"

SMALLEST_DEVIATION_DB = 1.0  # a mel bin that hardly changes holds nothing that is worth blowing up


class Statistics:
    """Mean and deviation of each mel bin over the frames that were added, one utterance after the other."""

    def __init__(self) -> None:
        self.frames, self.total, self.squares = 0, numpy.float64(0), numpy.float64(0)

    def add(self, log_mel: numpy.ndarray) -> None:
        """Take in an utterance: (frames, mels) decibels."""
        values = log_mel.astype(numpy.float64)
        self.frames += len(values)
        self.total = self.total + values.sum(axis=0)
        self.squares = self.squares + numpy.square(values).sum(axis=0)

    def found(self, smallest: float = 0.0) -> numpy.ndarray:
        """(2, mels) float32: the mean and the deviation, none smaller than `smallest`, in decibels."""
        mean = self.total / self.frames
        deviation = numpy.sqrt(numpy.maximum(self.squares / self.frames - numpy.square(mean), 0))
        return numpy.stack([mean, numpy.maximum(deviation, smallest)]).astype(numpy.float32)


def own_statistics(log_mels: Iterable[numpy.ndarray], groups: Sequence[Hashable]) -> numpy.ndarray:
    """The statistics of each utterance's group: (utterances, 2, mels) float32 decibels, mean and deviation.

    Args:
        log_mels: per utterance (frames, mels) decibels.
        groups: what each belongs to; equal ones share their statistics.
    """
    of_group: dict[Hashable, Statistics] = {}
    for log_mel, group in zip(log_mels, groups, strict=True):
        of_group.setdefault(group, Statistics()).add(log_mel)
    found = {group: statistics.found(SMALLEST_DEVIATION_DB) for group, statistics in of_group.items()}
    return numpy.stack([found[group] for group in groups])


def statistics_of(
    settings: DataSettings, rows: pandas.DataFrame, log_mels: Sequence[numpy.ndarray]
) -> numpy.ndarray | None:
    """What each row is standardised with, as `own_statistics` gives it; None where the training split's statistics serve all.

    Args:
        settings: which normalisation is wanted.
        rows: `corpus` and `speaker` of each utterance.
        log_mels: per utterance (frames, mels) decibels.
    """
    if settings.speaker_normalisation:
        speakers = zip(rows["corpus"], rows["speaker"], strict=True)
        # Whose speaker is not known stands for himself.
        groups = [(*both, row if pandas.isna(both[1]) else None) for row, both in enumerate(speakers)]
        return own_statistics(log_mels, groups)
    if settings.utterance_normalisation:
        return own_statistics(log_mels, range(len(rows)))
    return None


Values = TypeVar("Values", numpy.ndarray, torch.Tensor)


def standardised(windows: Values, statistics: Values | None) -> Values:
    """Windows (utterances, frames, mels), each by its row of `statistics` (utterances, 2, mels); as they are without any."""
    if statistics is None:
        return windows
    return (windows - statistics[:, None, 0]) / statistics[:, None, 1]
