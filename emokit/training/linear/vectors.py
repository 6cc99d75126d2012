"""The vectors of utterances, one per window, and what those of a speaker are standardised with."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy

from emokit.training.linear.model import SMALLEST_DEVIATION

if TYPE_CHECKING:
    import pandas


FEWEST_UTTERANCES = 5  # of a speaker whose mean and deviation are used; the vector of a single one would be all zeros


@dataclass(frozen=True)
class Vectors:
    """One vector per window of some utterances."""

    owners: numpy.ndarray
    """(windows,) the utterance of each window."""
    values: numpy.ndarray
    """(windows, dim) float32."""
    speakers: numpy.ndarray | None = None
    """(windows,) the row of each window in `statistics`; -1 where the training split's are used. None uses those everywhere."""
    statistics: numpy.ndarray | None = None
    """(speakers, 2, dim) float32: mean and deviation."""

    @property
    def standardised_share(self) -> float:
        """Share of the windows that have the statistics of their speaker."""
        return 0.0 if self.speakers is None else float((self.speakers >= 0).mean())


def speakers_of(rows: pandas.DataFrame) -> list[Hashable]:
    """The speaker of each utterance; an utterance without one is a speaker of its own."""
    import pandas

    pairs = zip(rows["corpus"], rows["speaker"], strict=True)
    return [(corpus, speaker, row if pandas.isna(speaker) else None) for row, (corpus, speaker) in enumerate(pairs)]


def with_speakers(vectors: Vectors, speakers: Sequence[Hashable]) -> Vectors:
    """The vectors with the mean and deviation over each speaker's windows, where a speaker has enough utterances.

    Args:
        vectors: of utterances.
        speakers: of each utterance.
    """
    groups: dict[Hashable, list[int]] = {}
    for utterance, speaker in enumerate(speakers):
        groups.setdefault(speaker, []).append(utterance)
    number_of = numpy.full(len(speakers), -1)
    statistics: list[numpy.ndarray] = []
    for utterances in groups.values():
        if len(utterances) < FEWEST_UTTERANCES:
            continue
        number_of[utterances] = len(statistics)
        of_speaker = vectors.values[numpy.isin(vectors.owners, utterances)].astype(numpy.float64)
        deviation = numpy.maximum(of_speaker.std(axis=0), SMALLEST_DEVIATION)
        statistics.append(numpy.stack([of_speaker.mean(axis=0), deviation]).astype(numpy.float32))
    dim = vectors.values.shape[1]
    together = numpy.stack(statistics) if statistics else numpy.zeros((0, 2, dim), numpy.float32)
    return replace(vectors, speakers=number_of[vectors.owners], statistics=together)
