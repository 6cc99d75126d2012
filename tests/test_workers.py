"""Worker processes: their environment and log, and that they end with the command, even a killed one."""

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emokit import workers
from emokit.errors import DataError, EmokitError, UsageError, WorkError
from tests.conftest import is_running

COMMAND = """
import os
import sys
import time
from pathlib import Path

from emokit.data.audio_io import decode
from emokit.workers import WorkerProcess


class Work:
    def __init__(self, folder):
        self.folder = folder

    def __call__(self, task):
        print("started", flush=True)
        with decode._processes(1, sum) as pool:  # sum is any function; the test needs the process that decodes audio
            decoder = next(iter(pool._processes))
            seen = (os.environ.get("OMP_NUM_THREADS"), os.environ.get("CUDA_VISIBLE_DEVICES"), os.getpid(), decoder)
            (self.folder / "temporary").write_text("\\n".join(map(str, seen)))
            (self.folder / "temporary").rename(self.folder / "seen")
            time.sleep(600)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    log, devices = folder / "logs" / "3.log", int(sys.argv[2])
    worker = WorkerProcess(Work(folder), log, number=3, num_workers=4, devices=devices)
    worker.submit("start")
    while worker.is_busy():
        time.sleep(0.1)
"""

Start = Callable[..., tuple[subprocess.Popen[bytes], list[str]]]


def seen(folder: Path) -> list[str]:
    """The environment and the processes of the worker in this folder, once it has written them."""
    for _ in range(600):
        if (folder / "seen").exists():
            return (folder / "seen").read_text().splitlines()
        time.sleep(0.1)
    raise AssertionError("the worker did not start")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a command with one worker; returns the command and what the worker has seen."""
    commands = []

    def started(devices: int, **environment: str) -> tuple[subprocess.Popen[bytes], list[str]]:
        (tmp_path / "command.py").write_text(COMMAND)
        unset = ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")
        others = {name: value for name, value in os.environ.items() if name not in unset}
        command = subprocess.Popen(
            [sys.executable, tmp_path / "command.py", tmp_path, str(devices)],
            env={**others, "PYTHONPATH": str(Path(__file__).parents[1]), **environment},
        )
        commands.append(command)
        return command, seen(tmp_path)

    yield started
    for command in commands:
        command.kill()
        command.wait()


def wait_until_gone(*pids: int) -> None:
    """Fail if a process outlives the command by half a minute."""
    for _ in range(300):
        if not any(map(is_running, pids)):
            return
        time.sleep(0.1)
    for pid in filter(is_running, pids):
        os.kill(pid, signal.SIGKILL)
    raise AssertionError("a worker, or a process that it started, outlived the command")


def test_workers_and_their_decoders_end_with_the_command_even_a_killed_one(tmp_path: Path, start: Start) -> None:
    command, (threads, _, *pids) = start(devices=0)
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    assert threads == str(max(1, processors // 4))
    assert (tmp_path / "logs" / "3.log").read_text() == "started\n"
    command.kill()
    command.wait()
    wait_until_gone(*map(int, pids))


def test_workers_get_the_gpus_in_turn_and_the_users_number_of_threads(tmp_path: Path, start: Start) -> None:
    # CUDA sees two of these: it ignores what follows an invalid number.
    command, (threads, gpu, *pids) = start(devices=2, CUDA_VISIBLE_DEVICES="5,7,-1,6", OMP_NUM_THREADS="3")
    assert (threads, gpu) == ("3", "7")  # the fourth of four workers, the second of two GPUs
    (tmp_path / "seen").unlink()
    os.kill(int(pids[0]), signal.SIGKILL)
    _, gpu, *successors = seen(tmp_path)
    assert gpu == "7"
    assert not set(pids) & set(successors)
    command.kill()
    command.wait()
    wait_until_gone(*map(int, pids + successors))


def finished(worker: workers.WorkerProcess) -> workers.WorkerProcess:
    while worker.is_busy():
        time.sleep(0.05)
    return worker


def inverse(task: Any) -> float:
    if not isinstance(task, int):
        raise DataError(f"{task} is not a number.")
    if task < 0:
        raise RuntimeError("https://s3cr3t@host/a cannot be reached")
    return 1 / task


def test_a_worker_returns_results_and_errors(tmp_path: Path) -> None:
    with workers.worker_pool(inverse, tmp_path / "logs", 1, 0) as (worker,):
        worker.submit(2)
        assert (finished(worker).result, worker.error, worker.has_result) == (0.5, None, True)
        worker.submit("x")
        assert (str(finished(worker).error), worker.result) == ("x is not a number.", None)
        assert isinstance(worker.error, DataError)
        worker.submit(4)  # in a new process, as the error ended the old one
        assert (finished(worker).result, worker.error, worker.deaths) == (0.25, None, 0)
        worker.submit(0)
        log = tmp_path / "logs" / "0.log"
        assert str(finished(worker).error) == f"A worker ended by a bug of emokit; its traceback is in {log}."
        assert type(worker.error) is EmokitError
        assert "ZeroDivisionError" in log.read_text()


def test_the_traceback_in_a_workers_log_has_no_secrets(tmp_path: Path) -> None:
    with workers.worker_pool(inverse, tmp_path / "logs", 1, 0) as (worker,):
        worker.submit(-1)
        assert type(finished(worker).error) is EmokitError
    log = (tmp_path / "logs" / "0.log").read_text()
    assert "RuntimeError: https://***@host/a cannot be reached" in log
    assert "s3cr3t" not in log


@pytest.mark.parametrize("device", ["cpu", "auto"])
def test_without_a_gpu_there_is_one_worker_or_the_number_asked_for(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert workers.size(None, device) == (1, 0)
    assert workers.size(3, device) == (3, 0)


def test_there_is_a_worker_per_gpu_unless_another_number_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    assert workers.size(None, "auto") == (4, 4)
    assert workers.size(6, "cuda") == (6, 4)
    assert workers.size(None, "cpu") == (1, 0)


def test_fewer_than_one_worker_are_refused() -> None:
    with pytest.raises(UsageError, match="--workers 0 was given where 1 to 1024 was expected"):
        workers.size(0, "auto")


def test_a_process_that_the_system_refuses_is_a_sentence(tmp_path, monkeypatch):
    def refuse():
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    context = multiprocessing.get_context("spawn")
    monkeypatch.setattr(context, "Pipe", refuse)
    with pytest.raises(WorkError) as error, workers.worker_pool(print, tmp_path, 1, 0) as pool:
        pool[0].submit(1)
    assert str(error.value) == "No other worker could be started (Too many open files); give fewer --workers."
