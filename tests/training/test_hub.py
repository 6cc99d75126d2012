"""Pretrained models from a folder, the cache or the hub, and the sentence for a model in none of them."""

import importlib
import json
import os
from pathlib import Path

import pytest
from huggingface_hub import constants
from huggingface_hub.errors import LocalEntryNotFoundError, RepositoryNotFoundError

from emokit.errors import DataError, UsageError
from emokit.modality.registry import MODALITIES, modality
from emokit.training.hub import OWN_TYPES, check_weights, find_model, read_pretrained


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """An empty cache and no network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "cache"


def put_into(cache, name, files, commit="0" * 40):
    """Write a model into a cache in the layout of huggingface_hub."""
    folder = cache / f"models--{name.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(commit)
    snapshot = folder / "snapshots" / commit
    snapshot.mkdir(parents=True)
    for file in files:
        (snapshot / file).write_text("{}")
    return snapshot


def test_a_folder_is_used_directly(tmp_path, offline):
    (tmp_path / "config.json").write_text(json.dumps({}))
    assert find_model(str(tmp_path)) == tmp_path


def test_a_folder_without_a_model_is_named(tmp_path, offline):
    with pytest.raises(DataError) as error:
        find_model(str(tmp_path))
    assert str(error.value) == f"{tmp_path} has no config.json, so it holds no model; name a folder that has one."


@pytest.mark.parametrize("kind", OWN_TYPES)
def test_the_model_of_a_run_is_no_pretrained_model(tmp_path, offline, kind):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
    with pytest.raises(UsageError) as error:
        find_model(str(tmp_path))
    assert str(error.value) == (
        f"{tmp_path} has the model of a run ({kind}), which is no pretrained model; "
        "name the pretrained model that it was made from, or another, as model.name."
    )


def test_the_types_of_own_models_are_those_that_are_registered():
    models = [entry for name in MODALITIES for entry in modality(name).auto_models]
    registered = {getattr(importlib.import_module(module), config).model_type for _, module, config, _ in models}
    assert set(OWN_TYPES) == registered


def test_files_of_a_folder_that_may_not_be_read_are_not_called_absent(tmp_path, offline, monkeypatch):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "model.safetensors")
    with pytest.raises(DataError) as error:
        find_model(str(tmp_path))
    assert str(error.value) == f"{tmp_path / 'model.safetensors'} may not be read by you; ask its owner for access."


def test_a_model_in_the_cache_is_found_offline(offline):
    snapshot = put_into(offline, "some/encoder", ["config.json", "model.safetensors"])
    assert find_model("some/encoder").resolve() == snapshot.resolve()
    assert find_model("some/encoder", "0" * 40).resolve() == snapshot.resolve()


def test_weights_other_than_safetensors_are_used_only_when_asked_for(offline):
    snapshot = put_into(offline, "some/encoder", ["config.json", "pytorch_model.bin"])
    assert find_model("some/encoder", pickled=True).resolve() == snapshot.resolve()
    check_weights(snapshot, "some/encoder", None, pickled=True)
    with pytest.raises(DataError) as error:
        check_weights(snapshot, "some/encoder", None)
    assert str(error.value) == (
        f"{snapshot} has no weights as safetensors, and emokit reads no others; "
        "fetch them with `hf download some/encoder`, convert them or choose others."
    )


def test_a_missing_model_without_a_network_is_one_sentence_with_the_download_command(offline):
    with pytest.raises(DataError) as error:
        find_model("some/encoder")
    assert str(error.value) == (
        "some/encoder is no folder and not in the cache of downloaded models, and the hub cannot be reached; "
        "fetch it where there is a network with `hf download some/encoder`."
    )
    with pytest.raises(DataError) as error:
        find_model("some/encoder", "abc")
    assert str(error.value).endswith("with `hf download some/encoder --revision abc`.")


def test_an_invalid_name_is_refused(offline):
    with pytest.raises(DataError) as error:
        find_model("not here/at all/in any way")
    assert str(error.value) == (
        "not here/at all/in any way is no folder and no valid name of a model on the hub; correct model.name."
    )


class Broken:
    """An Auto class whose `from_pretrained` fails."""

    def __init__(self, reason):
        self.reason = reason

    def from_pretrained(self, folder, *, local_files_only, trust_remote_code):
        raise ValueError(self.reason)


def test_a_model_that_comes_with_code_is_refused_unless_it_is_trusted(tmp_path):
    broken = Broken("set the option\n`trust_remote_code=True`")
    for trust, advice in (
        (None, "choose another model.name"),
        (False, "read that code, and add --trust-remote-code if you trust it"),
    ):
        with pytest.raises(UsageError) as error:
            read_pretrained(broken, tmp_path, "some/encoder", None, trust_remote_code=trust)
        assert str(error.value) == f"some/encoder runs code that comes with it; {advice}."


def test_a_damaged_model_is_named_with_what_to_do(tmp_path):
    for name, advice in (
        (str(tmp_path), "make it again"),
        ("some/encoder", f"delete {tmp_path} and fetch it again with `hf download some/encoder`"),
    ):
        with pytest.raises(DataError) as error:
            read_pretrained(Broken("header too\n large"), tmp_path, name, None)
        assert str(error.value) == f"{tmp_path} holds no complete model (header too large); {advice}."


def test_a_model_that_the_hub_lacks_is_named(offline, monkeypatch):
    def absent(name, local_files_only=False, **_):
        raise (
            LocalEntryNotFoundError("not here")
            if local_files_only
            else RepositoryNotFoundError.__new__(RepositoryNotFoundError)
        )

    monkeypatch.setattr("huggingface_hub.snapshot_download", absent)
    with pytest.raises(DataError) as error:
        find_model("some/encoder")
    assert str(error.value) == (
        "some/encoder is no folder and not in the cache of downloaded models, and the hub has no model of this name that you "
        "may read; correct model.name."
    )
