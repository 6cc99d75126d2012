"""Checkpoints: whole or absent, read without running code."""

import contextlib
import pickle
import resource
import signal

import pytest
import torch

from emokit.errors import DataError, WorkError
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


def test_a_full_disk_is_a_sentence_and_leaves_the_last_good_checkpoint(tmp_path):
    checkpoint.write(tmp_path, STATE)
    larger = {"model": {"weight": torch.zeros(100_000)}}
    with limited_files(50_000), pytest.raises(WorkError) as error:
        checkpoint.write(tmp_path, larger)
    assert str(error.value) == (
        f"The disk that holds {tmp_path / 'state.pt'} is full; "
        "free some space and give the command again (a training with --resume)."
    )
    assert checkpoint.read(tmp_path)["progress"] == STATE["progress"]
    assert [path.name for path in tmp_path.iterdir()] == ["state.pt"]


def test_a_full_disk_is_a_sentence_where_safetensors_writes_too(tmp_path):
    from safetensors.torch import save_file

    from emokit import runs

    with limited_files(50_000), pytest.raises(WorkError) as error:
        runs.write_model(
            tmp_path, lambda folder: save_file({"weight": torch.zeros(100_000)}, folder / "model.safetensors")
        )
    assert str(error.value).startswith(f"The disk that holds {tmp_path / 'model'} is full; ")
    assert list(tmp_path.iterdir()) == []


@contextlib.contextmanager
def limited_files(size):
    """Let the system refuse files larger than `size` bytes, as it refuses any on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
