"""Checkpoints: whole or absent, read without running code."""

import pickle

import pytest
import torch

from emokit.errors import DataError
from emokit.training import checkpoint

STATE = {"model": {"weight": torch.arange(4.0)}, "progress": {"epoch": 3, "best_loss": float("inf")}}


def test_what_was_written_is_read(tmp_path):
    checkpoint.write(tmp_path, STATE)
    read = checkpoint.read(tmp_path)
    assert torch.equal(read["model"]["weight"], STATE["model"]["weight"])
    assert read["progress"] == STATE["progress"]
    assert [path.name for path in tmp_path.iterdir()] == ["state.pt"]


def test_a_folder_without_a_checkpoint_has_nothing_to_go_on_from(tmp_path):
    assert checkpoint.read(tmp_path) is None


def test_a_checkpoint_cut_short_is_named(tmp_path):
    checkpoint.write(tmp_path, STATE)
    path = tmp_path / "state.pt"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError) as error:
        checkpoint.read(tmp_path)
    assert str(error.value) == (
        f"{path} is cut short or is no checkpoint; delete {tmp_path} and start the run anew with --force."
    )


def test_a_checkpoint_runs_no_code(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "trap"), "w"))

    with (tmp_path / "state.pt").open("wb") as file:
        pickle.dump(Trap(), file)
    with pytest.raises(DataError):
        checkpoint.read(tmp_path)
    assert not (tmp_path / "trap").exists()
