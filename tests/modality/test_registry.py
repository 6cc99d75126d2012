"""The registry of modalities: names, options, and the model that a folder or a name stands for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet
from emokit.modality import registry
from emokit.modality.protocol import Modality, Option
from emokit.modality.registry import (
    MODALITIES,
    check_options,
    command_options,
    exportable,
    find,
    modality_of,
    trainable,
    with_role,
)


class Pretrained(Modality):
    """A modality that has a pretrained model and options."""

    name = "smell"
    pretrained = "nose"
    is_trainable = False
    options = (
        Option("sniff_twice", "Sniff twice.", ("predict", "train")),
        Option("odour", "Odour to predict.", ("predict",), list, role="inputs"),
    )

    def load(self, run, device="auto", **options):
        return run, device, options


SMELL = Pretrained()


@pytest.fixture
def registered(monkeypatch):
    """The toy above in the registry."""
    monkeypatch.setitem(MODALITIES, "smell", f"{__name__}:SMELL")
    return SMELL


@pytest.fixture
def run(tmp_path):
    """Makes a folder that looks like a complete run of a modality."""

    def make(name):
        (tmp_path / "settings.yaml").write_text(f"modality: {name}\n")
        (tmp_path / "metrics.json").write_text('{"labels": ["low", "high"], "splits": {}}')
        return tmp_path

    return make


def test_every_modality_has_its_name_a_sentence_and_a_medium():
    for name in MODALITIES:
        chosen = registry.modality(name)
        assert chosen.name == name
        assert chosen.summary.endswith(".")
        assert chosen.medium


def test_the_modalities_that_can_be_trained_and_exported_are_listed():
    assert trainable() == ["audio", "text"]
    assert exportable() == ["audio", "text"]


def test_an_unknown_modality_is_refused():
    with pytest.raises(UsageError) as error:
        registry.modality("smell")
    assert str(error.value) == f"The modality smell is unknown; expected one of {', '.join(MODALITIES)}."


@pytest.mark.parametrize("name", MODALITIES)
def test_a_modality_is_imported_without_torch(name):
    code = (
        f"import sys; from emokit.modality.registry import modality; modality({name!r}); print('torch' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert shown.stdout.strip() == "False", shown.stderr


def test_the_modality_of_a_run_is_in_its_settings(run):
    assert modality_of(run("text")).name == "text"


def test_a_run_of_a_modality_of_a_newer_emokit_is_refused(run):
    folder = run("smell")
    with pytest.raises(DataError) as error:
        modality_of(folder)
    assert str(error.value) == (
        f"{folder} has the modality smell, and this emokit knows {', '.join(MODALITIES)}; update emokit."
    )


def test_settings_without_a_modality_are_no_run_of_a_newer_emokit(run):
    folder = run("smell")
    (folder / "settings.yaml").write_text("name: a\n")
    with pytest.raises(DataError) as error:
        modality_of(folder)
    assert str(error.value) == (
        f"{folder}/settings.yaml states no modality, so it was changed; train the run again with --force."
    )


def test_options_of_a_command_come_once_and_with_their_flag(registered):
    names = [option.name for option in command_options("predict")]
    assert len(names) == len(set(names))
    assert {"timestamps", "file", "text", "trust_remote_code", "sniff_twice"} <= set(names)
    assert "file" not in [option.name for option in command_options("train")]
    assert [option.flag for option in registered.options] == ["--sniff-twice", "--odour"]


def test_options_of_another_modality_are_refused(registered):
    given = {"timestamps": False, "file": None, "sniff_twice": True, "odour": ["rose"]}
    assert check_options(registered, "predict", given) == {"sniff_twice": True, "odour": ["rose"]}
    for chosen, options, sentence in (
        ("text", {"timestamps": True}, "--timestamps was given for text, and it is an option of audio; leave it out."),
        ("audio", {"file": Path("x")}, "--file was given for audio, and it is an option of text; leave it out."),
        ("audio", {"text": ["x"]}, "--text was given for audio, and it is an option of late-fusion; leave it out."),
        (
            "vision",
            {"engine": "onnx"},
            "--engine was given for vision, and it is an option of audio or text; leave it out.",
        ),
        (
            "late-fusion",
            {"engine": "onnx"},
            "--engine was given for late-fusion, and it is an option of audio or text; leave it out.",
        ),
        (
            "late-fusion",
            {"sniff_twice": True},
            "--sniff-twice was given for late-fusion, and it is an option of smell; leave it out.",
        ),
    ):
        with pytest.raises(UsageError) as error:
            check_options(registry.modality(chosen), "predict", options)
        assert str(error.value) == sentence


def test_options_go_where_their_role_says(registered):
    given = {"sniff_twice": True, "odour": ["rose"]}
    assert with_role(registered, given, "model") == {"sniff_twice": True}
    assert with_role(registered, given, "inputs") == {"odour": ["rose"]}
    assert with_role(registered, given, "table") == {}


def test_the_name_of_a_modality_with_a_pretrained_model_stands_for_it(registered, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find("smell") == (registered, None)
    assert registry.load("smell", "cpu", sniff_twice=True) == (None, "cpu", {"sniff_twice": True})
    with pytest.raises(DataError) as error:
        find("audio")
    assert str(error.value) == "audio does not exist; name a run folder, as `emokit train` makes it with --run."
    (tmp_path / "smell").mkdir()
    with pytest.raises(DataError) as error:
        find("smell")  # the folder comes first
    assert str(error.value) == "smell has no settings.yaml, so it is no run folder; name one that `emokit train` made."


def test_a_complete_run_is_found_and_an_incomplete_one_refused(run):
    folder = run("text")
    (folder / "onnx").mkdir()
    left = [folder / ".metrics.json.999999999.part", folder / "onnx" / ".model.onnx.999999999.part"]
    for part in left:  # of killed commands
        part.touch()
    chosen, path = find(str(folder))
    assert (chosen.name, path) == ("text", folder)
    assert not any(part.exists() for part in left)
    (folder / "metrics.json").unlink()
    with pytest.raises(DataError) as error:
        registry.load(folder)
    assert str(error.value) == (
        f"{folder} has no metrics.json, so its training did not end; resume it by adding --resume."
    )


@pytest.mark.end_to_end
def test_a_loaded_run_predicts(small_prepared, small_settings, tmp_path):
    from emokit.data.prepared import open_prepared

    audio = registry.modality("audio")
    small_settings["model"] = {"kind": "functionals"}
    settings = audio.settings().make(small_settings)
    audio.train(settings, open_prepared(small_prepared), tmp_path / "run", device="cpu")
    path = sorted((small_prepared.parent / "emodb").rglob("*.wav"))[0]
    predictor = registry.load(tmp_path / "run", "cpu")
    (prediction,) = predictor.predict([path])
    assert predictor.labels == LabelSet(json.loads((tmp_path / "run/metrics.json").read_text())["labels"])
    assert prediction.label in predictor.labels
    with pytest.raises(UsageError) as error:
        registry.load(tmp_path / "run", "cpu", trust_remote_code=True)
    assert str(error.value) == "The option trust_remote_code was given and audio has engine; leave it out."
