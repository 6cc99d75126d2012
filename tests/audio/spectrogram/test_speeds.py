"""Log-mels at several speeds: the prepared ones, and slower or faster ones in the feature cache."""

import json
import shutil
from pathlib import Path

import numpy
import pytest
import soundfile
import yaml
from typer.testing import CliRunner

from emokit.audio.feature_cache import prepared_features, read_waveform
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.audio.spectrogram.speeds import log_mels, versions
from emokit.cli.app import app
from emokit.data.prepared import features_folder, open_prepared
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


def test_log_mels_of_other_settings_equal_prepared_ones_to_the_bit(prepared, tmp_path):
    other = prepared_features(prepared).model_copy(update={"fmax": 4000.0, "hop_length": 256})
    rows = prepared.table
    store = log_mels(prepared, other, rows)
    assert store.folder == features_folder(prepared.folder, other)
    words = ["prepare", "emodb", "--root", f"emodb={prepared.roots['emodb']}", "--out", str(tmp_path / "again")]
    sets = [f"--set=features.{name}={json.dumps(value)}" for name, value in other.as_dict().items()]
    result = CliRunner().invoke(app, [*words, *sets])
    assert result.exit_code == 0, result.output
    again = open_prepared(tmp_path / "again").features(other)
    for utterance_id in rows["utterance_id"]:
        assert numpy.array_equal(store[utterance_id], again[utterance_id])


def test_a_recording_without_prepared_log_mels_that_is_gone_is_named(prepared, tmp_path):
    content = yaml.safe_load((prepared.folder / "settings.yaml").read_text())
    (prepared.folder / "settings.yaml").write_text(
        yaml.safe_dump(content | {"roots": {"emodb": str(tmp_path / "gone")}})
    )
    moved = open_prepared(prepared.folder)
    rows = moved.table.head(1)
    with pytest.raises(DataError) as error:
        log_mels(moved, prepared_features(moved).model_copy(update={"fmax": 4000.0}), rows)
    assert str(error.value) == (
        f"{tmp_path / 'gone' / rows['path'].iloc[0]} is not there, and its prepared log-mels have other settings than these; "
        "prepare the corpus again from its present folder."
    )


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
