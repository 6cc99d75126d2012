"""Where the recordings of a prepared folder are, and that another one is refused."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from emokit.data.audio_io.read import BadAudio, read_audio
from emokit.data.recordings import OtherRecording, Recordings, read_roots, recording_path, stored_roots
from emokit.errors import DataError


@pytest.fixture
def recordings(tmp_path: Path) -> Recordings:
    """One recording, `emodb/a`, of two samples."""
    soundfile.write(tmp_path / "a.wav", [0.5, 0.25], 8_000)
    hashes = {"emodb/a": read_audio(tmp_path / "a.wav").recording_hash()}
    return Recordings(tmp_path / "prepared", {"emodb": str(tmp_path)}, hashes)


def test_the_prepared_recording_is_accepted_in_any_container(recordings: Recordings, tmp_path: Path) -> None:
    path = recordings.path("emodb", "a.wav")
    assert path == tmp_path / "a.wav"
    recordings.check("emodb/a", path)
    soundfile.write(tmp_path / "a.flac", [0.5, 0.25], 8_000)
    recordings.check("emodb/a", tmp_path / "a.flac")
    recordings.check("emodb/a", tmp_path / "gone.wav", recordings.hashes["emodb/a"])


def test_another_recording_is_refused_also_if_size_and_time_are_the_same(
    recordings: Recordings, tmp_path: Path
) -> None:
    path = tmp_path / "a.wav"
    before = path.stat()
    soundfile.write(path, [0.5, 0.125], 8_000)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    sentence = (
        f"{path} holds another recording than the one that was prepared as emodb/a; "
        "put that one back, or run `emokit prepare` again."
    )
    for read in (None, "0" * 64):
        with pytest.raises(OtherRecording) as error:
            recordings.check("emodb/a", path, read)
        assert str(error.value) == sentence


def test_what_cannot_be_compared_is_refused(recordings: Recordings, tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        recordings.check("emodb/b", tmp_path / "a.wav")
    assert str(error.value) == (
        f"{tmp_path / 'prepared'} has no hash of the recording of emodb/b; run `emokit prepare` again with the same --out."
    )
    with pytest.raises(DataError) as error:
        recordings.path("savee", "a.wav")
    assert str(error.value) == (
        f"{tmp_path / 'prepared'} names no root of savee; run `emokit prepare` again with the same --out."
    )
    with pytest.raises(BadAudio):
        recordings.check("emodb/a", tmp_path / "gone.wav")


@pytest.mark.parametrize("name", [b"caf\xe9", b"tab\there", b"line\nfeed", b"back\\slash", "Übung".encode()])
def test_a_root_and_a_path_with_any_name_come_back(name: bytes) -> None:
    root = Path(os.fsdecode(b"/data/" + name))
    stored = stored_roots({"emodb": root})
    assert stored["emodb"].encode()
    assert len(stored["emodb"].splitlines()) == 1
    assert read_roots({"roots": stored}) == {"emodb": str(root)}
    assert recording_path(root, stored["emodb"].removeprefix("/data/")) == root / os.fsdecode(name)


def test_settings_without_roots_have_none() -> None:
    assert read_roots({}) == read_roots({"roots": None}) == {}


def test_folders_with_odd_names_are_prepared_and_their_recordings_read_again(
    tmp_path: Path, write_emodb: Callable[..., list[Path]], plan: Callable, extractor: object
) -> None:
    from emokit.data.prepare import prepare
    from emokit.data.prepared import open_prepared, open_recordings

    root = tmp_path / os.fsdecode(b"caf\xe9")
    root.mkdir()
    for path in write_emodb(tmp_path / "plain"):  # soundfile writes no such names
        folder = {"03": b"caf\xe9", "08": b"tab\there", "09": b"line\nfeed"}[path.stem[:2]]
        (root / os.fsdecode(folder)).mkdir(exist_ok=True)
        shutil.move(path, root / os.fsdecode(folder) / path.name)
    os.mkfifo(root / os.fsdecode(b"pipe\n\xe9.wav"))
    (root / os.fsdecode(b"notes\t\xe9.txt")).touch()
    prepare(plan({"emodb": root}), tmp_path / "out", extractor)
    prepared = open_prepared(tmp_path / "out")
    assert set(prepared.table["path"].str.rpartition("/")[0]) == {r"caf\xe9", r"tab\there", r"line\nfeed"}
    assert prepared.ledger["corpora"]["emodb"]["skipped"] == {
        "a pipe, socket or device, not a file": [r"pipe\n\xe9.wav"],
        "neither audio nor annotations of the corpus": [r"notes\t\xe9.txt"],
    }
    recordings = open_recordings(tmp_path / "out", prepared.table)
    for utterance_id, path in zip(prepared.table["utterance_id"], prepared.table["path"], strict=True):
        recordings.check(utterance_id, recordings.path("emodb", path))
