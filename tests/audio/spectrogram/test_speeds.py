"""Log-mels at several speeds: the prepared ones, and slower or faster ones in the feature cache."""

import shutil
from pathlib import Path

import numpy
import pytest
import soundfile
import yaml

from emokit.audio.feature_cache import prepared_features, read_waveform
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.audio.spectrogram.speeds import versions
from emokit.data.prepared import open_prepared
from emokit.errors import DataError


@pytest.fixture
def prepared(small_prepared, tmp_path):
    """A copy, because features are written into it."""
    return open_prepared(shutil.copytree(small_prepared, tmp_path / "prepared"))


def test_a_slower_version_is_the_log_mel_of_the_resampled_waveform(prepared):
    settings, rows = prepared_features(prepared), prepared.table.head(3)
    normal, slower = versions(prepared, settings, rows, (1.0, 0.8))
    extract = LogMel(settings, 0.8)
    for row, utterance_id in enumerate(rows["utterance_id"]):
        assert numpy.array_equal(normal[row], prepared.features(settings)[utterance_id])
        path = Path(prepared.roots["emodb"]) / rows["path"].iloc[row]
        waveform = read_waveform(path, extract.sample_rate)
        assert soundfile.info(path).duration / 0.8 == pytest.approx(len(waveform) / 16_000, abs=1e-3)
        assert slower[row] == pytest.approx(extract(waveform), abs=0.1)  # stored as float16


def test_a_recording_that_is_gone_is_named(prepared, tmp_path):
    content = yaml.safe_load((prepared.folder / "settings.yaml").read_text())
    (prepared.folder / "settings.yaml").write_text(
        yaml.safe_dump(content | {"roots": {"emodb": str(tmp_path / "gone")}})
    )
    moved = open_prepared(prepared.folder)
    rows = moved.table.head(1)
    with pytest.raises(DataError) as error:
        versions(moved, prepared_features(moved), rows, (1.0, 0.9))
    assert str(error.value) == (
        f"{tmp_path / 'gone' / rows['path'].iloc[0]} is not there, and augmentation.speed_factors needs it at 0.9; "
        "prepare the corpus again from its present folder, or leave that factor out."
    )
