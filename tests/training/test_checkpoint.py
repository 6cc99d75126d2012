"""Checkpoints: complete or absent, without frozen tensors, read without running code."""

import contextlib
import pickle
import resource
import signal

import pytest
import torch
from torch import nn

from emokit.errors import DataError, WorkError
from emokit.training import checkpoint

STATE = {"model": {"weight": torch.arange(4.0)}, "progress": {"epoch": 3, "best_loss": float("inf")}}


def test_what_was_written_is_read(tmp_path):
    checkpoint.write(tmp_path, STATE)
    read = checkpoint.read(tmp_path)
    assert torch.equal(read["model"]["weight"], STATE["model"]["weight"])
    assert read["progress"] == STATE["progress"]
    assert [path.name for path in tmp_path.iterdir()] == ["state.pt"]


def test_a_checkpoint_of_other_settings_or_data_is_refused(tmp_path):
    checkpoint.write(tmp_path, STATE, "key")
    assert checkpoint.read(tmp_path, "key")["progress"] == STATE["progress"]
    with pytest.raises(DataError) as error:
        checkpoint.read(tmp_path, "other")
    assert str(error.value) == (
        f"{tmp_path / 'state.pt'} was written by a training with other settings or data; "
        "start the run again with --force."
    )
    torch.save([1], tmp_path / "state.pt")
    with pytest.raises(DataError, match="is incomplete or not a checkpoint"):
        checkpoint.read(tmp_path, "key")


def test_a_folder_without_a_checkpoint_has_no_state(tmp_path):
    assert checkpoint.read(tmp_path) is None


def test_an_incomplete_checkpoint_is_refused(tmp_path):
    checkpoint.write(tmp_path, STATE)
    path = tmp_path / "state.pt"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError) as error:
        checkpoint.read(tmp_path)
    assert str(error.value) == (
        f"{path} is incomplete or not a checkpoint; delete {tmp_path} and start the run again with --force."
    )


@pytest.mark.parametrize("state", [[], "x", {}, {"model": [1]}, 3])
def test_a_checkpoint_of_another_shape_is_refused(tmp_path, state):
    torch.save(state, tmp_path / "state.pt")
    with pytest.raises(DataError) as error:
        checkpoint.read(tmp_path)
    assert str(error.value) == (
        f"{tmp_path / 'state.pt'} is incomplete or not a checkpoint; delete {tmp_path} and start the run again with --force."
    )


def test_a_state_that_does_not_fit_is_a_sentence():
    with pytest.raises(DataError) as error, checkpoint.restoring():
        checkpoint.load_trained(nn.Linear(2, 2), {"weight": torch.zeros(2, 2)})
    assert str(error.value) == (
        "The checkpoint does not fit the settings of the run (the state does not fit the model: bias); "
        "start the run again with --force."
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


def test_a_full_disk_is_a_sentence_and_leaves_the_last_complete_checkpoint(tmp_path):
    checkpoint.write(tmp_path, STATE)
    larger = {"model": {"weight": torch.zeros(100_000)}}
    with limited_files(50_000), pytest.raises(WorkError) as error:
        checkpoint.write(tmp_path, larger)
    assert str(error.value) == (
        f"The disk that holds {tmp_path / 'state.pt'} is full; "
        "free some space and run the command again (a training with --resume)."
    )
    assert checkpoint.read(tmp_path)["progress"] == STATE["progress"]
    assert [path.name for path in tmp_path.iterdir()] == ["state.pt"]


def test_a_full_disk_is_the_same_sentence_when_safetensors_writes(tmp_path):
    from safetensors.torch import save_file

    from emokit import runs

    with limited_files(50_000), pytest.raises(WorkError) as error:
        runs.write_model(
            tmp_path, lambda folder: save_file({"weight": torch.zeros(100_000)}, folder / "model.safetensors")
        )
    assert str(error.value).startswith(f"The disk that holds {tmp_path / 'model'} is full; ")
    assert list(tmp_path.iterdir()) == []


def partly_frozen(value):
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Linear(2, 2))
    model[0].requires_grad_(False)
    for parameter in model.parameters():
        nn.init.constant_(parameter, value)
    return model


def test_the_trained_state_has_no_frozen_parameters_and_is_loaded_beside_them():
    state = checkpoint.trained_state(partly_frozen(2.0))
    assert not any(name.startswith("0.") for name in state)
    assert {"1.weight", "1.running_mean", "2.weight", "2.bias"} <= set(state)
    model = partly_frozen(1.0)
    checkpoint.load_trained(model, state)
    assert [model[number].weight.mean().item() for number in (0, 1, 2)] == [1.0, 2.0, 2.0]


def test_a_state_that_lacks_a_trained_tensor_or_has_an_unknown_one_is_refused():
    state = checkpoint.trained_state(partly_frozen(2.0))
    lacking = {name: value for name, value in state.items() if name != "2.bias"}
    with pytest.raises(RuntimeError, match=r"the state does not fit the model: 2\.bias"):
        checkpoint.load_trained(partly_frozen(1.0), lacking)
    with pytest.raises(RuntimeError, match=r"the state does not fit the model: other"):
        checkpoint.load_trained(partly_frozen(1.0), state | {"other": torch.zeros(1)})


@contextlib.contextmanager
def limited_files(size):
    """Make the system refuse files larger than `size` bytes, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
