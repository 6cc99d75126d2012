"""Signs of no speech, and of transcripts that cannot be trusted."""

import numpy
import pytest

from emokit.transcription.speech import is_loop, is_silence, is_steady, spoken, transcript_flags
from tests.transcription.conftest import RATE, sound

TIMES = numpy.arange(2 * RATE) / RATE


@pytest.mark.parametrize(
    ("waveform", "steady"),
    [
        (numpy.random.default_rng(0).normal(0, 0.1, 2 * RATE), True),
        (0.3 * numpy.sin(2 * numpy.pi * 440 * TIMES), True),
        (sound("low"), False),
        (0.3 * numpy.sin(2 * numpy.pi * 440 * TIMES[:2000]), False),  # too short to tell
    ],
)
def test_noise_and_tones_are_steady_and_syllables_are_not(waveform, steady):
    assert is_steady(waveform.astype(numpy.float32), RATE) is steady


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[BLANK_AUDIO]", ""),
        (" (phone ringing) ...", ""),
        ("♪ la la ♪", "la la"),
        ("Well (laughs) yes.", "Well yes."),
        ("（音楽）", ""),
        ("你好", "你好"),
    ],
)
def test_descriptions_of_sounds_are_no_words(text, words):
    assert spoken(text) == words


def test_no_speech_needs_both_signs_as_in_whisper():
    assert is_silence(0.7, -1.2)
    assert not is_silence(0.7, -0.9)
    assert not is_silence(0.5, -1.2)


def test_doubtful_transcripts_are_flagged():
    assert transcript_flags("kids are talking by the door", [-0.2]) == ()
    assert transcript_flags("kids are talking by the door", [-0.2, -1.1]) == (
        "the words were improbable to the recogniser",
    )
    assert transcript_flags("ai, " * 30) == ("the words repeat themselves",)
    assert transcript_flags("well no no no no no") == ("the words repeat themselves",)


@pytest.mark.parametrize(
    ("entries", "loops"),
    [([1, 2] * 5, True), ([9, *[1, 2, 3] * 5], True), ([1, 2] * 4, False), ([*[1] * 5, 2], False), ([], False)],
)
def test_five_times_the_same_at_the_end_is_a_loop(entries, loops):
    assert is_loop(entries) is loops
