"""The source-filter voice, measured with other means than those that made it."""

import librosa
import numpy
import pytest

from emokit.data.synthesis import voice
from emokit.data.synthesis.prosody import PROSODIES, Prosody, Speaker, speaker

RATE = 16_000


@pytest.fixture
def plain() -> Speaker:
    """A speaker of 120 Hz without habits."""
    return Speaker(pitch_hz=120, tract=1.0, expressiveness=1.0, noise_db=-80, habits={})


def spoken(who: Speaker, prosody: Prosody, seed: int = 0, sample_rate: int = RATE) -> numpy.ndarray:
    said = voice.sentence(numpy.random.SeedSequence(5))
    return voice.speak(who, said, prosody, sample_rate, numpy.random.default_rng(seed))


def median_pitch(waveform: numpy.ndarray) -> float:
    """Over the loud frames, by yin."""
    loudness = librosa.feature.rms(y=waveform, frame_length=1024, hop_length=256)[0]
    pitch = librosa.yin(waveform, fmin=60, fmax=500, sr=RATE, frame_length=1024)
    return float(numpy.median(pitch[loudness > loudness.max() / 3]))


def test_twelve_semitones_double_the_pitch(plain: Speaker) -> None:
    low, high = median_pitch(spoken(plain, Prosody())), median_pitch(spoken(plain, Prosody(pitch=12)))
    assert 110 < low < 150
    assert high / low == pytest.approx(2, rel=0.1)


def test_a_rate_of_one_half_shortens_the_words_by_a_square_root_of_two(plain: Speaker) -> None:
    slow, fast = len(spoken(plain, Prosody())), len(spoken(plain, Prosody(rate=0.5)))
    # The silences before and after, 0.06 s and 0.064 s, stay.
    silence = round(0.124 * RATE)
    assert (slow - silence) / (fast - silence) == pytest.approx(2**0.5, rel=0.04)


def test_ten_decibels_more_are_ten_decibels_more(plain: Speaker) -> None:
    soft, loud = numpy.abs(spoken(plain, Prosody(level=-5))).max(), numpy.abs(spoken(plain, Prosody(level=5))).max()
    assert 20 * numpy.log10(loud / soft) == pytest.approx(10, abs=0.2)


def test_no_prosody_however_wild_clips_or_breaks_the_sound(plain: Speaker) -> None:
    wild = Prosody(*[100.0] * 14)
    calm = Prosody(*[-100.0] * 14)
    for prosody in (wild, calm):
        waveform = spoken(plain, prosody)
        assert numpy.isfinite(waveform).all()
        assert numpy.abs(waveform).max() <= 10 ** (-3 / 20)


def test_a_vowel_peaks_at_its_first_two_resonances(plain: Speaker) -> None:
    hertz = numpy.linspace(0, 4000, 401, dtype=numpy.float32)
    gain = voice._tract(numpy.array([[700, 1200, 2500, 3500, 4500]], numpy.float32), hertz)[0]
    peaks = hertz[1:-1][(gain[1:-1] > gain[:-2]) & (gain[1:-1] > gain[2:])]
    assert peaks.tolist() == pytest.approx([700, 1200, 2500, 3500], abs=20)
    assert gain[0] == pytest.approx(1)


def test_frames_add_up_to_the_waveform_that_they_were_cut_from() -> None:
    waveform = numpy.random.default_rng(0).standard_normal(128 * 50).astype(numpy.float32)
    again = voice._add_up(voice._frames(waveform, 128), 128)
    # At both ends some of the four frames over each sample are missing.
    numpy.testing.assert_allclose(again[128:-256], waveform[128:-256], atol=1e-5)


def test_another_sample_rate_changes_the_number_of_samples_only(plain: Speaker) -> None:
    assert len(spoken(plain, Prosody(), sample_rate=22_050)) / 22_050 == pytest.approx(
        len(spoken(plain, Prosody())) / RATE, rel=0.01
    )


def test_women_speak_higher_than_men_and_each_speaker_has_habits_for_every_emotion() -> None:
    women = [speaker("female", numpy.random.SeedSequence([1, number])) for number in range(20)]
    men = [speaker("male", numpy.random.SeedSequence([2, number])) for number in range(20)]
    assert numpy.median([who.pitch_hz for who in women]) > 1.5 * numpy.median([who.pitch_hz for who in men])
    assert numpy.median([who.tract for who in women]) > numpy.median([who.tract for who in men])
    assert all(who.habits.keys() == PROSODIES.keys() for who in women + men)
