"""Errors that a user can cause, each with its exit code.

Every message is one sentence of three parts: what was found, what was expected, what to do. Any other exception is a bug of
emokit: it keeps its traceback and ends with exit code 1.
"""


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
    """A batch did not fit into the memory of the device."""
