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
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from emokit.errors import DataError, EmokitError, UsageError, WorkError
from emokit.foreign_files import refuse_foreign as refuse_foreign
from emokit.names import escape, escaped
from emokit.read_files import absolute as absolute
from emokit.read_files import can_wait as can_wait
from emokit.read_files import check_readable as check_readable
from emokit.read_files import kind_of as kind_of
from emokit.read_files import not_a as not_a
from emokit.read_files import read_json as read_json
from emokit.read_files import read_text as read_text
from emokit.safe_text import spreadsheet_cell
from emokit.temporary import LOCK, is_temporary, remove, remove_temporary, temporary_path

SURROGATE = re.compile("[\ud800-\udfff]")
NO_PERMISSION = (errno.EACCES, errno.EROFS, errno.EPERM)
NO_PATH = (errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP)  # of the user, which no file can have


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it to `path` when the block succeeds, remove it when the block raises.

    Raises:
        WorkError: the disk is full or the folder cannot be written to.
    """
    temporary = temporary_path(path)
    with explained_disk_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            remove_temporary(path.parent, path.name)
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
        if error.errno == errno.EISDIR and path.is_dir():
            raise DataError(f"{path} is a folder where a file is to be written; rename it, or delete it.") from error
        if error.errno in (*NO_PERMISSION, *NO_PATH):
            kind = UsageError if error.errno in NO_PATH else WorkError
            raise kind(f"{path} cannot be written ({error.strerror}); name a folder that can be.") from error
        raise


def give_usual_mode(path: Path) -> None:
    """Give a file the mode that the user's umask asks for, where a library made it readable for its owner alone."""
    umask = os.umask(0o077)  # it can only be read by setting it
    os.umask(umask)
    with contextlib.suppress(PermissionError):  # on disks without modes
        path.chmod(0o666 & ~umask)


def path_error(error: Exception) -> EmokitError | None:
    """The sentence on a path that the operating system refused, wherever it came from; None for another error."""
    if isinstance(error, OSError) and error.filename is not None:
        path = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes | os.PathLike) else error.filename
        return UsageError(f"{path} cannot be used ({error.strerror}); name another path, or get access to this one.")
    if isinstance(error, FileNotFoundError) and not _has_working_folder():
        return UsageError("The working folder does not exist any more; change to another one.")
    if isinstance(error, ValueError) and "embedded null" in str(error):
        return UsageError("A path has a NUL character, which no path can have; write the path again.")
    if isinstance(error, UnicodeEncodeError) and error.reason == "surrogates not allowed":  # of pyarrow and others
        return UsageError(f"{escaped(error.object)} is not UTF-8; name another path, or write the text again.")
    if isinstance(error, RuntimeError) and str(error).startswith("Symlink loop from "):  # of Path.resolve
        path = str(error).removeprefix("Symlink loop from ").strip("'")
        return UsageError(
            f"{path} cannot be used ({os.strerror(errno.ELOOP)}); name another path, or correct the link."
        )
    return None


def _has_working_folder() -> bool:
    try:
        return bool(Path.cwd())
    except OSError:  # it was deleted
        return False


def _as_os_error(error: Exception) -> OSError | None:
    """The operating system's error: the exception itself, or one that a library (safetensors) quotes in its message."""
    if isinstance(error, OSError):
        return error
    number = re.search(r"\(os error (\d+)\)", str(error))
    return OSError(int(number[1]), os.strerror(int(number[1]))) if number else None


def write_text(path: Path, text: str) -> None:
    r"""Write `text` as UTF-8, completely or not at all; a byte of a file's name that is not UTF-8 becomes `\xe9`."""
    _write(path, SURROGATE.sub(lambda match: escape(match[0]), text))


def write_json(path: Path, value: Any) -> None:
    r"""Write `value` as indented JSON, completely or not at all; NaN is refused, as JSON has none.

    A byte of a file's name that is not UTF-8, which Python reads as a lone surrogate, gets its escape in JSON, `\udce9`.
    """
    _write(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _write(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[Any]], *, delimiter: str = ",") -> None:
    """Write a table as CSV, completely or not at all; None becomes an empty cell.

    Text that a spreadsheet would take as a formula is preceded by `'`; `safe_text.from_spreadsheet_cell` removes it again.
    """
    write_text(path, "".join(_csv_line(row, delimiter) for row in (header, *rows)))


def _csv_line(row: Iterable[Any], delimiter: str) -> str:
    line = io.StringIO()
    # The csv module quotes a cell with a carriage return only if the line's end has one.
    csv.writer(line, delimiter=delimiter, lineterminator="\r\n").writerow(map(spreadsheet_cell, row))
    return line.getvalue().removesuffix("\r\n") + "\n"


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


def check_new_folder(folder: Path, *, force: bool, what: str, names: Iterable[str] = ("*",)) -> None:
    """Refuse a folder that a result may not be written into; arguments and errors as those of `new_folder`."""
    check_name(folder)
    with explained_disk_errors(folder):
        _check_can_be_made(folder)
    if folder.is_dir():
        if not is_empty(folder):
            if not force:
                raise UsageError(
                    f"{folder} exists and is not empty; name another folder, or add --force to replace it."
                )
            if not (folder / what).exists():
                raise UsageError(f"{folder} has no {what}, so emokit did not make it; --force will not replace it.")
            refuse_foreign(folder, names)
    elif folder.exists():
        raise UsageError(f"{folder} is a file; name a folder for the result.")


def refuse_inputs(folder: Path, inputs: Iterable[Path | None], flag: str = "--run") -> None:
    """Refuse to replace a folder that is, or holds, an input of the command: --force would delete it before it is read.

    Args:
        folder: of the result; `flag` names it on the command line.
        inputs: files and folders that the command reads; None where an argument was not given.

    Raises:
        UsageError: names the first of them.
    """
    for path in inputs:
        if path is None or not path.exists() or not path.resolve().is_relative_to(folder.resolve()):
            continue
        if path.resolve() == folder.resolve():
            raise UsageError(f"{folder} is an input of the command, which --force would delete; name another {flag}.")
        raise UsageError(f"{folder} has {path} in it, which --force would delete; name another {flag}.")


def check_name(path: Path) -> None:
    """Refuse a path of an output that is not UTF-8: libraries that write tables and models fail half-way."""
    if SURROGATE.search(str(path.absolute())):
        raise UsageError(
            f"{escaped(str(path))} has a path that is not UTF-8, which cannot be written to; name another."
        )


def _check_can_be_made(folder: Path) -> None:
    """Raise what making the folder would raise, without making it."""
    with contextlib.suppress(FileNotFoundError):
        folder.lstat()
    if folder.is_symlink() and not folder.exists():
        raise FileExistsError(errno.EEXIST, "it is a link to nothing", str(folder))
    above = next((path for path in (folder, *folder.absolute().parents) if path.exists()), folder)
    if above != folder and not above.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(above))
    if above.is_dir() and not os.access(above, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(above))


def new_folder(folder: Path, *, force: bool, what: str, names: Iterable[str] = ("*",)) -> None:
    """Make an empty folder for a result; the file `what` must be the first one written into it.

    Args:
        folder: the folder of the result.
        force: replace an existing folder, if it holds a result of the same kind (it has a file named `what`).
        what: the file that marks a folder as made by emokit.
        names: patterns of what emokit writes into such a folder; it is not replaced if anything else is in it.

    Raises:
        UsageError: the folder exists and is not empty, and `force` is not given or emokit did not make it.
        WorkError: the folder cannot be written.
    """
    check_new_folder(folder, force=force, what=what, names=names)
    with explained_disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    empty_folder(folder, last=what)


def is_empty(folder: Path) -> bool:
    """Whether a folder holds nothing but its lock and temporary files that killed processes left."""
    return all(entry.name == LOCK or is_temporary(entry) for entry in folder.iterdir())


def empty_folder(folder: Path, last: str = "") -> None:
    """Remove everything in a folder but its lock, and the file `last` after all others, so that it can be repeated.

    The folder itself stays: it may be a link to another disk.
    """
    with explained_disk_errors(folder):
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name == last):
            if entry.name != LOCK:
                remove(entry)


def resource(name: str) -> Path:
    """A file or folder that is distributed with emokit: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).parent
    installed = package / name
    return installed if installed.exists() else package.parent / name
