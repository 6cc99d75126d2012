"""A process that kills itself before the N-th of its file operations, and what a folder then holds."""

import json
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

OPERATIONS = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.link", "os.symlink"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
# What differs between two runs: times, the command, and the revision of a checkout that somebody works in.
TIMES = {"seconds", "started", "command", "git_revision"}
NOT_COMPARED = {"tensorboard", "workers", "journal.log", "state.json"}


class Killing:
    """Counts this process's file operations below a folder, and kills the process before one of them."""

    def __init__(self, folder: Path, stop: int) -> None:
        self.folder, self.stop, self.count = str(folder), stop, 0

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
        if self.count == self.stop:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1


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


def in_a_child(work: Callable[[], None], folder: Path, stop: int = -1) -> int | None:
    """Do the work in a forked process; returns its number of file operations below `folder`, or None if it was killed."""
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
