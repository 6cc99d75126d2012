"""Processes that work side by side: their place, their log, and whom they do not outlive."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emokit import workers
from emokit.errors import UsageError
from tests.conftest import is_running

COMMAND = """
import os
import sys
import time
from pathlib import Path

from emokit.crew import Hand
from emokit.data import decode


class Work:
    def __init__(self, folder):
        self.folder = folder

    def __call__(self, asked):
        print("begun", flush=True)
        with decode._processes(1, sum) as pool:  # sum is any function; what matters is the process that reads sound
            reader = next(iter(pool._processes))
            seen = (os.environ.get("OMP_NUM_THREADS"), os.environ.get("CUDA_VISIBLE_DEVICES"), os.getpid(), reader)
            (self.folder / "part").write_text("\\n".join(map(str, seen)))
            (self.folder / "part").rename(self.folder / "seen")
            time.sleep(600)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    worker = Hand(Work(folder), folder / "logs" / "3.log", number=3, sharing=4, devices=int(sys.argv[2]))
    worker.submit("begin")
    while worker.is_busy():
        time.sleep(0.1)
"""

Begin = Callable[..., tuple[subprocess.Popen[bytes], list[str]]]


def seen(folder: Path) -> list[str]:
    """What the worker in this folder sees of its place; a worker that comes after it writes it anew."""
    for _ in range(600):
        if (folder / "seen").exists():
            return (folder / "seen").read_text().splitlines()
        time.sleep(0.1)
    raise AssertionError("the worker never began")


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Begin]:
    """Starts a command with one worker; gives the command and what the worker sees."""
    commands = []

    def begin(devices: int, **environment: str) -> tuple[subprocess.Popen[bytes], list[str]]:
        (tmp_path / "command.py").write_text(COMMAND)
        unset = ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")
        kept = {name: value for name, value in os.environ.items() if name not in unset}
        command = subprocess.Popen(
            [sys.executable, tmp_path / "command.py", tmp_path, str(devices)],
            env={**kept, "PYTHONPATH": str(Path(__file__).parents[1]), **environment},
        )
        commands.append(command)
        return command, seen(tmp_path)

    yield begin
    for command in commands:
        command.kill()
        command.wait()


def wait_until_gone(*pids: int) -> None:
    """Fails where one lives on."""
    for _ in range(300):
        if not any(map(is_running, pids)):
            return
        time.sleep(0.1)
    for pid in filter(is_running, pids):
        os.kill(pid, signal.SIGKILL)
    raise AssertionError("a worker, or a process of its own, outlived the command")


def test_workers_and_what_reads_for_them_end_with_the_command_even_a_killed_one(tmp_path: Path, begun: Begin) -> None:
    command, (threads, _, *pids) = begun(devices=0)
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    assert threads == str(max(1, processors // 4))
    assert (tmp_path / "logs" / "3.log").read_text() == "begun\n"
    command.kill()
    command.wait()
    wait_until_gone(*map(int, pids))


def test_workers_take_the_gpus_in_turn_and_keep_the_users_threads(tmp_path: Path, begun: Begin) -> None:
    # CUDA sees two of these: what stands after a name that is none is hidden.
    command, (threads, gpu, *pids) = begun(devices=2, CUDA_VISIBLE_DEVICES="5,7,-1,6", OMP_NUM_THREADS="3")
    assert (threads, gpu) == ("3", "7")  # the fourth of four, on the second of two
    (tmp_path / "seen").unlink()
    os.kill(int(pids[0]), signal.SIGKILL)
    _, gpu, *successors = seen(tmp_path)
    assert gpu == "7"
    assert not set(pids) & set(successors)
    command.kill()
    command.wait()
    wait_until_gone(*map(int, pids + successors))


@pytest.mark.parametrize("device", ["cpu", "auto"])
def test_without_a_gpu_there_are_as_many_workers_as_were_asked_for_or_one(
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
    with pytest.raises(UsageError, match="--workers 0 was given where 1 or more was expected"):
        workers.size(0, "auto")
