"""What families of linear models share: prediction and embeddings from one vector per window."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy

from emokit.audio.family import RecordingEmbedding, RecordingPredictions
from emokit.audio.settings import AudioSettings
from emokit.audio.windows import pool_steps
from emokit.errors import DataError
from emokit.modality.protocol import Progress
from emokit.training.linear.fit import predict, probabilities, standardised
from emokit.training.linear.vectors import FEWEST_UTTERANCES, Vectors, speakers_of, with_speakers

if TYPE_CHECKING:
    import pandas

    from emokit.data.prepared import Prepared


VECTORS = "vectors"  # of `config.normalised`: what is standardised by speaker
TOO_FEW = f"standardised as the training split: fewer than {FEWEST_UTTERANCES} recordings of one speaker were given"


class LinearFamily(ABC):
    """A family of models whose classifier takes one vector per window."""

    has_epochs = False

    @abstractmethod
    def vectors_of_rows(
        self,
        model: Any,
        prepared: Prepared,
        rows: pandas.DataFrame,
        progress: Progress | None = None,
    ) -> Vectors:
        """The vectors of rows of a prepared folder, without the statistics of speakers."""

    @abstractmethod
    def vectors_of_recording(self, model: Any, path: Path) -> tuple[numpy.ndarray, numpy.ndarray, tuple[str, ...]]:
        """One recording: its windows in seconds (windows, 2), their vectors (windows, dim) and what is odd about it.

        Raises:
            DataError: it is missing, silent or cannot be decoded.
        """

    def plan(self, settings: AudioSettings, train: pandas.DataFrame) -> dict[str, Any]:
        """As `ModelFamily.plan`."""
        return {"steps_per_epoch": 0}

    def predict_rows(
        self, model: Any, settings: AudioSettings, prepared: Prepared, rows: pandas.DataFrame
    ) -> numpy.ndarray:
        """As `ModelFamily.predict_rows`."""
        vectors = self.vectors_of_rows(model, prepared, rows)
        if model.config.normalisation == "speaker":
            vectors = with_speakers(vectors, speakers_of(rows))
        return predict(model, vectors, len(rows))

    def predict_recordings(self, model: Any, paths: Sequence[Path]) -> Iterator[RecordingPredictions | DataError]:
        """As `ModelFamily.predict_recordings`; with `data.speaker_normalisation` all files count as one speaker's."""
        for result in self._read(model, paths):
            if isinstance(result, DataError):
                yield result
                continue
            seconds, vectors, flags = result
            yield RecordingPredictions(seconds, probabilities(model, vectors), flags)

    def embed_recordings(
        self, model: Any, paths: Sequence[Path], steps: int
    ) -> Iterator[RecordingEmbedding | DataError]:
        """As `ModelFamily.embed_recordings`: the standardised vectors, a window is a step."""
        for result in self._read(model, paths):
            if isinstance(result, DataError):
                yield result
                continue
            _, vectors, flags = result
            yield RecordingEmbedding(pool_steps([standardised(model, vectors)], steps), flags)

    def _read(
        self, model: Any, paths: Sequence[Path]
    ) -> Iterator[tuple[numpy.ndarray, Vectors, tuple[str, ...]] | DataError]:
        """The windows in seconds, the vectors and the flags of each recording, or its error."""
        by_speaker = model.config.normalisation == "speaker"
        read = (self._recording(model, path) for path in paths)
        # All are read before the first is standardised by speaker; else one at a time.
        results = list(read) if by_speaker else read
        usable = [result for result in results if not isinstance(result, DataError)] if by_speaker else []
        together = None
        if by_speaker and len(usable) >= FEWEST_UTTERANCES:
            owners = numpy.repeat(numpy.arange(len(usable)), [len(values) for _, values, _ in usable])
            every = Vectors(owners, numpy.concatenate([values for _, values, _ in usable]))
            together = with_speakers(every, [0] * len(usable))
        for result in results:
            if isinstance(result, DataError):
                yield result
                continue
            seconds, values, flags = result
            vectors = Vectors(numpy.zeros(len(values), int), values)
            if together is not None:
                vectors = replace(vectors, speakers=numpy.zeros(len(values), int), statistics=together.statistics)
            elif by_speaker:
                flags = (*flags, TOO_FEW)
            yield seconds, vectors, flags

    def _recording(self, model: Any, path: Path) -> tuple[numpy.ndarray, numpy.ndarray, tuple[str, ...]] | DataError:
        try:
            return self.vectors_of_recording(model, path)
        except DataError as error:
            return error
