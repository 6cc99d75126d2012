"""Checkpoints: what is needed to resume after an epoch, in one file that is never incomplete.

A checkpoint holds the trained tensors, not the frozen ones. The file is written under another name and moved, so that a kill at
any moment leaves the last complete one. It is read with torch's `weights_only`: tensors and plain values, no code.
"""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from emokit.errors import DataError
from emokit.files import whole_file
from emokit.read_files import in_words

STATE = "state.pt"
KEY = "key"


def trained_state(model: nn.Module) -> dict[str, torch.Tensor]:
    """The state of a model without its frozen parameters, which are loaded again from the pretrained model."""
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    return {name: value for name, value in model.state_dict().items() if name not in frozen}


def load_trained(model: nn.Module, state: dict[str, torch.Tensor]) -> None:
    """Load the result of `trained_state` into a model of the same shape.

    Raises:
        RuntimeError: the state lacks a trained tensor of the model, or has a tensor that the model lacks.
    """
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    missing, unexpected = model.load_state_dict(state, strict=False)
    mismatched = sorted({*missing} - frozen) + unexpected
    if mismatched:
        raise RuntimeError(f"the state does not fit the model: {mismatched[0]}")


def write(folder: Path, state: dict[str, Any], key: str = "") -> None:
    """Write the state of an epoch, completely or not at all, with the key of the run's settings and data."""
    buffer = io.BytesIO()  # torch.save hides the reason when the disk is full; a plain write reports it
    torch.save({**state, KEY: key}, buffer)
    with whole_file(folder / STATE) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def read(folder: Path, key: str | None = None) -> dict[str, Any] | None:
    """The state of a checkpoint; None before the first one.

    Args:
        folder: of the checkpoint.
        key: the one that it must have been written with; None accepts every checkpoint.

    Raises:
        DataError: the file is incomplete, not a checkpoint, or of a training with other settings or data.
    """
    path = folder / STATE
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(state["model"], dict):
            raise TypeError("the weights are not tensors by name")
    except Exception as error:  # torch raises many kinds for a damaged file
        raise DataError(
            f"{path} is incomplete or not a checkpoint; delete {folder} and start the run again with --force."
        ) from error
    if key is not None and state.get(KEY) != key:
        raise DataError(
            f"{path} was written by a training with other settings or data; start the run again with --force."
        )
    return state


@contextlib.contextmanager
def restoring() -> Iterator[None]:
    """Turn what the use of a state raises, where it does not fit the training, into a sentence.

    Raises:
        DataError: it does not fit.
    """
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise DataError(
            f"The checkpoint does not fit the settings of the run ({in_words(error)}); start the run again with --force."
        ) from error
