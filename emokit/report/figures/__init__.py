"""Figures: one module per kind, one shared style."""

import os

from emokit.errors import UsageError

try:
    import matplotlib as matplotlib
except ValueError as error:  # it reads the variable, which emokit does not need, when it is imported
    raise UsageError(
        f"MPLBACKEND is {os.environ.get('MPLBACKEND')!r}, which matplotlib does not know; unset it."
    ) from error
