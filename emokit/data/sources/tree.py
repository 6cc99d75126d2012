"""The files below a folder, found in one pass."""

import os
from collections.abc import Iterator
from pathlib import Path

from emokit.errors import DataError


def walk(root: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every file below `root`, in no certain order: its path relative to it, with forward slashes, and its entry.

    Left out are hidden files and folders, what macOS leaves behind (`._x`, `__MACOSX`), and linked folders, which may
    lead anywhere and in circles.

    Raises:
        DataError: a folder cannot be read.
    """
    folders = [""]
    while folders:
        above = folders.pop()
        try:
            with os.scandir(root / above) as entries:
                for entry in entries:
                    if entry.name.startswith(".") or entry.name == "__MACOSX":
                        continue
                    if entry.is_dir():
                        if not entry.is_symlink():
                            folders.append(f"{above}{entry.name}/")
                    else:
                        yield above + entry.name, entry
        except OSError as error:
            raise DataError(f"The folder {root / above} cannot be read ({error.strerror}); see to it.") from error
