"""Locks of folders: one process at a time writes into a run, a prepared folder, a report or an export.

The kernel releases the lock of a killed process. The file `.lock` in the folder names its holder, and is removed with the lock.
"""

import contextlib
import errno
import functools
import logging
import os
import platform
import re
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from filelock import FileLock, Timeout

from emokit.errors import DataError, WorkError
from emokit.files import check_new_folder, empty_folder, explained_disk_errors, new_folder, write_text
from emokit.temporary import LOCK, remove_temporary

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

# A holder that ends at this moment is waited for.
WAIT_SECONDS = 0.3
# Longer for folds and trials: the workers of a killed command end a few seconds after it.
ORPHAN_SECONDS = 30.0
_wait_seconds = ContextVar("wait_seconds", default=WAIT_SECONDS)
# The locks that this process holds, by folder.
_held: dict[Path, FileLock] = {}


class Held(WorkError):
    """Another process writes into the folder."""


def hold(folder: Path) -> None:
    """Make the folder, if it is missing, and hold its lock until `release`; what killed processes left in it is removed.

    A process that holds the lock already keeps it.

    Raises:
        Held: another process holds it; the sentence names the process.
        WorkError: the folder cannot be written, or is on a disk that cannot lock files.
    """
    with explained_disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        key = folder.resolve()
        if key not in _held:
            _held[key] = _acquired(folder)
        remove_temporary(folder, locked=True)


def release(folder: Path) -> None:
    """Release the folder's lock, if this process holds it."""
    lock = _held.pop(folder.resolve(), None)
    if lock is not None:
        _let_go(lock)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock; a lock that this process holds already is kept.

    Raises:
        Held, WorkError: as `hold` raises them.
    """
    was_held = folder.resolve() in _held
    hold(folder)
    try:
        yield
    finally:
        if not was_held:
            release(folder)


@contextlib.contextmanager
def awaited(folder: Path) -> Iterator[None]:
    """Hold a folder's lock for work that every process needs: another holder, also a thread of this process, is waited for.

    Who holds it is logged, once.

    Raises:
        WorkError: as `hold` raises it.
    """
    with explained_disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = _acquired_in_the_end(folder)
        remove_temporary(folder, locked=True)
    try:
        yield
    finally:
        _let_go(lock)


@contextlib.contextmanager
def released_on_error(folder: Path) -> Iterator[None]:
    """Release a folder's lock when the block raises: this process may go on, and another one resume the work."""
    try:
        yield
    except BaseException:
        release(folder)
        raise


def releasing(work: Callable[Concatenate[Path, P], T]) -> Callable[Concatenate[Path, P], T]:
    """Make a function release the lock of its first argument, a folder, when it ends."""

    @functools.wraps(work)
    def call(folder: Path, /, *arguments: P.args, **keywords: P.kwargs) -> T:
        try:
            return work(folder, *arguments, **keywords)
        finally:
            release(folder)

    return call


@contextlib.contextmanager
def patience(seconds: float = ORPHAN_SECONDS) -> Iterator[None]:
    """Let `hold` wait longer for another process."""
    token = _wait_seconds.set(seconds)
    try:
        yield
    finally:
        _wait_seconds.reset(token)


@contextlib.contextmanager
def new_result(
    folder: Path, *, force: bool, what: str, unfinished: str, names: Iterable[str] = ("*",)
) -> Iterator[None]:
    """Make a new, locked folder whose block writes a result; a block that raises leaves no folder, or the
    empty one that was there.

    Args:
        folder, force, what, names: as `files.new_folder` takes them.
        unfinished: the content of the file `what` until the block has replaced it, so that a folder whose process was killed
            can be replaced with --force.

    Raises:
        UsageError, WorkError: as `files.new_folder` and `hold` raise them.
    """
    check_new_folder(
        folder, force=force, what=what, names=names
    )  # before the lock, which would write into a folder of somebody else's
    is_new = not os.path.lexists(folder)
    try:
        with locked(folder):
            new_folder(folder, force=force, what=what, names=names)
            write_text(folder / what, unfinished)
            try:
                yield
            except BaseException:
                empty_folder(folder, last=what)
                raise
    except BaseException:
        if is_new:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _let_go(lock: FileLock) -> None:
    with contextlib.suppress(OSError):
        Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()


def _acquired_in_the_end(folder: Path) -> FileLock:
    with patience(1.0):
        try:
            return _acquired(folder)
        except Held:
            log.warning("%s is in use by %s; waiting until that ends.", folder, _holder(folder))
        while True:
            with contextlib.suppress(Held):
                return _acquired(folder)


def _acquired(folder: Path) -> FileLock:
    if (folder / LOCK).is_symlink():
        raise DataError(f"{folder / LOCK} is a link, which emokit did not make; delete it and run the command again.")
    # Not bound to a thread: a notebook may train in one thread and end in another.
    lock = FileLock(folder / LOCK, mode=0o666, thread_local=False)
    try:
        lock.acquire(timeout=_wait_seconds.get())
    except Timeout as error:
        raise Held(f"{folder} is in use by {_holder(folder)}; wait until that ends, or name another folder.") from error
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP):
            raise
        raise WorkError(
            f"{folder} is on a disk that cannot lock files ({error.strerror}), so two commands could write into it at once; "
            "name a folder on another disk."
        ) from error
    with contextlib.suppress(OSError):
        (folder / LOCK).write_text(f"process {os.getpid()} on {platform.node()}", encoding="utf-8")
    return lock


def _holder(folder: Path) -> str:
    try:
        holder = (folder / LOCK).read_text(encoding="utf-8", errors="replace")
    except OSError:
        holder = ""
    return holder if re.fullmatch(r"process \d+ on [\w.-]+", holder) else "another process"
