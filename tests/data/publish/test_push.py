"""What of a prepared folder is uploaded."""

from pathlib import Path

import huggingface_hub
import pytest

from emokit.data.prepared import Prepared
from emokit.data.publish.push import prepared_upload, push_prepared
from emokit.errors import DataError, UsageError


def test_the_card_and_the_splits_are_uploaded_and_removed_afterwards(calls: Prepared) -> None:
    with prepared_upload(calls.folder, "ann/calls") as upload:
        assert (upload.kind, upload.folders) == ("dataset", ("data/",))
        assert list(upload.files) == [
            "README.md", *(f"data/{split}-00000-of-00001.parquet" for split in ("train", "validation", "test")),
        ]  # fmt: skip
        paths = [file for file in upload.files.values() if isinstance(file, Path)]
        for content in [*(path.read_bytes() for path in paths), upload.files["README.md"]]:
            assert str(calls.folder.parent).encode() not in content  # type: ignore[operator]
    assert not any(path.exists() for path in paths)


def test_a_push_begins_with_its_name_token_and_folder(
    calls: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"^calls is no name of a repository on the hub"):
        push_prepared(calls.folder, "calls")
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    with pytest.raises(UsageError, match=r"^There is no token of the Hugging Face hub"):
        push_prepared(calls.folder, "ann/calls")
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "hf_x")
    with pytest.raises(DataError, match="is no prepared folder"):
        push_prepared(tmp_path, "ann/calls")
