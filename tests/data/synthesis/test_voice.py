"""The source-filter synthesis, measured with independent means."""

import librosa
import numpy
import pytest

from emokit.data.synthesis import voice
from emokit.data.synthesis.prosody import Prosody, Speaker

RATE = 16_000


@pytest.fixture
def neutral_speaker() -> Speaker:
    """A speaker of 120 Hz without habits."""
    return Speaker(pitch_hz=120, tract=1.0, expressiveness=1.0, noise_db=-80, habits={})


def spoken(speaker: Speaker, prosody: Prosody, seed: int = 0, sample_rate: int = RATE) -> numpy.ndarray:
    sentence = voice.draw_sentence(numpy.random.SeedSequence(5))
    return voice.speak(speaker, sentence, prosody, sample_rate, numpy.random.default_rng(seed))


def median_pitch(waveform: numpy.ndarray) -> float:
    """Over the loud frames, by yin."""
    loudness = librosa.feature.rms(y=waveform, frame_length=1024, hop_length=256)[0]
    pitch = librosa.yin(waveform, fmin=60, fmax=500, sr=RATE, frame_length=1024)
    return float(numpy.median(pitch[loudness > loudness.max() / 3]))


def test_twelve_semitones_double_the_pitch(neutral_speaker: Speaker) -> None:
    low, high = (
        median_pitch(spoken(neutral_speaker, Prosody())),
        median_pitch(spoken(neutral_speaker, Prosody(pitch=12))),
    )
    assert 110 < low < 150
    assert high / low == pytest.approx(2, rel=0.1)


def test_a_rate_of_one_half_shortens_the_speech_by_a_square_root_of_two(neutral_speaker: Speaker) -> None:
    slow, fast = len(spoken(neutral_speaker, Prosody())), len(spoken(neutral_speaker, Prosody(rate=0.5)))
    # The silences before and after, 0.06 s and 0.064 s, stay.
    silence = round(0.124 * RATE)
    assert (slow - silence) / (fast - silence) == pytest.approx(2**0.5, rel=0.04)


def test_a_level_of_ten_decibels_is_ten_decibels_louder(neutral_speaker: Speaker) -> None:
    soft, loud = (
        numpy.abs(spoken(neutral_speaker, Prosody(level=-5))).max(),
        numpy.abs(spoken(neutral_speaker, Prosody(level=5))).max(),
    )
    assert 20 * numpy.log10(loud / soft) == pytest.approx(10, abs=0.2)


def test_an_extreme_prosody_neither_clips_nor_gives_infinite_samples(neutral_speaker: Speaker) -> None:
    for value in (100.0, -100.0):
        prosody = Prosody(*[value] * 14)
        waveform = spoken(neutral_speaker, prosody)
        assert numpy.isfinite(waveform).all()
        assert numpy.abs(waveform).max() <= 10 ** (-3 / 20)


def test_a_vowel_peaks_at_its_first_two_resonances(neutral_speaker: Speaker) -> None:
    hertz = numpy.linspace(0, 4000, 401, dtype=numpy.float32)
    gain = voice._tract(numpy.array([[700, 1200, 2500, 3500, 4500]], numpy.float32), hertz)[0]
    peaks = hertz[1:-1][(gain[1:-1] > gain[:-2]) & (gain[1:-1] > gain[2:])]
    assert peaks.tolist() == pytest.approx([700, 1200, 2500, 3500], abs=20)
    assert gain[0] == pytest.approx(1)


def test_overlap_adding_the_frames_gives_the_waveform() -> None:
    waveform = numpy.random.default_rng(0).standard_normal(128 * 50).astype(numpy.float32)
    result = voice._overlap_add(voice._frames(waveform, 128), 128)
    # At both ends, samples are in fewer than four frames.
    numpy.testing.assert_allclose(result[128:-256], waveform[128:-256], atol=1e-5)


def test_another_sample_rate_changes_only_the_number_of_samples(neutral_speaker: Speaker) -> None:
    assert len(spoken(neutral_speaker, Prosody(), sample_rate=22_050)) / 22_050 == pytest.approx(
        len(spoken(neutral_speaker, Prosody())) / RATE, rel=0.01
    )
