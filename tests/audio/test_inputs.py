"""The audio files that a command line names: files, folders, standard input."""

import io
import os
import sys

import pytest

from emokit.audio.inputs import audio_inputs, find_recordings
from emokit.errors import DataError, UsageError
from emokit.modality.predictor import Input


def test_a_folder_is_its_audio_files_in_order(tmp_path):
    for name in ("b.wav", "a/c.FLAC", "note.txt", ".hidden.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert find_recordings([tmp_path]) == [tmp_path / "b.wav", tmp_path / "a/c.FLAC"]
    assert find_recordings([tmp_path / "b.wav"]) == [tmp_path / "b.wav"]


def test_a_missing_path_and_a_folder_without_audio_are_named(tmp_path):
    for path, sentence in (
        (tmp_path / "none.wav", f"{tmp_path / 'none.wav'} is not there; name an audio file or a folder of them."),
        (tmp_path, f"{tmp_path} holds no audio file; name another folder."),
    ):
        with pytest.raises(DataError) as error:
            find_recordings([path])
        assert str(error.value) == sentence


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
    with audio_inputs(["-", str(tmp_path / "a.wav")]) as inputs:
        piped, named = inputs
        assert piped.name == "-"
        assert piped.path.read_bytes() == b"RIFF"
        assert named == Input(str(tmp_path / "a.wav"), tmp_path / "a.wav")
    assert not piped.path.exists()


def test_nothing_named_is_refused():
    with pytest.raises(UsageError) as error, audio_inputs([]):
        pass
    assert str(error.value) == "Name audio files or a prepared folder with --data, one of the two."
