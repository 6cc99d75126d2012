"""Runs that colleagues share: the modes of a model's files, and a model that may not be read."""

import os
from pathlib import Path

import pytest

from emokit import runs
from emokit.errors import DataError


def save(folder: Path) -> None:
    (folder / "model.safetensors").touch(mode=0o600)


def test_the_files_of_a_model_have_the_mode_that_the_umask_asks_for(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        runs.write_model(tmp_path, save)
    finally:
        os.umask(before)
    assert (tmp_path / "model" / "model.safetensors").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "model").stat().st_mode & 0o777 == 0o755


def test_a_colleague_who_may_not_read_a_model_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings.yaml").write_text("modality: audio\nname: tiny\n")
    runs.write_model(tmp_path, save)
    (tmp_path / "metrics.json").write_text('{"labels": ["a", "b"], "splits": {}}')
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith(".safetensors"))
    with pytest.raises(DataError) as caught:
        runs.check_complete(tmp_path)
    path = tmp_path / "model" / "model.safetensors"
    assert str(caught.value) == f"{path} may not be read by you; ask its owner for access."
