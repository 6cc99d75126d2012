"""Temporary files: they carry their process, so that those of killed ones are known, ignored and removed."""

import contextlib
import glob
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from emokit.processes import is_running, machine

LOCK = ".lock"  # the lock of a folder, see `emokit.locks`
TEMPORARY = re.compile(r"\..+?\.(?P<pid>\d+)(?:@(?P<machine>\w+))?\.part")


def temporary_path(path: Path) -> Path:
    """The temporary name of `path` while this process writes it: `.NAME.PID@MACHINE.part`, in the same folder."""
    return path.with_name(f".{path.name}.{os.getpid()}@{machine()}.part")


def is_temporary(path: Path) -> bool:
    """Whether this is the temporary file of a process that may have been killed; not that of one which runs here."""
    match = TEMPORARY.fullmatch(path.name)
    return match is not None and not (match["machine"] in (None, machine()) and _is_written(path, int(match["pid"])))


def _is_written(path: Path, pid: int) -> bool:
    try:
        return is_running(pid, since=path.lstat().st_mtime)
    except FileNotFoundError:
        return True  # it was moved to its final name since


def remove_temporary(folder: Path, name: str = "*", *, locked: bool = False) -> None:
    """Remove the temporary files that killed processes left in a folder.

    Args:
        folder: the folder.
        name: of the final file; every file by default.
        locked: this process holds the folder's lock, so that no process of another machine writes there either; the folders
            below it are searched too, but not those with a lock of their own.
    """
    if not folder.is_dir():
        return
    for path in sorted(folder.glob(f".{glob.escape(name) if name != '*' else name}.*.part")):
        match = TEMPORARY.fullmatch(path.name)
        if match and is_temporary(path) and (locked or match["machine"] in (None, machine())):
            remove(path)
    if locked:
        for path in sorted(folder.iterdir()):
            if path.is_dir() and not path.is_symlink() and not (path / LOCK).exists():
                remove_temporary(path, locked=True)


def remove_leftovers(folders: Iterable[Path]) -> None:
    """Remove what killed processes left in folders that are read; they may be open to reading only."""
    with contextlib.suppress(OSError):
        for folder in folders:
            remove_temporary(folder)


def remove(path: Path) -> None:
    """Remove a file, a link or a whole folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
