"""What can go wrong for a user, and the exit code that says so.

Every message is one sentence: what was found, what was expected, what to do. Anything else that is raised is a bug of ours:
it keeps its traceback and ends with exit code 1.
"""


class EmokitError(Exception):
    """The parent of everything that a user can cause or mend."""

    exit_code = 1


class UsageError(EmokitError):
    """The user's slip: a wrong name, an unknown key, a value out of range, a folder that exists."""

    exit_code = 2


class DataError(EmokitError):
    """Data that are missing, damaged or not what they should be."""

    exit_code = 3


class WorkError(EmokitError):
    """The work itself failed (collapsed, out of memory, disk full); its state is kept."""

    exit_code = 4


class Collapsed(WorkError):
    """The training says one class only, or its loss is not a number."""


class MemoryFull(WorkError):
    """A batch did not fit into the memory of the device."""
