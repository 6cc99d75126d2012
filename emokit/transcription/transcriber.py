"""The protocol of what transcribes waveforms, and how long recordings are cut for models that read a fixed length."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy

from emokit.data.transcripts import NotTranscribed, Transcript

FRAME_SECONDS = 0.1
SEARCHED_SECONDS = 5.0  # at the end of a window, for the quietest place to cut: a cut inside a word costs it


class Transcriber(Protocol):
    """A model, or a route to one, that writes down what is said.

    Attributes:
        name: for the user; without secrets.
        identity: identifies what it writes, for caches and settings: name, hash of the model; without secrets.
        sample_rate: of its waveforms, in Hz.
        batch_size: the number of waveforms that are transcribed together.
    """

    name: str
    identity: Mapping[str, Any]
    sample_rate: int
    batch_size: int

    def code(self, language: str) -> str:
        """The ISO 639-1 code of a language, which may be given by its code or its English name.

        Raises:
            UsageError: the model does not know the language.
        """
        ...

    def transcribe(
        self, waveforms: Sequence[numpy.ndarray], languages: Sequence[str | None]
    ) -> list[Transcript | NotTranscribed]:
        """Transcribe waveforms (samples,) float32, at most `batch_size` of them.

        Args:
            waveforms: at `sample_rate`.
            languages: the code of each one's language; None detects it.
        """
        ...


def windows(waveform: numpy.ndarray, sample_rate: int, max_seconds: float) -> list[numpy.ndarray]:
    """Cut a waveform (samples,) into windows of at most `max_seconds`, each at the quietest place near its end."""
    longest, frame = round(max_seconds * sample_rate), round(FRAME_SECONDS * sample_rate)
    searched = min(round(SEARCHED_SECONDS * sample_rate), longest // 2) // frame * frame
    pieces = []
    while len(waveform) > longest:
        levels = (waveform[longest - searched : longest].reshape(-1, frame).astype(numpy.float64) ** 2).mean(axis=1)
        end = longest - searched + int(levels.argmin()) * frame + frame // 2
        pieces.append(waveform[:end])
        waveform = waveform[end:]
    return [*pieces, waveform]
