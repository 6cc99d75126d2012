"""What is refused before anything is uploaded; `tests/end_to_end/test_hub.py` uploads to a stand-in for the hub."""

from pathlib import Path

import huggingface_hub
import pytest

from emokit.data.publish.upload import Upload, check_name, push
from emokit.errors import UsageError, WorkError

NO_TOKEN = (
    "There is no token of the Hugging Face hub; log in with `hf auth login`, or set HF_TOKEN to one that may write."
)


NO_NAMES = ("tiny", "/tiny", "ann/", "ann/a/b", "ann/a b", "../ann", "ann/.git", "")
NONE_ON_THE_HUB = ("u/a--b", "u/a..b", "u/a.git", "u/a-", "-u/a", "u/" + "a" * 97)


@pytest.mark.parametrize("name", [*NO_NAMES, *NONE_ON_THE_HUB])
def test_a_name_has_a_user_and_one_slash(name: str) -> None:
    with pytest.raises(UsageError) as error:
        check_name(name)
    assert str(error.value) == (
        f"{name} is no name of a repository on the hub; expected USER/NAME with letters, digits, '_', '.' and '-', at most 96, "
        "without '--', '..' or '.git' at its end."
    )


def test_sizes_are_those_of_files_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert Upload("ann/x", "model", {"a": tmp_path / "a", "b": b"12"}, ()).sizes == {"a": 5, "b": 2}


def test_without_a_token_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    with pytest.raises(UsageError) as error:
        push(Upload("ann/x", "model", {}, ()))
    assert str(error.value) == NO_TOKEN


def test_a_hub_that_cannot_be_reached_is_named_without_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    token = "hf_" + "a" * 32

    def fail(*_: object, **__: object) -> None:
        raise ConnectionError(f"no route, Authorization: Bearer {token}")

    monkeypatch.setattr(huggingface_hub, "get_token", lambda: token)
    monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", fail)
    with pytest.raises(WorkError) as error:
        push(Upload("ann/x", "model", {}, ()))
    assert str(error.value) == (
        f"{huggingface_hub.HfApi().endpoint} cannot be reached (no route, Authorization: ***); "
        "check the network, and HF_ENDPOINT and HF_HUB_OFFLINE if they are set."
    )
