"""Atomic file writing: a file is written under a temporary name and moved to its final one, so it is complete or absent.

A full or read-only disk is reported in one sentence, and a file that existed under the final name is not changed.
"""

import contextlib
import csv
import errno
import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from emokit.errors import DataError, UsageError, WorkError
from emokit.safe_text import spreadsheet_cell


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it to `path` when the block succeeds, remove it when the block raises.

    Raises:
        WorkError: the disk is full or the folder cannot be written to.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    with explained_disk_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def explained_disk_errors(path: Path) -> Iterator[None]:
    """Turn a full disk, a folder without write permission or a file in place of a folder into a sentence that names `path`."""
    try:
        yield
    except Exception as raised:
        error = _as_os_error(raised)
        if error is None:
            raise
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise WorkError(
                f"The disk that holds {path} is full; free some space and run the command again (a training with --resume)."
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR):
            raise WorkError(f"{path} cannot be written ({error.strerror}); name a folder that can be.") from error
        raise


def _as_os_error(error: Exception) -> OSError | None:
    """The operating system's error: the exception itself, or one that a library (safetensors) quotes in its message."""
    if isinstance(error, OSError):
        return error
    number = re.search(r"\(os error (\d+)\)", str(error))
    return OSError(int(number[1]), os.strerror(int(number[1]))) if number else None


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, completely or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, completely or not at all; NaN is refused, as JSON has none."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a table as CSV, completely or not at all.

    Text that a spreadsheet would take as a formula is preceded by `'`; `safe_text.from_spreadsheet_cell` removes it again.
    """
    write_text(path, "".join(map(_csv_line, (header, *rows))))


def _csv_line(row: Iterable[Any]) -> str:
    line = io.StringIO()
    # The csv module quotes a cell with a carriage return only if the line's end has one.
    csv.writer(line, lineterminator="\r\n").writerow(map(spreadsheet_cell, row))
    return line.getvalue().removesuffix("\r\n") + "\n"


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        DataError: the file is missing or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist; make the folder that it belongs to again.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is damaged ({error}); make the folder that it belongs to again.") from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"JSON has no {constant}")


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_links(folder: Path) -> None:
    """Refuse a folder of emokit that has anything but files and folders in it, such as a link out of it; call it before reading.

    emokit makes no links. Somebody else's could make it read or overwrite any file of the user. The folder itself may be a link.

    Raises:
        DataError: names the first symbolic link, pipe, socket or device.
    """
    waiting = [str(folder)]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:  # a worker may remove files meanwhile
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.is_symlink():
                    raise DataError(
                        f"{entry.path} is a symbolic link, and emokit makes none in its folders; "
                        "put a copy of what it names in its place."
                    )
                elif not entry.is_file(follow_symlinks=False) and os.path.lexists(entry.path):
                    raise DataError(
                        f"{entry.path} is a pipe, a socket or a device, and emokit makes only files in its folders; delete it."
                    )


def new_folder(folder: Path, *, force: bool, what: str) -> None:
    """Make an empty folder for a result.

    Args:
        folder: the folder of the result.
        force: replace an existing folder, if it holds a result of the same kind (it has a file named `what`).
        what: the file that marks a folder as made by emokit.

    Raises:
        UsageError: the folder exists and is not empty, and `force` is not given or emokit did not make it.
        WorkError: the folder cannot be written.
    """
    if folder.is_dir() and any(folder.iterdir()):
        if not force:
            raise UsageError(f"{folder} exists and is not empty; name another folder, or add --force to replace it.")
        if not (folder / what).exists():
            raise UsageError(f"{folder} has no {what}, so emokit did not make it; --force will not replace it.")
        with explained_disk_errors(folder):
            # Emptied, not removed: the folder may be a link to another disk. `what` goes last, so that --force can be repeated.
            for entry in sorted(folder.iterdir(), key=lambda entry: entry.name == what):
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    elif folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder for the result.")
    with explained_disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)


def resource(name: str) -> Path:
    """A file or folder that is distributed with emokit: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).parent
    installed = package / name
    return installed if installed.exists() else package.parent / name
