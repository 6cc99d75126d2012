"""What a command line names as inputs: a sentence is no file, and a file has a name."""

import pytest

from emokit.errors import UsageError
from emokit.modality.arguments import check_names, check_sentences


def test_sentences_that_name_nothing_are_accepted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_sentences(["I am glad.", "", " ", "nul\0", "long " * 5000, "a.txt"], "no advice")


@pytest.mark.parametrize(("name", "kind"), [("a.txt", "file"), ("texts", "folder"), (".", "folder")])
def test_a_sentence_that_is_the_name_of_a_file_is_refused(tmp_path, monkeypatch, name, kind):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").touch()
    (tmp_path / "texts").mkdir()
    with pytest.raises(UsageError) as error:
        check_sentences(["wow", name], "name it with --file")
    assert str(error.value) == f"{name} is a {kind} where a sentence was expected; name it with --file."


@pytest.mark.parametrize("name", ["", "  "])
def test_an_empty_name_is_refused(name):
    with pytest.raises(UsageError) as error:
        check_names(["a.wav", name], "audio files")
    assert str(error.value) == "An empty name was given; name audio files, or leave it out."


def test_standard_input_is_read_once():
    check_names(["-", "a.wav"], "audio files")
    with pytest.raises(UsageError) as error:
        check_names(["-", "a.wav", "-"], "audio files")
    assert str(error.value) == "- was given more than once, and standard input can be read only once; give - once."
