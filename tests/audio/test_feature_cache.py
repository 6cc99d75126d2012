"""What is computed of the sound once and kept: by one of those who want it at once, for all of them."""

import errno
import fcntl
import os
import shutil
import threading
import time

import pytest

from emokit.audio import feature_cache
from emokit.audio.feature_cache import Raw
from emokit.data.prepared import open_prepared
from emokit.errors import WorkError


@pytest.fixture
def prepared(small_prepared, tmp_path):
    """A copy, as it is written to."""
    return open_prepared(shutil.copytree(small_prepared, tmp_path / "prepared"))


def test_of_two_that_want_the_same_at_once_one_computes_it_and_both_have_it(prepared, monkeypatch):
    rows = prepared.table.head(40)
    read, found = [], []
    work = feature_cache.read_files

    def slowly(files, *others):
        time.sleep(0.5)  # long enough for the other to look at what is not there yet
        read.append(len(files))
        yield from work(files, *others)

    monkeypatch.setattr(feature_cache, "read_files", slowly)

    def want():
        found.append(feature_cache.kept(prepared, "raw", Raw(16000), rows, "a test wants it"))

    threads = [threading.Thread(target=want) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(read) == 40
    for store in found:
        assert all(len(store[name]) for name in rows["utterance_id"])


def test_what_is_there_is_read_without_leave_to_write(prepared):
    rows = prepared.table.head(8)
    feature_cache.kept(prepared, "raw", Raw(16000), rows, "a test wants it")
    folder = prepared.folder / "features" / "raw"
    (folder / feature_cache.LOCK).unlink(missing_ok=True)
    store = feature_cache.kept(prepared, "raw", Raw(16000), rows, "a test wants it")
    assert len(store) == 8
    assert not (folder / feature_cache.LOCK).exists()


def test_a_disk_that_cannot_lock_files_is_told(prepared, monkeypatch):
    def refuse(file, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(WorkError) as error:
        feature_cache.kept(prepared, "raw", Raw(16000), prepared.table.head(8), "a test wants it")
    assert str(error.value) == (
        f"{prepared.folder / 'features' / 'raw'} lies on a disk that cannot lock files (No locks available), without which two "
        "trainings write the same features; prepare into a folder on another disk."
    )
