"""What is needed to go on after an epoch, in one file that is always whole.

The file is written under another name and moved, so a kill at any moment leaves the last good one. It is read with torch's
`weights_only`, which takes tensors and plain values and runs no code.
"""

import io
from pathlib import Path
from typing import Any

import torch

from emokit.errors import DataError
from emokit.files import whole_file

STATE = "state.pt"


def write(folder: Path, state: dict[str, Any]) -> None:
    """Write the state of an epoch, whole or not at all."""
    buffer = io.BytesIO()  # torch turns a full disk into an error of its own; a plain write says what it is
    torch.save(state, buffer)
    with whole_file(folder / STATE) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def read(folder: Path) -> dict[str, Any] | None:
    """The state to go on after; None where there is none yet.

    Raises:
        DataError: the file was cut short or is no checkpoint.
    """
    path = folder / STATE
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        raise DataError(
            f"{path} is cut short or is no checkpoint; delete {folder} and start the run anew with --force."
        ) from error
    return state
