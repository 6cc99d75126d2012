"""An OpenAI-compatible API that transcribes: `POST URL/audio/transcriptions`, as llama.cpp, vLLM, speaches and others serve it.

Recordings leave this machine only for the URL that the user typed: no redirect is followed. The token is read from the
environment variable TOKEN, sent to that URL, and neither stored nor shown.
"""

import io
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy

from emokit.data.transcripts import NotTranscribed, Transcript
from emokit.errors import UsageError, WorkError
from emokit.runtime import VERSION
from emokit.safe_text import escape_controls, mask_secrets
from emokit.transcription.languages import code_of
from emokit.transcription.speech import NO_SPEECH, spoken, transcript_flags
from emokit.transcription.transcriber import Transcriber

TOKEN = "EMOKIT_API_TOKEN"
ROUTE = "/audio/transcriptions"
DEFAULT_MODEL = "whisper-1"
TRIES = 4
PAUSE_SECONDS = 1.0
TIMEOUT_SECONDS = (10.0, 600.0)  # to connect, and to wait for an answer
REFUSED_FILES = (400, 413, 415, 422)  # of one recording, such as one that is too short
UNAUTHORISED = (401, 403)
MOST_SHOWN = 80


def is_url(model: str) -> bool:
    """Whether a model is named by the URL of an API."""
    return model.lower().startswith(("http://", "https://"))


class EndpointTranscriber(Transcriber):
    """A route that transcribes one recording a request."""

    batch_size = 1
    sample_rate = 16_000

    def __init__(self, url: str) -> None:
        """Take the URL of the API, such as `http://localhost:8000/v1`; a fragment names the model: `…/v1#whisper-large-v3`.

        Raises:
            UsageError: the URL has no host, or a user, password or query in it.
        """
        parts = urlsplit(url)
        if not parts.hostname:
            raise UsageError(f"{mask_secrets(url)} names no host; name an API such as http://localhost:8000/v1.")
        if parts.username is not None or parts.query:
            raise UsageError(
                f"{mask_secrets(url)} has a user, a password or a query in it, which would be stored; leave it out and put a "
                f"token into the environment variable {TOKEN}."
            )
        base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix(ROUTE)}"
        self.url, self.model = base + ROUTE, parts.fragment or DEFAULT_MODEL
        self.name = f"{base}#{self.model}"
        self.identity = {"model": self.model, "url": base}

    def code(self, language: str) -> str:
        """As `Transcriber.code`: a language that Whisper knows."""
        code = code_of(language)
        if code is None:
            raise UsageError(
                f"The language {language} is unknown; name it by its ISO 639-1 code or its English name, such as de or German."
            )
        return code

    def transcribe(
        self, waveforms: Sequence[numpy.ndarray], languages: Sequence[str | None]
    ) -> list[Transcript | NotTranscribed]:
        """As `Transcriber.transcribe`.

        Raises:
            WorkError: the API cannot be reached.
            UsageError: it refuses the token, or answers anything but a transcript.
        """
        return [self._transcribed(waveform, code) for waveform, code in zip(waveforms, languages, strict=True)]

    def _transcribed(self, waveform: numpy.ndarray, language: str | None) -> Transcript | NotTranscribed:
        answer = self._answer(_wav(waveform, self.sample_rate), language)
        if isinstance(answer, NotTranscribed):
            return answer
        text = spoken(answer["text"])
        if not text:
            return NotTranscribed("", NO_SPEECH)
        stated = answer.get("language")
        detected = code_of(stated) if isinstance(stated, str) else None
        return Transcript(text, language or detected, flags=transcript_flags(text))

    def _answer(self, wav: bytes, language: str | None) -> Mapping[str, Any] | NotTranscribed:
        """The JSON of the answer, which has a `text`; or why the API takes no such recording."""
        response = self._response(wav, language)
        status = f"{response.status_code} {response.reason}"
        if response.status_code in UNAUTHORISED:
            has = f"the token in {TOKEN}" if os.environ.get(TOKEN) else f"no token, as {TOKEN} is not set"
            raise UsageError(f"{self.url} answered {status} to {has}; set {TOKEN} to a token that it takes.")
        if response.status_code in REFUSED_FILES:
            return NotTranscribed("", f"was refused by {self.url} ({status}: {self._shown(response.text)})")
        if response.status_code != 200:
            raise UsageError(
                f"{self.url} answered {status} where a transcript was expected; name the base of an OpenAI-compatible API, such "
                "as http://localhost:8000/v1."
            )
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or not isinstance(answer.get("text"), str):
            raise UsageError(
                f"{self.url} answered {self._shown(response.text)!r} where JSON with a text was expected; name the base of an "
                "OpenAI-compatible API, such as http://localhost:8000/v1."
            )
        return answer

    def _response(self, wav: bytes, language: str | None) -> Any:
        """The response of the API; asked again where it is busy or the connection fails."""
        import requests

        headers = {"User-Agent": f"emokit/{VERSION}"}
        if token := os.environ.get(TOKEN):
            headers["Authorization"] = f"Bearer {token}"
        data = {"model": self.model, "response_format": "verbose_json", "temperature": "0"}
        data |= {"language": language} if language else {}
        files = {"file": ("audio.wav", wav, "audio/wav")}
        failure = ""
        for attempt in range(TRIES):
            time.sleep(PAUSE_SECONDS * attempt)
            try:
                response = requests.post(
                    self.url, data=data, files=files, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
                )
            except requests.RequestException as error:
                failure = "no connection" if isinstance(error, requests.ConnectionError) else type(error).__name__
                continue
            if response.status_code != 429 and response.status_code < 500:
                return response
            failure = f"it answered {response.status_code} {response.reason}"
        raise WorkError(
            f"{self.url} cannot be reached ({failure}); start it, or correct the URL, and repeat the command: what was "
            "transcribed so far is stored in a prepared folder."
        )

    def _shown(self, answer: str) -> str:
        """The beginning of an answer on one line, without the token."""
        token = os.environ.get(TOKEN)
        text = answer.replace(token, "***") if token else answer
        text = escape_controls(mask_secrets(" ".join(text.split())))
        return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def _wav(waveform: numpy.ndarray, sample_rate: int) -> bytes:
    """A waveform (samples,) as a wav file of 16 bits."""
    import soundfile

    content = io.BytesIO()
    soundfile.write(content, waveform, sample_rate, "PCM_16", format="WAV")
    return content.getvalue()
