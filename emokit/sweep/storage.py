"""Where Optuna keeps a sweep: a journal file for one machine, PostgreSQL or MySQL by URL for many.

A database that goes away is waited for. A journal that a kill or a full disk cut short is mended before the next line.
"""

import functools
import logging
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from optuna.storages import BaseStorage, JournalStorage, RDBStorage, get_storage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from emokit.errors import DataError, UsageError
from emokit.files import explained_disk_errors
from emokit.runs import without_password

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

JOURNAL = "journal.log"
DRIVERS = {"postgresql": "psycopg", "mysql": "pymysql"}
EXAMPLE = "postgresql://USER:PASSWORD@HOST/DATABASE"
CONNECT_SECONDS = 10
LONGEST_PAUSE_SECONDS = 10.0

log = logging.getLogger(__name__)


def open_storage(url: str | None, run: Path, *, waits: bool = False) -> BaseStorage:
    """Open a sweep's storage.

    Args:
        url: of a database; None for the journal file in the run folder.
        run: the sweep's folder.
        waits: wait for a database that is away, as a worker does; else say so.

    Raises:
        UsageError: the URL is wrong, nothing answers there, or its driver is not installed.
        DataError: the journal is damaged.
        WorkError: the folder cannot be written.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    if url is None:
        return _journal(run / JOURNAL)
    return _patient(get_storage(_waiting(_database)(url) if waits else _database(url)))


def checked(url: str) -> sqlalchemy.URL:
    """A storage's URL with a driver that emokit knows.

    Raises:
        UsageError: it is no URL, or one of a database that cannot be shared.
    """
    try:
        parsed = sqlalchemy.make_url(url)
    except (sqlalchemy.exc.ArgumentError, ValueError) as error:
        raise UsageError(
            f"--storage {without_password(url)} is no URL of a database; write {EXAMPLE}, or leave it out for a journal file."
        ) from error
    name, _, driver = parsed.drivername.partition("+")
    name = {"postgres": "postgresql", "mariadb": "mysql"}.get(name, name)
    if name not in DRIVERS:
        raise UsageError(
            f"--storage names {name}, which several workers cannot share; "
            f"write {EXAMPLE} or mysql://…, or leave it out for a journal file."
        )
    return parsed.set(drivername=f"{name}+{driver or DRIVERS[name]}")


def shown(url: str) -> str:
    """The URL without its password."""
    return without_password(checked(url).render_as_string(hide_password=True))


def _journal(path: Path) -> BaseStorage:
    lock = FileLock(path) if fcntl else JournalFileOpenLock(str(path))
    try:
        with explained_disk_errors(path):
            return JournalStorage(Journal(str(path), lock_obj=lock))
    except (ValueError, KeyError, AssertionError) as error:  # json's errors are ValueErrors; the others are Optuna's
        raise DataError(f"{path} is damaged ({error}); sweep into another folder with --run.") from error


def _database(url: str) -> RDBStorage:
    parsed = checked(url)
    name = parsed.get_backend_name()
    engine = {"pool_pre_ping": True, "connect_args": {"connect_timeout": CONNECT_SECONDS}}
    try:
        return RDBStorage(parsed.render_as_string(hide_password=False), engine_kwargs=engine)
    except (ImportError, sqlalchemy.exc.NoSuchModuleError) as error:
        driver = parsed.get_driver_name()
        if driver != DRIVERS[name]:
            raise UsageError(
                f"--storage asks for the driver {driver}, which is not installed; install it, or write {name}://…"
            ) from error
        raise UsageError(
            f"--storage names {name}, whose driver {driver} is not installed; install it with: pip install 'emokit[{name}]'"
        ) from error
    except (sqlalchemy.exc.DBAPIError, optuna.exceptions.StorageInternalError) as error:
        cause = error.__cause__ if isinstance(error, optuna.exceptions.StorageInternalError) else error
        if _race(cause):  # another machine makes the tables at this very moment
            time.sleep(1)
            return RDBStorage(parsed.render_as_string(hide_password=False), engine_kwargs=engine)
        reason = str(getattr(cause, "orig", cause)).strip().splitlines()[0]
        raise Unreachable(
            f"--storage {shown(url)} cannot be reached ({reason}); start the server, or mend the URL."
        ) from error


class Unreachable(UsageError):
    """No database answers at the URL."""


def _race(error: BaseException | None) -> bool:
    return isinstance(error, sqlalchemy.exc.IntegrityError | sqlalchemy.exc.ProgrammingError)


def _patient(storage: BaseStorage) -> BaseStorage:
    """The storage, each of whose methods waits while the database is away."""
    for name in dir(BaseStorage):
        if not name.startswith("_") and callable(getattr(storage, name)):
            setattr(storage, name, _waiting(getattr(storage, name)))
    return storage


def _waiting(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(*arguments: Any, **named: Any) -> Any:
        pause = 0.2
        while True:
            try:
                return method(*arguments, **named)
            except (optuna.exceptions.StorageInternalError, sqlalchemy.exc.DBAPIError, Unreachable) as error:
                if not _is_away(error):
                    raise
                log.warning("The storage is away (%s); waiting for it.", _reason(error))
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    return call


def _reason(error: BaseException) -> str:
    cause = error.__cause__ or error
    return str(getattr(cause, "orig", cause)).strip().partition("\n")[0]


def _is_away(error: BaseException) -> bool:
    cause = error.__cause__ if isinstance(error, optuna.exceptions.StorageInternalError) else error
    away = (
        sqlalchemy.exc.OperationalError,
        sqlalchemy.exc.InterfaceError,
        sqlalchemy.exc.PendingRollbackError,
        Unreachable,
    )
    return isinstance(cause, away) or bool(getattr(cause, "connection_invalidated", False))


class Journal(JournalFileBackend):
    """Optuna's journal file, whose full disk is a sentence."""

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Write lines, each whole."""
        with explained_disk_errors(Path(self._file_path)):
            super().append_logs(logs)


class FileLock(JournalFileOpenLock):
    """A lock that the kernel takes back when its holder dies, and that mends a line its holder was writing."""

    def __init__(self, journal: Path) -> None:
        super().__init__(str(journal))
        self._journal = journal
        self._file: Any = None

    def acquire(self) -> bool:
        """Wait for the lock."""
        self._file = self._journal.with_name(f"{self._journal.name}.lock").open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._mend()
        return True

    def release(self) -> None:
        """Give the lock back."""
        self._file.close()

    def _mend(self) -> None:
        with self._journal.open("r+b") as journal:
            size = journal.seek(0, 2)
            if not size:
                return
            journal.seek(size - 1)
            if journal.read(1) != b"\n":
                journal.seek(0)
                journal.truncate(journal.read().rfind(b"\n") + 1)
