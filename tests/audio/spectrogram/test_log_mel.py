"""Log-mel spectrograms equal those of librosa."""

import pickle
from pathlib import Path

import librosa
import numpy
import pytest

from emokit.audio.settings import FeatureSettings
from emokit.audio.spectrogram.log_mel import LogMel
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
    ids=["default settings", "other settings"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:n_fft=.* is too large for input signal:UserWarning")
def test_a_synthesised_signal_has_the_spectrogram_that_librosa_computes(signal: str, settings: FeatureSettings) -> None:
    waveform = SIGNALS[signal].astype(numpy.float32)
    ours = LogMel(settings)(waveform)
    assert ours.dtype == numpy.float32
    assert ours.shape == (1 + len(waveform) // settings.hop_length, settings.n_mels)
    numpy.testing.assert_allclose(ours, by_librosa(waveform, settings), rtol=0, atol=2e-3)


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
    audio = read_audio(path)
    expected, _ = librosa.load(path, sr=22_050)
    waveform = resample(audio.waveform, audio.sample_rate, 22_050)
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
