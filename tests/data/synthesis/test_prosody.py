"""The prosody of speakers and emotions."""

import numpy

from emokit.data.synthesis.prosody import PROSODIES, Prosody, Speaker, draw_prosody, draw_speaker


def test_women_have_a_higher_pitch_than_men_and_each_speaker_has_habits_for_every_emotion() -> None:
    women = [draw_speaker("female", numpy.random.SeedSequence([1, number])) for number in range(20)]
    men = [draw_speaker("male", numpy.random.SeedSequence([2, number])) for number in range(20)]
    assert numpy.median([speaker.pitch_hz for speaker in women]) > 1.5 * numpy.median(
        [speaker.pitch_hz for speaker in men]
    )
    assert numpy.median([speaker.tract for speaker in women]) > numpy.median([speaker.tract for speaker in men])
    assert all(speaker.habits.keys() == PROSODIES.keys() for speaker in women + men)


def test_the_prosody_of_an_utterance_scales_with_its_strength() -> None:
    habits = {"angry": numpy.zeros(14)}
    speaker = Speaker(pitch_hz=120, tract=1.0, expressiveness=1.0, noise_db=-80, habits=habits)
    weak, strong = (draw_prosody(speaker, "angry", strength, numpy.random.default_rng(0)) for strength in (1.0, 2.0))
    # The same random numbers: the difference is the emotion's prosody times 0.6 to 1.2.
    assert isinstance(strong, Prosody)
    assert 0.6 <= (strong.pitch - weak.pitch) / PROSODIES["angry"].pitch <= 1.2
    assert 0.6 <= (strong.slope - weak.slope) / PROSODIES["angry"].slope <= 1.2
