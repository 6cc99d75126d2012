import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emokit.data.synthesis.rehearse import rehearse
from emokit.errors import DataError, UsageError


def manifest_of(folder: Path, *rows: str) -> Path:
    path = folder / "names.csv"
    path.write_text("path,sample_rate,num_frames,emotion\n" + "".join(f"{row}\n" for row in rows))
    return path


def test_every_name_becomes_a_short_audible_wav_at_its_sample_rate(tmp_path: Path) -> None:
    manifest = manifest_of(
        tmp_path, "a b/x (1).wav,16000,36409,ANG", "train/train_splits/dia0_utt0.mp4,48000,272384,joy"
    )
    assert rehearse(manifest, tmp_path / "root", seconds=0.05) == 2
    for name, rate in (("a b/x (1).wav", 16_000), ("train/train_splits/dia0_utt0.wav", 48_000)):
        samples, sample_rate = soundfile.read(tmp_path / "root" / name)
        assert sample_rate == rate
        assert samples.shape == (rate // 20,)
        assert 0.05 < np.abs(samples).max() < 0.2


def test_no_two_files_hold_the_same_bytes(tmp_path: Path) -> None:
    rehearse(manifest_of(tmp_path, *(f"{i}.wav,16000,1,x" for i in range(500))), tmp_path / "root", seconds=0.01)
    digests = {hashlib.sha256(path.read_bytes()).digest() for path in (tmp_path / "root").iterdir()}
    assert len(digests) == 500


def test_files_with_different_names_share_no_recording(tmp_path: Path) -> None:
    for corpus in ("a", "b"):
        rehearse(manifest_of(tmp_path, f"{corpus}.wav,16000,1,x"), tmp_path / corpus)
    assert (tmp_path / "a" / "a.wav").read_bytes() != (tmp_path / "b" / "b.wav").read_bytes()


@pytest.mark.parametrize("path", ["../x.wav", "a/../../x.wav", "/x.wav", "..\\x.wav", "C:/x.wav", ""])
def test_a_path_outside_the_root_is_refused_before_anything_is_written(tmp_path: Path, path: str) -> None:
    manifest = manifest_of(tmp_path, "good.wav,16000,1,x", f"{path},16000,1,x")
    with pytest.raises(DataError) as caught:
        rehearse(manifest, tmp_path / "root")
    assert str(caught.value) == (
        f"{manifest} has the path {path!r} in line 3; expected a relative path without '..' and colons."
    )
    assert not (tmp_path / "root").exists()


def test_an_invalid_sample_rate_is_refused(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, "x.wav,fast,1,x")
    with pytest.raises(DataError) as caught:
        rehearse(manifest, tmp_path / "root")
    assert str(caught.value) == f"{manifest} has the sample_rate 'fast' in line 2; expected a number of Hz."


def test_a_folder_that_is_not_empty_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "x.wav").write_bytes(b"a recording")
    with pytest.raises(UsageError) as caught:
        rehearse(manifest_of(tmp_path, "x.wav,16000,1,x"), tmp_path / "root")
    assert str(caught.value) == (
        f"{tmp_path / 'root'} exists and is not an empty folder; name a new folder for the rehearsal."
    )
    assert (tmp_path / "root" / "x.wav").read_bytes() == b"a recording"


def test_a_missing_list_or_column_is_refused(tmp_path: Path) -> None:
    absent = tmp_path / "absent.csv"
    with pytest.raises(DataError) as caught:
        rehearse(absent, tmp_path / "root")
    assert str(caught.value) == f"{absent} is not there; name a CSV with the columns path and sample_rate."
    other = tmp_path / "other.csv"
    other.write_text("name,rate\nx.wav,16000\n")
    with pytest.raises(DataError) as caught:
        rehearse(other, tmp_path / "root")
    assert str(caught.value) == f"{other} lacks the column path; name a CSV with the columns path and sample_rate."


@pytest.mark.corpus
def test_35000_files_are_written(corpora: Path, tmp_path: Path) -> None:
    assert rehearse(corpora / "name-manifests" / "esd.csv", tmp_path / "esd", seconds=0.01) == 35_000
