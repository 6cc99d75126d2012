"""Log-mel spectrograms are librosa's, and windows of them are what the models expect."""

import pickle
from pathlib import Path

import librosa
import numpy
import pytest

from emokit.audio.settings import FeatureSettings
from emokit.audio.spectrogram.log_mel import LogMel, cut
from emokit.data.audio_io.read import read_audio, resample

RANDOM = numpy.random.default_rng(0)
SECOND = numpy.arange(22_050) / 22_050
SIGNALS = {
    "noise": RANDOM.uniform(-1, 1, 30_000),
    "a tone": 0.5 * numpy.sin(2 * numpy.pi * 440 * SECOND),
    "a sweep into silence": numpy.r_[numpy.sin(2 * numpy.pi * 4000 * SECOND**2), numpy.zeros(20_000)],
    "a click": numpy.r_[numpy.zeros(5000), 1.0, numpy.zeros(5000)],
    "very quiet noise": RANDOM.uniform(-1e-4, 1e-4, 10_000),
    "shorter than a window": RANDOM.uniform(-1, 1, 1500),
    "shorter than half a window": RANDOM.uniform(-1, 1, 100),
    "a single sample": numpy.ones(1),
}


def by_librosa(waveform: numpy.ndarray, settings: FeatureSettings) -> numpy.ndarray:
    """(frames, mels) decibels."""
    power = librosa.feature.melspectrogram(
        y=waveform,
        sr=settings.sample_rate,
        n_fft=settings.n_fft,
        hop_length=settings.hop_length,
        n_mels=settings.n_mels,
        fmin=settings.fmin,
        fmax=settings.fmax,
        pad_mode="constant",
    )
    return librosa.power_to_db(power, top_db=settings.top_db).T


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize(
    "settings",
    [
        FeatureSettings(),
        FeatureSettings(
            sample_rate=16_000, n_fft=512, hop_length=160, n_mels=40, fmin=50, fmax=7600,
            top_db=60,
        ),
    ],
    ids=["the recipe's settings", "other settings"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:n_fft=.* is too large for input signal:UserWarning")
def test_a_made_signal_has_the_spectrogram_that_librosa_computes(signal: str, settings: FeatureSettings) -> None:
    waveform = SIGNALS[signal].astype(numpy.float32)
    ours = LogMel(settings)(waveform)
    assert ours.dtype == numpy.float32
    assert ours.shape == (1 + len(waveform) // settings.hop_length, settings.n_mels)
    numpy.testing.assert_allclose(ours, by_librosa(waveform, settings), rtol=0, atol=1e-3)


@pytest.mark.corpus
@pytest.mark.parametrize(
    "name",
    [
        "emodb/download/wav/03a01Fa.wav",
        "emodb/download/wav/16b10Wb.wav",
        "ravdess/Audio_Speech_Actors_01-24/Actor_01/03-01-01-01-01-01-01.wav",
        "ravdess/Audio_Speech_Actors_01-24/Actor_01/03-01-02-01-01-02-01.wav",  # stereo
        "tess/**/YAF_germ_angry.wav",  # AIFF inside
        "tess/**/OAF_food_fear.wav",  # 96 kHz
    ],
)
def test_a_real_file_has_the_spectrogram_that_librosa_computes(corpora: Path, name: str) -> None:
    (path,) = corpora.glob(name)
    sound = read_audio(path)
    expected, _ = librosa.load(path, sr=22_050)
    waveform = resample(sound.waveform, sound.sample_rate, 22_050)
    ours = LogMel(FeatureSettings())(waveform)
    numpy.testing.assert_allclose(ours, by_librosa(expected, FeatureSettings()), rtol=0, atol=1e-3)


def test_an_extractor_sent_to_another_process_is_the_same() -> None:
    extractor = LogMel(FeatureSettings(sample_rate=16_000, n_mels=20))
    waveform = SIGNALS["noise"].astype(numpy.float32)
    sent = pickle.loads(pickle.dumps(extractor))
    assert sent.sample_rate == 16_000
    numpy.testing.assert_array_equal(extractor(waveform), sent(waveform))


def test_three_seconds_are_130_frames() -> None:
    assert FeatureSettings().num_frames(3.0) == 130
    assert len(LogMel(FeatureSettings())(numpy.ones(3 * 22_050, numpy.float32))) == 130


def test_a_window_is_cut_where_it_is_asked_for() -> None:
    frames = numpy.arange(12.0, dtype=numpy.float16).reshape(6, 2)
    assert cut(frames, 2, 3).tolist() == [[6, 7], [8, 9]]
    assert cut(frames, 6, 0).tolist() == frames.tolist()


def test_what_is_missing_is_filled_with_the_quietest_value_of_the_utterance() -> None:
    frames = numpy.array([[-70, -10], [-20, -30], [-25, -35]], numpy.float16)
    # From the second frame on, where -70 does not occur: silence is as loud as in the whole utterance.
    padded = cut(frames, 4, 1)
    assert padded.tolist() == [[-20, -30], [-25, -35], [-70, -70], [-70, -70]]
    assert padded.dtype == numpy.float16


def test_an_utterance_shorter_than_a_frame_fills_a_window() -> None:
    short = LogMel(FeatureSettings())(SIGNALS["shorter than half a window"].astype(numpy.float32))
    assert short.shape == (1, 128)
    window = cut(short, 130, 0)
    assert window.shape == (130, 128)
    numpy.testing.assert_array_equal(window[:1], short)
    assert set(window[1:].ravel()) == {short.min()}
