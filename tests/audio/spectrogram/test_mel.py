"""Mel filters and the window equal librosa's."""

import librosa
import numpy
import pytest

from emokit.audio.spectrogram.mel import hann_window, mel_filters


@pytest.mark.parametrize(
    ("sample_rate", "n_fft", "n_mels", "fmin", "fmax"),
    [
        (22_050, 2048, 128, 0.0, None),
        (16_000, 512, 32, 0.0, None),
        (16_000, 400, 80, 50.0, 7600.0),
        (8_000, 1024, 64, 1200.0, 4000.0),
        (48_000, 4096, 64, 20.0, 9000.0),
    ],
)
def test_filters_are_those_of_librosa(
    sample_rate: int, n_fft: int, n_mels: int, fmin: float, fmax: float | None
) -> None:
    expected = librosa.filters.mel(sr=sample_rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax)

    numpy.testing.assert_array_equal(mel_filters(sample_rate, n_fft, n_mels, fmin, fmax), expected)


@pytest.mark.parametrize("n_fft", [255, 400, 512, 2048])
def test_the_window_is_that_of_librosa(n_fft: int) -> None:
    numpy.testing.assert_array_equal(hann_window(n_fft), librosa.filters.get_window("hann", n_fft, fftbins=True))
