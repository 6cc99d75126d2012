"""Storages of Optuna: a journal file for one machine, PostgreSQL or MySQL by URL for several.

Workers wait for a database that is unreachable. A line of the journal that a kill or a full disk truncated is removed before the
next line is written.
"""

import functools
import logging
import re
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from optuna.storages import BaseStorage, JournalStorage, RDBStorage, get_storage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from emokit.errors import UsageError
from emokit.files import explained_disk_errors
from emokit.read_files import in_words
from emokit.safe_text import mask_secrets
from emokit.sweep.journal import UnchangedJournal, check_journal, damaged

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

JOURNAL = "journal.log"
DRIVERS = {"postgresql": "psycopg", "mysql": "pymysql"}
EXAMPLE = "postgresql://USER:PASSWORD@HOST/DATABASE"
CONNECT_SECONDS = 10
MAX_PAUSE_SECONDS = 10.0

log = logging.getLogger(__name__)


def open_storage(url: str | None, run: Path, *, waits: bool = False, shows: bool = False) -> BaseStorage:
    """Open a sweep's storage.

    Args:
        url: of a database; None for the journal file in the run folder.
        run: the sweep's folder.
        waits: wait for an unreachable database, as workers do, instead of raising.
        shows: the sweep is only shown; the journal file is not changed.

    Raises:
        UsageError: the URL is wrong, no server answers, or the driver is not installed.
        DataError: the journal is damaged.
        WorkError: the folder cannot be written.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    if url is None:
        return _journal(run / JOURNAL, shows=shows)
    return _with_waiting_methods(get_storage(_waiting(_database)(url) if waits else _database(url)))


def parse_url(url: str) -> sqlalchemy.URL:
    """Parse a storage's URL; its driver is filled in.

    Raises:
        UsageError: it is no URL, or of a database that several workers cannot share.
    """
    try:
        parsed = sqlalchemy.make_url(url)
    except (sqlalchemy.exc.ArgumentError, ValueError) as error:
        raise UsageError(
            f"--storage {mask_secrets(url)} is no URL of a database; write {EXAMPLE}, or leave it out for a journal file."
        ) from error
    # The first @ ends the password, and an error of the driver would quote the rest of it as the host.
    if "@" in f"{parsed.host}{parsed.database}":
        raise UsageError(
            f"--storage {mask_secrets(url)} has more than one @; write an @ in a name or a password as %40, and a / as %2F."
        )
    name, _, driver = parsed.drivername.partition("+")
    name = {"postgres": "postgresql", "mariadb": "mysql"}.get(name, name)
    if name not in DRIVERS:
        raise UsageError(
            f"--storage names {name}, which several workers cannot share; "
            f"write {EXAMPLE} or mysql://…, or leave it out for a journal file."
        )
    return parsed.set(drivername=f"{name}+{driver or DRIVERS[name]}")


def public_url(url: str) -> str:
    """The URL without its password."""
    return mask_secrets(parse_url(url).render_as_string(hide_password=True))


def _journal(path: Path, *, shows: bool) -> BaseStorage:
    check_journal(path)
    lock = FileLock(path) if fcntl else JournalFileOpenLock(str(path))
    try:
        with explained_disk_errors(path):
            return JournalStorage(UnchangedJournal(path) if shows else Journal(str(path), lock_obj=lock))
    except (ValueError, KeyError, AssertionError, TypeError, AttributeError, IndexError) as error:  # of Optuna's replay
        raise damaged(path, in_words(error)) from error


def _database(url: str) -> RDBStorage:
    parsed = parse_url(url)
    name = parsed.get_backend_name()
    engine = {"pool_pre_ping": True, "connect_args": {"connect_timeout": CONNECT_SECONDS}}
    try:
        return RDBStorage(parsed.render_as_string(hide_password=False), engine_kwargs=engine)
    except (ImportError, sqlalchemy.exc.NoSuchModuleError) as error:
        driver = parsed.get_driver_name()
        if driver != DRIVERS[name]:
            raise UsageError(
                f"--storage names the driver {driver}, which is not installed; install it, or write {name}://…"
            ) from error
        raise UsageError(
            f"--storage names {name}, whose driver {driver} is not installed; "
            f"install it with `pip install '.[{name}]'` in a clone of emokit."
        ) from error
    except (sqlalchemy.exc.DBAPIError, optuna.exceptions.StorageInternalError) as error:
        cause = error.__cause__ if isinstance(error, optuna.exceptions.StorageInternalError) else error
        if _is_creation_race(cause):
            time.sleep(1)
            return RDBStorage(parsed.render_as_string(hide_password=False), engine_kwargs=engine)
        reason = re.sub(
            r"\[Errno -?\d+\] ", "", mask_secrets(str(getattr(cause, "orig", cause)).strip().splitlines()[0])
        )
        raise Unreachable(
            f"--storage {public_url(url)} cannot be reached ({reason}); start the server, or correct the URL."
        ) from error


class Unreachable(UsageError):
    """No database answers at the URL."""


def _is_creation_race(error: BaseException | None) -> bool:
    """Whether another machine creates the tables at the same moment."""
    return isinstance(error, sqlalchemy.exc.IntegrityError | sqlalchemy.exc.ProgrammingError)


def _with_waiting_methods(storage: BaseStorage) -> BaseStorage:
    """Make every method of the storage wait while the database is unreachable."""
    for name in dir(BaseStorage):
        if not name.startswith("_") and callable(getattr(storage, name)):
            setattr(storage, name, _waiting(getattr(storage, name)))
    return storage


def _waiting(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(*arguments: Any, **keywords: Any) -> Any:
        pause_seconds = 0.2
        while True:
            try:
                return method(*arguments, **keywords)
            except (optuna.exceptions.StorageInternalError, sqlalchemy.exc.DBAPIError, Unreachable) as error:
                if not _is_disconnected(error):
                    raise
                log.warning("The storage cannot be reached (%s); waiting for it.", _reason(error))
                time.sleep(pause_seconds)
                pause_seconds = min(2 * pause_seconds, MAX_PAUSE_SECONDS)

    return call


def _reason(error: BaseException) -> str:
    cause = error.__cause__ or error
    return mask_secrets(str(getattr(cause, "orig", cause)).strip().partition("\n")[0])


def _is_disconnected(error: BaseException) -> bool:
    cause = error.__cause__ if isinstance(error, optuna.exceptions.StorageInternalError) else error
    disconnects = (
        sqlalchemy.exc.OperationalError,
        sqlalchemy.exc.InterfaceError,
        sqlalchemy.exc.PendingRollbackError,
        Unreachable,
    )
    return isinstance(cause, disconnects) or bool(getattr(cause, "connection_invalidated", False))


class Journal(JournalFileBackend):
    """The journal file of Optuna; a full disk raises a WorkError."""

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append complete lines."""
        with explained_disk_errors(Path(self._file_path)):
            super().append_logs(logs)


class FileLock(JournalFileOpenLock):
    """A lock that the kernel releases when its holder dies; acquiring it removes a line that the holder left truncated."""

    def __init__(self, journal: Path) -> None:
        super().__init__(str(journal))
        self._journal = journal
        self._file: Any = None

    def acquire(self) -> bool:
        """Wait for the lock."""
        self._file = self._journal.with_name(f"{self._journal.name}.lock").open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._remove_truncated_line()
        return True

    def release(self) -> None:
        """Release the lock."""
        self._file.close()

    def _remove_truncated_line(self) -> None:
        with self._journal.open("r+b") as journal:
            size = journal.seek(0, 2)
            if not size:
                return
            journal.seek(size - 1)
            if journal.read(1) != b"\n":
                journal.seek(0)
                journal.truncate(journal.read().rfind(b"\n") + 1)
