"""Whether there is speech to transcribe, and whether a transcript can be trusted: recognisers write words for noise as well.

Two signs of no speech: the level of the recording hardly changes, as that of noise, hum and tones; or the recogniser itself
expects none. Two signs of a doubtful transcript: the recogniser's words were improbable to it, or they repeat themselves.
"""

import re
import zlib
from collections.abc import Sequence
from typing import Any

import numpy

FRAME_SECONDS = 0.025
# Between the 5 % and the 95 % quantile of the levels of the frames. Measured (experiments/LOG.md): white noise and tones have
# less than 1, the steadiest of 2,096 utterances of seven corpora has 7.4.
STEADY_DECIBELS = 3.0
FLOOR = 1e-10  # of a frame's power: -100 dB of full scale

# Whisper's own thresholds: https://github.com/openai/whisper/blob/main/whisper/transcribe.py
NO_SPEECH_PROBABILITY = 0.6
LOW_LOG_PROBABILITY = -1.0  # mean over the tokens
REPETITION = 2.4  # length of the text by its compressed length
LOOPS, LONGEST_LOOP = 5, 12  # so many times the same words or tokens, of at most so many

# Descriptions of sounds that recognisers write, such as [BLANK_AUDIO], (phone ringing) and ♪.
NOT_WORDS = re.compile(r"\[[^\]]*\]|\([^)]*\)|（[^）]*）|【[^】]*】|\*[^*]*\*|[♪♫]+")

NO_SPEECH = "has no speech to transcribe"
IMPROBABLE = "the words were improbable to the recogniser"
REPEATED = "the words repeat themselves"


def is_steady(waveform: numpy.ndarray, sample_rate: int) -> bool:
    """Whether the level of a waveform (samples,) hardly changes, so that it has no syllables; False for less than 8 frames."""
    frame = round(FRAME_SECONDS * sample_rate)
    count = len(waveform) // frame
    if count < 8:
        return False
    power = (waveform[: count * frame].reshape(count, frame).astype(numpy.float64) ** 2).mean(axis=1)
    low, high = numpy.quantile(10 * numpy.log10(power + FLOOR), (0.05, 0.95))
    return bool(high - low < STEADY_DECIBELS)


def is_loop(entries: Sequence[Any]) -> bool:
    """Whether words or tokens end in the same few of them again and again, as a recogniser that is lost writes to its limit."""
    return any(
        list(entries[-size * LOOPS :]) == list(entries[-size:]) * LOOPS
        for size in range(1, min(LONGEST_LOOP, len(entries) // LOOPS) + 1)
    )


def spoken(text: str) -> str:
    """A transcript without descriptions of sounds; empty where nothing but punctuation is left."""
    words = " ".join(NOT_WORDS.sub(" ", text).split())
    return words if any(letter.isalnum() for letter in words) else ""


def is_silence(no_speech_probability: float, mean_log_probability: float) -> bool:
    """Whether a recogniser expects no speech, and was not sure of its words either."""
    return no_speech_probability > NO_SPEECH_PROBABILITY and mean_log_probability < LOW_LOG_PROBABILITY


def transcript_flags(text: str, mean_log_probabilities: Sequence[float] = ()) -> tuple[str, ...]:
    """What makes a transcript doubtful.

    Args:
        text: of the transcript.
        mean_log_probabilities: of the tokens of each of its windows, in nats, where the recogniser states them.
    """
    flags = []
    if any(value < LOW_LOG_PROBABILITY for value in mean_log_probabilities):
        flags.append(IMPROBABLE)
    encoded = text.encode()
    if len(encoded) / len(zlib.compress(encoded)) > REPETITION or is_loop(text.split()):
        flags.append(REPEATED)
    return tuple(flags)
