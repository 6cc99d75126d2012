import builtins
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from emokit.errors import DataError, UsageError, WorkError
from emokit.sweep.plan import Plan
from emokit.sweep.settings import SweepSettings
from emokit.sweep.storage import JOURNAL, FileLock, open_storage, parse_url, public_url

Make = Callable[..., SweepSettings]
Open = Callable[..., Plan]


class Postgres:
    """A server in a temporary folder."""

    def __init__(self, programs: Path, folder: Path, port: int, user: list[str]) -> None:
        self.url = f"postgresql://emokit:secret@127.0.0.1:{port}/postgres"
        self._programs, self._folder, self._user = programs, folder, user
        password = folder / "password"
        password.write_text("secret")
        folder.chmod(0o755)
        if user:
            shutil.chown(folder, "postgres")
        self._run("initdb", "-U", "emokit", "-A", "scram-sha-256", f"--pwfile={password}", "--no-sync")
        self._options = f"-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off -c unix_socket_directories="

    def start(self) -> None:
        self._run("pg_ctl", "-w", "-o", self._options, "-l", str(self._folder / "data" / "log"), "start")

    def stop(self) -> None:
        """Stop it as a crash would."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._user, str(self._programs / program), "-D", str(self._folder / "data"), *arguments]
        subprocess.run(command, check=True, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL; tests skip with the reason if its programs are not installed."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = programs[-1] if programs else shutil.which("initdb")
    if not initdb:
        pytest.skip("PostgreSQL's initdb is not installed (Debian: apt-get install postgresql)")
    is_root = os.geteuid() == 0
    if is_root and not shutil.which("runuser"):
        pytest.skip("PostgreSQL does not run as root, and runuser is not installed")
    folder = Path(tempfile.mkdtemp(prefix="emokit-postgres-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        server = Postgres(Path(initdb).parent, folder, port, ["runuser", "-u", "postgres", "--"] if is_root else [])
        server.start()
    except (OSError, LookupError, subprocess.CalledProcessError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"PostgreSQL cannot be started here ({error})")
    yield server
    with contextlib.suppress(subprocess.CalledProcessError):
        server.stop()
    shutil.rmtree(folder, ignore_errors=True)


FEW = {"training.lr": {"grid": [0.02, 0.05, 0.1, 0.2]}, "training.weight_decay": {"grid": [0.1, 0.3]}}


def complete(plan: Plan) -> list[str]:
    trials = plan.search.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return sorted(trial.user_attrs["point"] for trial in trials)


def keys(plan: Plan) -> list[str]:
    return [point.key for point in plan.search.points]


def test_two_workers_on_postgresql_train_each_point_once(
    postgres: Postgres, workers: Any, open_plan: Open, make_sweep: Make
) -> None:
    plan = open_plan(make_sweep(name="shared", space=FEW), postgres.url)
    for _ in range(2):
        workers.start(plan, postgres.url)
    workers.wait()
    assert complete(plan) == keys(plan)
    assert {trial.state for trial in plan.search.study.trials} == {TrialState.COMPLETE}
    assert len(plan.search.study.trials) == 8


def test_workers_wait_for_a_database_that_stops_and_starts_again(
    postgres: Postgres, workers: Any, open_plan: Open, make_sweep: Make
) -> None:
    plan = open_plan(make_sweep(name="away", space=FEW), postgres.url)
    started = [
        workers.start(plan, postgres.url, pause=0.3) for _ in range(2)
    ]  # slow, so that points are left when the database stops
    while not len(complete(plan)) >= 2:
        time.sleep(0.05)
    postgres.stop()
    time.sleep(1.5)
    assert all(process.is_alive() for process in started)
    postgres.start()
    workers.wait()
    assert complete(plan) == keys(plan)
    assert {trial.state for trial in plan.search.study.trials} <= {TrialState.COMPLETE, TrialState.FAIL}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            "runs/sweep.db",
            "--storage runs/sweep.db is no URL of a database; "
            "write postgresql://USER:PASSWORD@HOST/DATABASE, or leave it out for a journal file.",
        ),
        (
            "sqlite:///sweep.db",
            "--storage names sqlite, which several workers cannot share; "
            "write postgresql://USER:PASSWORD@HOST/DATABASE or mysql://…, or leave it out for a journal file.",
        ),
        (
            "postgresql://ann:se@cret@host/sweeps",
            "--storage postgresql://ann:***@host/sweeps has more than one @; "
            "write an @ in a name or a password as %40, and a / as %2F.",
        ),
        (
            "mysql://ann:secret@host/a@b",
            "--storage mysql://ann:***@b has more than one @; write an @ in a name or a password as %40, and a / as %2F.",
        ),
    ],
)
def test_a_url_of_no_shared_database_is_refused(url: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_url(url)
    assert str(error.value) == words


def test_an_unreachable_server_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        open_storage("postgresql://ann:secret@127.0.0.1:1/sweeps", tmp_path)
    before, _, after = str(error.value).partition("(")
    assert before == "--storage postgresql+psycopg://ann:***@127.0.0.1:1/sweeps cannot be reached "
    assert after.endswith("); start the server, or correct the URL.")
    assert "refused" in after
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "driver", "words"),
    [
        (
            "postgresql://host/sweeps",
            "psycopg",
            "--storage names postgresql, whose driver psycopg is not installed; "
            "install it with `pip install '.[postgresql]'` in a clone of emokit.",
        ),
        (
            "mariadb://host/sweeps",
            "pymysql",
            "--storage names mysql, whose driver pymysql is not installed; "
            "install it with `pip install '.[mysql]'` in a clone of emokit.",
        ),
        (
            "mysql+oddsql://host/sweeps",
            "nothing",
            "--storage names the driver oddsql, which is not installed; install it, or write mysql://…",
        ),
    ],
)
def test_a_missing_driver_is_named_with_the_command_that_installs_it(
    url: str, driver: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any) -> Any:
        if name.partition(".")[0] == driver:
            raise ModuleNotFoundError(f"No module named {name!r}")
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError) as error:
        open_storage(url, tmp_path)
    assert str(error.value) == words


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mysql://ann:secret@host/sweeps", "mysql+pymysql://ann:***@host/sweeps"),
        ("mysql://ann:se%40cret@host/sweeps", "mysql+pymysql://ann:***@host/sweeps"),
        ("mysql://host/sweeps?password=secret&user=ann", "mysql+pymysql://host/sweeps?password=***&user=ann"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, expected: str) -> None:
    assert public_url(url) == expected


def test_an_invalid_url_is_named_without_its_password() -> None:
    with pytest.raises(UsageError) as error:
        parse_url("postgresql://ann:secret@host:port/sweeps")
    assert str(error.value) == (
        "--storage postgresql://ann:***@host:port/sweeps is no URL of a database; "
        "write postgresql://USER:PASSWORD@HOST/DATABASE, or leave it out for a journal file."
    )


def test_a_truncated_line_of_the_journal_is_removed_before_the_next_one_is_written(tmp_path: Path) -> None:
    study = optuna.create_study(storage=open_storage(None, tmp_path), study_name="sweep")
    study.enqueue_trial({})
    journal = tmp_path / JOURNAL
    complete_lines = journal.read_bytes()
    journal.write_bytes(complete_lines + b'{"op_code":4,"wor')
    reopened = optuna.load_study(storage=open_storage(None, tmp_path), study_name="sweep")
    reopened.enqueue_trial({})
    assert journal.read_bytes().startswith(complete_lines + b'{"op_code":4,"worker_id":')
    assert len(optuna.load_study(storage=open_storage(None, tmp_path), study_name="sweep").trials) == 2


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_text("no journal\nat all\n")
    with pytest.raises(DataError) as error:
        open_storage(None, tmp_path)
    assert str(error.value).startswith(f"{tmp_path / JOURNAL} is damaged (")
    assert str(error.value).endswith("); sweep into another folder with --run.")


def test_a_full_disk_raises_a_work_error_and_does_not_damage_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = optuna.create_study(storage=open_storage(None, tmp_path), study_name="sweep")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as during:
        during.setattr(os, "fsync", full)
        with pytest.raises(WorkError, match=rf"^The disk that holds {tmp_path / JOURNAL} is full; free some space"):
            study.enqueue_trial({})
    study.enqueue_trial({})
    assert open_storage(None, tmp_path).get_all_studies()


def test_a_lock_is_released_when_its_holder_dies(tmp_path: Path) -> None:
    journal = tmp_path / JOURNAL
    journal.write_bytes(b"")
    child = os.fork()
    if child == 0:
        FileLock(journal).acquire()
        os._exit(0)
    os.waitpid(child, 0)
    lock = FileLock(journal)
    assert lock.acquire()
    lock.release()
