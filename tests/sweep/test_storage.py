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
from emokit.sweep.storage import JOURNAL, FileLock, checked, open_storage, shown

Make = Callable[..., SweepSettings]
Begin = Callable[..., Plan]


class Postgres:
    """A server of this test's own, in a temporary folder."""

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
        """As a crash would."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._user, str(self._programs / program), "-D", str(self._folder / "data"), *arguments]
        subprocess.run(command, check=True, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL; tests on it skip, in words, where its programs are not installed."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = programs[-1] if programs else shutil.which("initdb")
    if not found:
        pytest.skip("PostgreSQL's initdb is not installed (Debian: apt-get install postgresql)")
    is_root = os.geteuid() == 0
    if is_root and not shutil.which("runuser"):
        pytest.skip("PostgreSQL does not run as root, and there is no runuser to be somebody else with")
    folder = Path(tempfile.mkdtemp(prefix="emokit-postgres-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        server = Postgres(Path(found).parent, folder, port, ["runuser", "-u", "postgres", "--"] if is_root else [])
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
    return [slot.key for slot in plan.search.slots]


def test_two_workers_on_postgresql_do_each_point_once(
    postgres: Postgres, crew: Any, begun: Begin, made_up: Make
) -> None:
    plan = begun(made_up(name="shared", space=FEW), postgres.url)
    for _ in range(2):
        crew.start(plan, postgres.url)
    crew.wait()
    assert complete(plan) == keys(plan)
    assert {trial.state for trial in plan.search.study.trials} == {TrialState.COMPLETE}
    assert len(plan.search.study.trials) == 8


def test_when_the_database_goes_away_and_comes_back_the_workers_wait_and_go_on(
    postgres: Postgres, crew: Any, begun: Begin, made_up: Make
) -> None:
    plan = begun(made_up(name="away", space=FEW), postgres.url)
    hands = [crew.start(plan, postgres.url, pause=0.3) for _ in range(2)]  # not over before the database is away
    while not len(complete(plan)) >= 2:
        time.sleep(0.05)
    postgres.stop()
    time.sleep(1.5)
    assert all(hand.is_alive() for hand in hands)
    postgres.start()
    crew.wait()
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
    ],
)
def test_a_storage_that_is_none_is_refused(url: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        checked(url)
    assert str(error.value) == words


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        open_storage("postgresql://ann:secret@127.0.0.1:1/sweeps", tmp_path)
    before, _, after = str(error.value).partition("(")
    assert before == "--storage postgresql+psycopg://ann:***@127.0.0.1:1/sweeps cannot be reached "
    assert after.endswith("); start the server, or mend the URL.")
    assert "refused" in after
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "driver", "words"),
    [
        (
            "postgresql://host/sweeps",
            "psycopg",
            "--storage names postgresql, whose driver psycopg is not installed; "
            "install it with: pip install 'emokit[postgresql]'",
        ),
        (
            "mariadb://host/sweeps",
            "pymysql",
            "--storage names mysql, whose driver pymysql is not installed; install it with: pip install 'emokit[mysql]'",
        ),
        (
            "mysql+oddsql://host/sweeps",
            "nothing",
            "--storage asks for the driver oddsql, which is not installed; install it, or write mysql://…",
        ),
    ],
)
def test_a_driver_that_is_lacking_is_named_with_what_to_install(
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
        ("mysql://ann:se@cret@host/sweeps", "mysql+pymysql://ann:***@host/sweeps"),
        ("mysql://host/sweeps?password=secret&user=ann", "mysql+pymysql://host/sweeps?password=***&user=ann"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, expected: str) -> None:
    assert shown(url) == expected


def test_a_url_that_is_none_is_named_without_its_password() -> None:
    with pytest.raises(UsageError) as error:
        checked("postgresql://ann:secret@host:port/sweeps")
    assert str(error.value) == (
        "--storage postgresql://ann:***@host:port/sweeps is no URL of a database; "
        "write postgresql://USER:PASSWORD@HOST/DATABASE, or leave it out for a journal file."
    )


def test_a_line_of_the_journal_that_was_cut_short_is_mended_before_the_next_one(tmp_path: Path) -> None:
    study = optuna.create_study(storage=open_storage(None, tmp_path), study_name="sweep")
    study.enqueue_trial({})
    journal = tmp_path / JOURNAL
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code":4,"wor')
    again = optuna.load_study(storage=open_storage(None, tmp_path), study_name="sweep")
    again.enqueue_trial({})
    assert journal.read_bytes().startswith(whole + b'{"op_code":4,"worker_id":')
    assert len(optuna.load_study(storage=open_storage(None, tmp_path), study_name="sweep").trials) == 2


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_text("no journal\nat all\n")
    with pytest.raises(DataError) as error:
        open_storage(None, tmp_path)
    assert str(error.value).startswith(f"{tmp_path / JOURNAL} is damaged (")
    assert str(error.value).endswith("); sweep into another folder with --run.")


def test_a_full_disk_is_a_sentence_and_costs_the_journal_nothing(
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


def test_a_lock_is_free_again_when_its_holder_dies(tmp_path: Path) -> None:
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
