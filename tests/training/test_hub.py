"""Where models come from: a folder, the cache, the hub; and one sentence where from none of them."""

import json

import pytest
from huggingface_hub import constants

from emokit.errors import DataError
from emokit.training.hub import check_weights, find_model


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """An empty cache, and no hub."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "cache"


def put_into(cache, name, files, commit="0" * 40):
    """Write a model into a cache as the hub's own library lays it out."""
    folder = cache / f"models--{name.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(commit)
    snapshot = folder / "snapshots" / commit
    snapshot.mkdir(parents=True)
    for file in files:
        (snapshot / file).write_text("{}")
    return snapshot


def test_a_folder_is_taken_as_it_is(tmp_path, offline):
    (tmp_path / "config.json").write_text(json.dumps({}))
    assert find_model(str(tmp_path)) == tmp_path


def test_a_folder_without_a_model_is_named(tmp_path, offline):
    with pytest.raises(DataError) as error:
        find_model(str(tmp_path))
    assert str(error.value) == f"{tmp_path} has no config.json, so it holds no model; name a folder that has one."


def test_a_model_in_the_cache_is_found_offline(offline):
    snapshot = put_into(offline, "some/encoder", ["config.json", "model.safetensors"])
    assert find_model("some/encoder").resolve() == snapshot.resolve()
    assert find_model("some/encoder", "0" * 40).resolve() == snapshot.resolve()


def test_weights_that_are_no_safetensors_are_taken_only_where_they_are_asked_for(offline):
    snapshot = put_into(offline, "some/encoder", ["config.json", "pytorch_model.bin"])
    assert find_model("some/encoder", pickled=True).resolve() == snapshot.resolve()
    check_weights(snapshot, "some/encoder", None, pickled=True)
    with pytest.raises(DataError) as error:
        check_weights(snapshot, "some/encoder", None)
    assert str(error.value) == (
        f"{snapshot} has no weights as safetensors, and emokit reads no others; "
        "fetch them with `hf download some/encoder`, convert them or choose others."
    )


def test_offline_and_absent_is_one_sentence_with_the_command_that_fetches(offline):
    with pytest.raises(DataError) as error:
        find_model("some/encoder")
    assert str(error.value) == (
        "some/encoder is no folder and not in the cache of downloaded models, and the hub cannot be reached; "
        "fetch it where there is a network with `hf download some/encoder`."
    )
    with pytest.raises(DataError) as error:
        find_model("some/encoder", "abc")
    assert str(error.value).endswith("with `hf download some/encoder --revision abc`.")


def test_what_can_be_no_name_is_said_to_be_none(offline):
    with pytest.raises(DataError) as error:
        find_model("not here/at all/in any way")
    assert str(error.value) == (
        "not here/at all/in any way is no folder and no name that the hub can have; mend model.name."
    )
