"""The feature cache: computed once, also for trainings that start at the same time."""

import errno
import fcntl
import os
import shutil
import threading
import time
from dataclasses import replace

import pytest
import soundfile

from emokit.audio import feature_cache
from emokit.audio.feature_cache import WaveformExtractor, read_waveform
from emokit.data.prepared import open_prepared
from emokit.errors import DataError, WorkError
from emokit.temporary import LOCK


@pytest.fixture
def prepared(small_prepared, tmp_path):
    """A copy, because features are written into it."""
    return open_prepared(shutil.copytree(small_prepared, tmp_path / "prepared"))


def cached(prepared, rows):
    return feature_cache.cached_features(prepared, "raw", WaveformExtractor(16000), rows, "a test needs it")


def test_two_trainings_that_need_the_same_features_compute_them_once(prepared, monkeypatch):
    rows = prepared.table.head(40)
    read, stores = [], []
    read_files = feature_cache.read_files

    def slowly(files, *others):
        time.sleep(0.5)  # long enough for the other one to look for the features
        read.append(len(files))
        yield from read_files(files, *others)

    monkeypatch.setattr(feature_cache, "read_files", slowly)
    threads = [threading.Thread(target=lambda: stores.append(cached(prepared, rows))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(read) == 40
    assert len(stores) == 2
    for store in stores:
        assert all(len(store[name]) for name in rows["utterance_id"])


def test_cached_features_are_read_without_a_lock(prepared):
    rows = prepared.table.head(8)
    cached(prepared, rows)
    folder = prepared.folder / "features" / "raw"
    (folder / LOCK).unlink(missing_ok=True)
    assert len(cached(prepared, rows)) == 8
    assert not (folder / LOCK).exists()


def test_what_a_killed_process_left_is_removed(prepared):
    left = prepared.folder / "features" / "raw" / ".part-00000.arrow.999999999.part"
    left.parent.mkdir(exist_ok=True)
    left.touch()
    cached(prepared, prepared.table.head(3))
    assert not left.exists()


def test_features_that_are_missing_are_added(prepared):
    progress = []
    cached(prepared, prepared.table.head(3))
    rows = prepared.table.head(5)
    store = feature_cache.cached_features(
        prepared, "raw", WaveformExtractor(16000), rows, "a test needs it", lambda *done: progress.append(done)
    )
    assert progress == [(1, 2), (2, 2)]
    assert set(store) == set(rows["utterance_id"])


@pytest.mark.parametrize("speed", [1.0, 0.9])
def test_another_recording_than_the_prepared_one_is_refused(prepared, tmp_path, speed):
    root = shutil.copytree(prepared.roots["emodb"], tmp_path / "corpus")
    content = (prepared.folder / "settings.yaml").read_text().replace(prepared.roots["emodb"], str(root))
    (prepared.folder / "settings.yaml").write_text(content)
    moved = open_prepared(prepared.folder)
    rows = moved.table.head(3)
    assert len(cached(moved, rows)) == 3
    row = moved.table.iloc[3]
    samples, rate = soundfile.read(root / row["path"], dtype="int16")
    samples[len(samples) // 2] += 1
    soundfile.write(root / row["path"], samples, rate)
    rows = moved.table.head(5)
    with pytest.raises(DataError) as error:
        feature_cache.cached_features(moved, "other", WaveformExtractor(16000, speed), rows, "a test needs it")
    assert str(error.value) == (
        f"{root / row['path']} holds another recording than the one that was prepared as {row['utterance_id']}; "
        "put that one back, or run `emokit prepare` again."
    )


def test_a_recording_that_is_gone_leaves_no_folder(prepared, tmp_path):
    content = (prepared.folder / "settings.yaml").read_text().replace(prepared.roots["emodb"], str(tmp_path / "gone"))
    (prepared.folder / "settings.yaml").write_text(content)
    moved = open_prepared(prepared.folder)
    with pytest.raises(DataError) as error:
        cached(moved, moved.table.head(1))
    assert str(error.value) == f"{tmp_path / 'gone' / moved.table['path'].iloc[0]} is not there, and a test needs it."
    assert not (moved.folder / "features" / "raw").exists()


def test_a_disk_that_cannot_lock_files_is_named(prepared, monkeypatch):
    def refuse(file, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(WorkError) as error:
        cached(prepared, prepared.table.head(8))
    assert str(error.value) == (
        f"{prepared.folder / 'features' / 'raw'} is on a disk that cannot lock files (No locks available), so two commands "
        "could write into it at once; name a folder on another disk."
    )


def test_the_settings_of_a_folders_features_are_read_from_it(prepared):
    settings = feature_cache.prepared_features(prepared)
    assert (settings.sample_rate, settings.hop_length, settings.n_mels) == (16000, 320, 32)


@pytest.mark.parametrize(("speed", "rate"), [(1.0, 16_000), (0.8, 20_000)])
def test_a_slower_waveform_has_more_samples(tmp_path, speed, rate):
    soundfile.write(tmp_path / "a.wav", [0.5, -0.5] * 4000, 8_000)
    extractor = WaveformExtractor(16_000, speed)
    assert extractor.sample_rate == rate
    assert extractor(read_waveform(tmp_path / "a.wav", extractor.sample_rate)).shape == (rate, 1)


def test_a_recording_that_is_damaged_since_is_named(prepared, monkeypatch):
    read_files = feature_cache.read_files

    def damaged(files, *others):
        for reading in read_files(files, *others):
            yield replace(reading, bad="undecodable", detail="odd bytes")

    monkeypatch.setattr(feature_cache, "read_files", damaged)
    row = prepared.table.iloc[0]
    with pytest.raises(DataError) as error:
        cached(prepared, prepared.table.head(1))
    assert str(error.value) == (
        f"{prepared.recordings.path(row['corpus'], row['path'])} is undecodable (odd bytes), and was not when it was prepared; "
        "prepare it again."
    )
