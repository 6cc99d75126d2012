"""Audio files as models read them, and what they return."""

from pathlib import Path

import numpy
import pytest
import soundfile

from emokit.audio.recordings import RecordingPredictions, read_flagged, read_waveform
from emokit.errors import DataError


def test_a_file_is_read_at_the_rate_of_the_model_with_its_channels_averaged(tmp_path: Path) -> None:
    tone = numpy.sin(2 * numpy.pi * 220 * numpy.arange(16_000) / 16_000)
    channels = numpy.stack([0.5 * tone[::2], 0.25 * tone[::2]], axis=1)
    soundfile.write(tmp_path / "a.wav", channels, 8000, subtype="FLOAT")

    waveform, flags = read_flagged(tmp_path / "a.wav", 16_000)

    assert (waveform.dtype, waveform.shape, flags) == (numpy.float32, (16_000,), ())
    assert waveform[4000:12_000] == pytest.approx(0.375 * tone[4000:12_000], abs=1e-3)
    assert numpy.array_equal(read_waveform(tmp_path / "a.wav", 16_000), waveform)
    with pytest.raises(DataError, match=r"b\.wav is unreadable"):
        read_waveform(tmp_path / "b.wav", 16_000)


def test_a_recording_has_the_mean_of_its_windows() -> None:
    result = RecordingPredictions(numpy.zeros((2, 2)), numpy.array([[0.5, 0.5], [1.0, 0.0]]))

    assert result.probabilities.tolist() == [0.75, 0.25]
