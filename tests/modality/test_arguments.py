"""What a command line names as inputs: a sentence is no file, and a file has a name."""

import itertools
import typing
from types import SimpleNamespace

import pytest

from emokit.errors import UsageError
from emokit.modality.arguments import check_names, check_sentences, check_used
from emokit.modality.registry import modality
from emokit.settings import fields


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


def test_flags_that_a_kind_of_model_does_not_use_are_refused():
    unused = ("training", "model", "compile")
    for flag, name in (("--lr", "training.lr"), ("--compile", "compile")):
        with pytest.raises(UsageError) as error:
            check_used(unused, "plain", {flag: name})
        assert str(error.value) == f"{flag} was given, and model.kind plain does not use it; leave it out."
    overrides = ["model.kind=plain", "training.seed=1", "training.lr=1", "data.x=1", "trainings=1"]
    assert check_used(unused, "plain", {"--seed": "training.seed"}, overrides) == (
        "training.lr is set, and model.kind plain does not use it",
    )


@pytest.mark.parametrize("name", ["audio", "text"])
def test_what_a_kind_does_not_use_are_fields_of_its_settings_or_arguments(name):
    chosen = modality(name)
    known = fields(chosen.settings())
    kinds = typing.get_args(chosen.settings().model_fields["model"].annotation.model_fields["kind"].annotation)
    for kind, frozen in itertools.product(kinds, (False, True)):
        settings = SimpleNamespace(model=SimpleNamespace(kind=kind, frozen=frozen))
        for entry in chosen.unused(settings):
            is_field = any(field == entry or field.startswith(f"{entry}.") for field in known)
            assert is_field or entry in ("precision", "compile", "trust_remote_code"), entry
