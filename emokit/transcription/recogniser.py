"""Recordings to transcripts: each is read, checked for speech, transcribed in batches and, if asked for, translated."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy

from emokit.data.audio_io.faults import CHANGED, BadAudio
from emokit.data.audio_io.read import resample
from emokit.data.audio_io.segments import read_segment
from emokit.data.transcripts import Clip, NotTranscribed, Recogniser, Transcript
from emokit.transcription.speech import NO_SPEECH, is_steady
from emokit.transcription.transcriber import Transcriber

if TYPE_CHECKING:
    from emokit.transcription.translate import Translator

Result = Transcript | NotTranscribed | BadAudio
Waiting = tuple[Clip, numpy.ndarray | NotTranscribed | BadAudio]
"""A recording and its waveform, or why it has none to transcribe."""


class SpeechRecogniser(Recogniser):
    """A transcriber with the language that was asked for, and a translator where one was named."""

    def __init__(self, transcriber: Transcriber, language: str | None = None, translator: "Translator | None" = None):
        """Put them together.

        Args:
            transcriber: of waveforms.
            language: code or English name of the language of all recordings; None takes the one that a corpus states, or
                detects it.
            translator: of the transcripts.

        Raises:
            UsageError: the model does not know the language.
        """
        self.transcriber, self.translator = transcriber, translator
        self.language = transcriber.code(language) if language else None

    @property
    def batch_size(self) -> int:
        """The number of recordings that are transcribed together."""
        return self.transcriber.batch_size

    @property
    def identity(self) -> Mapping[str, Any]:
        """As `Recogniser.identity`: the hash of the model, the language if it was given, and the translation."""
        return {
            **self.transcriber.identity,
            **({"language": self.language} if self.language else {}),
            **({"translation": dict(self.translator.identity)} if self.translator else {}),
        }

    def check(self, languages: Iterable[str | None]) -> None:
        """As `Recogniser.check`; a language that was given counts in place of those that corpora state."""
        for language in sorted({language for language in languages if language}) if self.language is None else ():
            self.transcriber.code(language)

    def transcribe(self, clips: Sequence[Clip]) -> Iterator[Result]:
        """As `Recogniser.transcribe`."""
        waiting: Iterator[Waiting] = ((clip, self._waveform(clip)) for clip in clips)
        while batch := list(itertools.islice(waiting, self.transcriber.batch_size)):
            usable = [(clip, waveform) for clip, waveform in batch if isinstance(waveform, numpy.ndarray)]
            languages = [self.language or self._stated(clip) for clip, _ in usable]
            transcripts = iter(
                self.transcriber.transcribe([waveform for _, waveform in usable], languages) if usable else ()
            )
            for clip, waveform in batch:
                result = next(transcripts) if isinstance(waveform, numpy.ndarray) else waveform
                if isinstance(result, Transcript) and self.translator:
                    result = self.translator.translate(result)
                if isinstance(result, NotTranscribed):
                    result = NotTranscribed(clip.name, result.reason, result.advice)
                yield result

    def one(self, path: Path, name: str) -> Result:
        """The transcript of one file, or why it has none."""
        return next(self.transcribe([Clip(name, path)]))

    def _stated(self, clip: Clip) -> str | None:
        """The language that a corpus states, which `check` has seen."""
        return self.transcriber.code(clip.language) if clip.language else None

    def _waveform(self, clip: Clip) -> numpy.ndarray | NotTranscribed | BadAudio:
        try:
            audio = read_segment(clip.path, clip.segment)
        except BadAudio as error:
            return error
        if clip.recording and clip.recording != audio.recording_hash():
            return BadAudio(Path(clip.name), CHANGED, "its samples differ")
        if is_steady(audio.waveform, audio.sample_rate):
            return NotTranscribed(clip.name, NO_SPEECH)
        waveform = resample(audio.waveform, audio.sample_rate, self.transcriber.sample_rate)
        return numpy.asarray(waveform, dtype=numpy.float32)


def load_recogniser(
    model: str,
    *,
    language: str | None = None,
    translate: str | None = None,
    device: str = "auto",
    option: str = "--transcribe",
) -> SpeechRecogniser:
    """The recogniser that the options of a command name.

    Args:
        model: a folder or hub name of Whisper, or the URL of an OpenAI-compatible API.
        language: of all recordings; None detects it.
        translate: a folder or hub name of a translation model; None leaves transcripts in their language.
        device: auto, cuda, mps or cpu.
        option: that names the model, for errors.

    Raises:
        UsageError: a model is of another kind, or does not know the language.
        DataError: a model lacks a part.
    """
    from emokit.transcription.endpoint import EndpointTranscriber, is_url

    if is_url(model):
        transcriber: Transcriber = EndpointTranscriber(model)
    else:
        from emokit.transcription.whisper import WhisperTranscriber

        transcriber = WhisperTranscriber(model, device, option=option)
    if translate is None:
        return SpeechRecogniser(transcriber, language)
    from emokit.transcription.translate import Translator

    return SpeechRecogniser(transcriber, language, Translator(translate, device))
