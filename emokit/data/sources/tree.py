"""List the files below a folder in one pass."""

import os
from collections.abc import Iterator
from pathlib import Path

from emokit.errors import DataError


def walk(root: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every file below `root`, in no particular order: its path relative to `root`, with forward slashes, and its entry.

    Left out: hidden files and folders, files of macOS (`._x`, `__MACOSX`), and linked folders, which may form cycles.

    Raises:
        DataError: a folder cannot be read.
    """
    folders = [""]
    while folders:
        parent = folders.pop()
        try:
            with os.scandir(root / parent) as entries:
                for entry in entries:
                    if entry.name.startswith(".") or entry.name == "__MACOSX":
                        continue
                    if entry.is_dir():
                        if not entry.is_symlink():
                            folders.append(f"{parent}{entry.name}/")
                    else:
                        yield parent + entry.name, entry
        except OSError as error:
            raise DataError(
                f"The folder {root / parent} cannot be read ({error.strerror}); check its permissions."
            ) from error
