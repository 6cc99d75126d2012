"""Atomic file writing: a file is written under a temporary name and moved to its final one, so it is complete or absent.

A full or read-only disk is reported in one sentence, and a file that existed under the final name is not changed.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emokit.errors import DataError, EmokitError, UsageError, WorkError

NOT_WRITABLE = (
    *(errno.EACCES, errno.EROFS, errno.EPERM),
    *(errno.ENOTDIR, errno.EEXIST),
    *(errno.ENAMETOOLONG, errno.ELOOP),
)


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
            give_usual_mode(temporary)
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
        if error.errno in NOT_WRITABLE:
            raise WorkError(f"{path} cannot be written ({error.strerror}); name a folder that can be.") from error
        raise


def give_usual_mode(path: Path) -> None:
    """Give a file the mode that the user's umask asks for, where a library made it readable for its owner alone."""
    umask = os.umask(0o077)  # it can only be read by setting it
    os.umask(umask)
    with contextlib.suppress(PermissionError):  # on disks without modes
        path.chmod(0o666 & ~umask)


def check_readable(*paths: Path) -> None:
    """Refuse files that the user may not read, before a library takes them for damaged.

    Raises:
        DataError: names the first of them.
    """
    for path in paths:
        if path.exists() and not os.access(path, os.R_OK):
            raise DataError(f"{path} may not be read by you; ask its owner for access.")


def path_error(error: Exception) -> EmokitError | None:
    """The sentence on a path that the operating system refused, wherever it came from; None for another error."""
    if isinstance(error, OSError) and error.filename is not None:
        path = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes | os.PathLike) else error.filename
        return UsageError(f"{path} cannot be used ({error.strerror}); name another path, or get access to this one.")
    if isinstance(error, ValueError) and "embedded null" in str(error):
        return UsageError("A path has a NUL character, which no path can have; write the path again.")
    if isinstance(error, RuntimeError) and str(error).startswith("Symlink loop from "):  # of Path.resolve
        path = str(error).removeprefix("Symlink loop from ").strip("'")
        return UsageError(f"{path} cannot be used ({os.strerror(errno.ELOOP)}); name another path, or mend the link.")
    return None


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


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        DataError: the file is missing or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist; make the folder that it belongs to again.") from error
    except PermissionError as error:
        raise DataError(f"{path} may not be read by you; ask its owner for access.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is damaged ({error}); make the folder that it belongs to again.") from error


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
