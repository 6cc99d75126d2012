"""The audio files that a command line names: files, folders, standard input."""

import io
import os
import sys

import pytest

from emokit.data.sources.tree import Skipped
from emokit.errors import DataError, UsageError
from emokit.modality import recordings
from emokit.modality.predictor import Input
from emokit.modality.recordings import audio_inputs, find_recordings, skipped_note


def test_a_folder_is_its_audio_files_in_order(tmp_path):
    for name in ("b.wav", "a/c.FLAC", "note.txt", ".hidden.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert find_recordings([tmp_path]) == [tmp_path / "b.wav", tmp_path / "a/c.FLAC"]
    assert find_recordings([tmp_path / "b.wav"]) == [tmp_path / "b.wav"]


def test_all_else_in_a_folder_is_counted_and_named(tmp_path):
    for name in ("b.opus", "a/c.MKV", "note.txt", ".hidden.wav", "a/d", os.fsdecode(b"caf\xe9\t.wav"), "e.caf"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    skipped = []
    with audio_inputs([str(tmp_path), str(tmp_path / "note.txt")], skipped) as inputs:
        names = [item.name.removeprefix(f"{tmp_path}/") for item in inputs]
    assert names == ["b.opus", r"caf\xe9\t.wav", "e.caf", "a/c.MKV", "note.txt"]
    assert inputs[1].path == tmp_path / os.fsdecode(b"caf\xe9\t.wav")
    assert skipped_note(skipped).replace(f"{tmp_path}/", "") == (
        "skipped 5 in folders: 1 hidden (.hidden.wav); 2 no ending of an audio or video file (a/d, note.txt); "
        "1 a link back to a folder that it is in (loop); 1 a pipe, socket or device, not a file (pipe.wav)"
    )


def test_of_many_skipped_files_the_first_are_named():
    skipped = [Skipped(f"{number:02}", "hidden") for number in range(21)]
    note = skipped_note(skipped)
    assert note.startswith("skipped 21 in folders: 21 hidden (00, 01, 02, ")
    assert note.endswith(", 18, 19, …)")
    assert skipped_note([]) is None


def test_a_missing_path_and_a_folder_without_audio_are_named(tmp_path):
    for path, sentence in (
        (tmp_path / "none.wav", f"{tmp_path / 'none.wav'} is not there; name an audio file or a folder of them."),
        (tmp_path, f"{tmp_path} holds no audio file; name another folder."),
        (
            tmp_path / ("x" * 300),
            f"{tmp_path / ('x' * 300)} is not there; name an audio file or a folder of them.",
        ),
    ):
        with pytest.raises(DataError) as error:
            find_recordings([path])
        assert str(error.value) == sentence


def test_a_folder_without_audio_says_what_it_holds(tmp_path):
    (tmp_path / "a.txt").touch()
    with pytest.raises(DataError) as error:
        find_recordings([tmp_path])
    assert str(error.value) == (
        f"{tmp_path} holds no audio file (skipped 1 in folders: 1 no ending of an audio or video file ({tmp_path / 'a.txt'})); "
        "name another folder."
    )


def test_what_is_no_file_is_named_and_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "link.wav").symlink_to("nowhere")
    for name, kind in (("pipe.wav", "pipe"), ("link.wav", "link to nothing")):
        with pytest.raises(DataError) as error:
            find_recordings([tmp_path / name])
        assert str(error.value) == (
            f"{tmp_path / name} is a {kind}, not a file; name an audio file or a folder of them."
        )


def test_standard_input_is_a_file_while_it_is_predicted(tmp_path, monkeypatch):
    (tmp_path / "a.wav").touch()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"RIFF")))
    with audio_inputs(["-", str(tmp_path / "a.wav")]) as both:
        piped, named = both
        assert piped.name == "-"
        assert piped.path.read_bytes() == b"RIFF"
        assert named == Input(str(tmp_path / "a.wav"), tmp_path / "a.wav")
    assert not piped.path.exists()


def test_standard_input_is_read_only_up_to_its_limit(monkeypatch):
    monkeypatch.setattr(recordings, "PIECE_BYTES", 2**20)
    monkeypatch.setattr(recordings, "MOST_BYTES", 3 * 2**20)
    piped = io.BytesIO(bytes(10 * 2**20))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(piped))
    with pytest.raises(DataError) as error, audio_inputs(["-"]):
        pass
    assert str(error.value) == (
        "Standard input has more than 0 GiB, the most that a recording can have; "
        "pipe one recording to -, or save it as a file and name that."
    )
    assert piped.tell() == 4 * 2**20


def test_nothing_named_is_refused():
    with pytest.raises(UsageError) as error, audio_inputs([]):
        pass
    assert str(error.value) == "Name audio files or a prepared folder with --data, one of the two."
