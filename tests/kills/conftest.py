"""A process that kills itself before the N-th of its file operations, and what a folder then holds."""

import json
import os
import re
import select
import shutil
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.ipc
import pytest
from typer.testing import CliRunner

from emokit import runs
from emokit.cli.app import app

OPERATIONS = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.link", "os.symlink"}
POLL_SECONDS = 0.005
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
# What differs between two runs: times, the command, and the revision of a checkout that somebody works in.
TIMES = {"seconds", "started", "command", "git_revision"}
NOT_COMPARED = {"tensorboard", "workers", "journal.log", "state.json"}


class Killing:
    """Counts this process's file operations below a folder, and kills the process before one of them.

    Args:
        folder: the folder.
        stop: the number of the operation, from 0; -1 for none.
        mark: of several processes that have this hook, only the one that makes this file is killed.
    """

    def __init__(self, folder: Path, stop: int, mark: Path | None = None) -> None:
        self.folder, self.stop, self.mark, self.count = str(folder), stop, mark, 0

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            if not (set(mode or "") & set("wax+") or (isinstance(flags, int) and flags & WRITING)):
                return
        elif event in OPERATIONS:
            path = arguments[0]
        else:
            return
        # rmtree gives names relative to an open folder
        is_relative = event in ("os.remove", "os.rmdir") and arguments[-1] != -1
        if not is_relative and not (isinstance(path, str | os.PathLike) and os.fspath(path).startswith(self.folder)):
            return
        if self.count == self.stop and self._is_chosen():
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1

    def _is_chosen(self) -> bool:
        if self.mark is None:
            return True
        try:
            self.mark.touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """The threads of libraries do not survive a fork."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
    torch.set_num_threads(before)


def emokit(*arguments: object, accepted: Iterable[int] = (0,)) -> None:
    """Give a command."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exit_code not in accepted:
        raise RuntimeError(f"emokit {' '.join(map(str, arguments))}: {result.exit_code}: {result.output}")


def resumed(*arguments: object, run: Path) -> None:
    """Resume a run; one that was complete when it was killed may be refused as complete."""
    emokit(*arguments, "--resume", accepted=(0, 2) if runs.is_complete(run) else (0,))


def remove(path: Path) -> None:
    """Remove a file or a folder, if it exists."""
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def in_a_child(
    work: Callable[[], None], folder: Path, stop: int = -1, until: Callable[[], bool] | None = None
) -> int | None:
    """Do the work in a forked process; returns its number of file operations below `folder`, or None if it was killed.

    Args:
        work: the work.
        folder: whose operations count.
        stop: the operation before which the process kills itself; -1 for none.
        until: the process is killed at the moment when this becomes true.
    """
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of forks in processes with threads
        child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            killing = Killing(folder, stop)
            sys.addaudithook(killing)
            work()
            os.write(writing, str(killing.count).encode())
            status = 0
        except BaseException:
            os.write(writing, traceback.format_exc().encode())
        finally:
            os._exit(status)
    os.close(writing)
    if until:
        while not select.select([reading], [], [], POLL_SECONDS)[0]:
            if until():
                os.kill(child, signal.SIGKILL)  # it is not waited for yet, so its number is still its own
                break
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return None
    if status:
        pytest.fail(f"operation {stop}: {answer}")
    return int(answer)


def contents(folder: Path) -> dict[str, Any]:
    """Path -> content of every file below a folder, without times."""
    return {
        path.relative_to(folder).as_posix(): _content(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not NOT_COMPARED & set(path.relative_to(folder).parts)
    }


def _content(path: Path) -> Any:
    if path.suffix == ".jsonl":
        return [_timeless(json.loads(line)) for line in path.read_text().splitlines()]
    if path.suffix == ".json":
        return _timeless(json.loads(path.read_text()))
    if path.suffix == ".html":
        return re.sub(r"started [\d:T+-]+|revision \w+\+?", "", path.read_text())
    if path.suffix == ".arrow" and path.name.startswith("part-"):  # of features
        # changed_ns: of files that the demo wrote
        return path.stat().st_size, pyarrow.ipc.open_file(path).read_all().drop_columns(["changed_ns"])
    if path.name == "trials.csv":
        rows = [line.split(",") for line in path.read_text().splitlines()]
        timed = [number for number, name in enumerate(rows[0]) if name in (*TIMES, "attempt")]
        return [[value for number, value in enumerate(row) if number not in timed] for row in rows]
    return path.read_bytes()


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(inner) for name, inner in value.items() if name not in (*TIMES, "attempt")}
    return [_timeless(inner) for inner in value] if isinstance(value, list) else value


def leftovers(folder: Path) -> list[str]:
    """Temporary files and locks below a folder."""
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.name.startswith(".")]
    return [name for name in names if not name.endswith(("journal.log.lock", ".emokit-demo"))]
