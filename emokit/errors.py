"""Errors that a user can cause, each with its exit code.

Every message is one sentence of three parts: what was found, what was expected, what to do. Any other exception is a bug of
emokit: its sentence names the file that has its traceback, and it ends with exit code 1.
"""

import errno
import re

# Most errors of a full memory are a plain RuntimeError: of the CPU's memory, of oneDNN, of Apple's GPUs, of the libraries of
# CUDA; where a library does not fit into it, an ImportError.
_FULL = re.compile(
    r"out of memory|can't allocate memory|cannot allocate memory|not enough memory|_ALLOC_FAILED|failed to map segment|"
    r"could not create a primitive$",
    re.IGNORECASE,
)


class EmokitError(Exception):
    """The parent of every error that a user can cause or fix."""

    exit_code = 1


class UsageError(EmokitError):
    """A mistake in the command: a wrong name, an unknown key, a value out of range, a folder that exists."""

    exit_code = 2


class DataError(EmokitError):
    """Data are missing, damaged or not of the expected kind."""

    exit_code = 3


class WorkError(EmokitError):
    """The work itself failed (collapsed, out of memory, disk full); its state is saved."""

    exit_code = 4


class Collapsed(WorkError):
    """The model predicts one class only, or the loss is not a number."""


class MemoryFull(WorkError):
    """A batch, a file or a table did not fit into the memory."""


def is_memory_full(error: BaseException) -> bool:
    """Whether an error of Python, of a library or of the system says that the memory is full."""
    if isinstance(error, OSError) and not isinstance(error, MemoryError):
        return error.errno == errno.ENOMEM
    is_named = any(
        kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__
    )  # torch's, which is not imported here
    return (
        isinstance(error, MemoryError)
        or is_named
        or (isinstance(error, RuntimeError | ImportError) and bool(_FULL.search(str(error))))
    )
