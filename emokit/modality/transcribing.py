"""Recordings for models that read text: the options that name a recogniser, and inputs with a transcript as their text."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from emokit.errors import DataError, UsageError
from emokit.modality.arguments import STDIN
from emokit.modality.predictor import Input
from emokit.modality.protocol import Option

if TYPE_CHECKING:
    from emokit.data.transcripts import Transcript
    from emokit.transcription.recogniser import SpeechRecogniser

STDIN_NAME = "Standard input"
OPTIONS = (
    Option(
        "transcribe",
        "Text and fused runs only: transcribe audio files with a Whisper model (folder or hub name) or an OpenAI-compatible API "
        "(URL), and predict their texts.",
        ("predict",),
        str,
    ),
    Option(
        "language", "With --transcribe: language of the recordings, such as de; detected by default.", ("predict",), str
    ),
    Option("translate", "With --transcribe: model that translates transcripts into English.", ("predict",), str),
)
"""The options of a modality that reads text."""


@dataclass(frozen=True)
class Transcribed:
    """An input with a text, or why it has none.

    Attributes:
        item: the input; with the transcript as its text, where it had none.
        transcript: that text, its language and what is doubtful about it; None for a text of the input's own.
        error: why a recording has no transcript.
    """

    item: Input
    transcript: "Transcript | None" = None
    error: DataError | None = None

    @property
    def details(self) -> dict[str, str | None]:
        """The JSON keys that mark the text of a prediction."""
        transcript = self.transcript
        return {
            "text_source": transcript.source if transcript else None,
            "language": transcript.language if transcript else None,
        }

    @property
    def flags(self) -> tuple[str, ...]:
        """What is doubtful about the transcript."""
        return self.transcript.flags if self.transcript else ()


def recogniser_of(
    transcribe: str | os.PathLike[str] | None = None,
    language: str | None = None,
    translate: str | os.PathLike[str] | None = None,
    device: str = "auto",
) -> "SpeechRecogniser | None":
    """The recogniser that the options name; None where nothing is transcribed.

    Raises:
        UsageError: a model is of another kind or does not know the language, or an option has no meaning without `transcribe`.
        DataError: a model lacks a part.
    """
    for name, value in (("transcribe", transcribe), ("language", language), ("translate", translate)):
        if value is not None and not isinstance(value, str | os.PathLike):
            raise UsageError(f"{name} is {value!r} where a name was expected; give a str.")
    if not transcribe:
        if given := next((name for name, value in (("language", language), ("translate", translate)) if value), None):
            raise UsageError(f"{given} was given without transcribe, whose transcripts it is for; give both.")
        return None
    from emokit.transcription.recogniser import load_recogniser

    translator = os.fspath(translate) if translate else None
    return load_recogniser(os.fspath(transcribe), language=language, translate=translator, device=device)


def transcribed(items: Sequence[Input], recogniser: "SpeechRecogniser | None") -> list[Transcribed]:
    """Inputs with the transcripts of those that have a recording and no text; without a recogniser, all stay as they are."""
    if recogniser is None:
        return [Transcribed(item) for item in items]
    from emokit.data.transcripts import Clip, Transcript

    names = [STDIN_NAME if item.name == STDIN else item.name for item in items]
    clips = [
        Clip(name, item.path)
        for name, item in zip(names, items, strict=True)
        if item.path is not None and item.text is None
    ]
    results = iter(recogniser.transcribe(clips))
    entries = []
    for name, item in zip(names, items, strict=True):
        if item.path is None or item.text is not None:
            entries.append(Transcribed(item))
            continue
        result = next(results)
        if isinstance(result, Transcript):
            entries.append(Transcribed(replace(item, text=result.text), result))
        else:
            # A recording that was given in memory or through a pipe has a temporary file.
            entries.append(Transcribed(item, error=DataError(str(result).replace(str(item.path), name))))
    return entries
