"""Processes that work side by side: their place, their log, and whom they outlive."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emokit import crew
from emokit.errors import UsageError

HAND = """
import os
import time
from pathlib import Path

from emokit.crew import Hand


class Work:
    def __init__(self, folder):
        self.folder = folder

    def __call__(self):
        print("begun", flush=True)
        seen = (os.environ.get("OMP_NUM_THREADS"), os.environ.get("CUDA_VISIBLE_DEVICES"), os.getpid())
        (self.folder / "part").write_text("\\n".join(map(str, seen)))
        (self.folder / "part").rename(self.folder / "seen")
        time.sleep(600)


if __name__ == "__main__":
    folder = Path(os.sys.argv[1])
    hand = Hand(Work(folder), folder / "logs" / "3.log", number=3, num_workers=4, devices=int(os.sys.argv[2]))
    hand.start()
    while hand.is_at_work():
        time.sleep(0.1)
"""


def begun(folder: Path, devices: int, **environment: str) -> tuple[subprocess.Popen[bytes], list[str]]:
    """A command with one worker, and what the worker sees."""
    (folder / "command.py").write_text(HAND)
    kept = {
        name: value for name, value in os.environ.items() if name not in ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")
    }
    command = subprocess.Popen(
        [sys.executable, folder / "command.py", folder, str(devices)],
        env={**kept, "PYTHONPATH": str(Path(__file__).parents[1]), **environment},
    )
    for _ in range(600):
        if (folder / "seen").exists():
            return command, (folder / "seen").read_text().splitlines()
        time.sleep(0.1)
    command.kill()
    raise AssertionError("the worker never began")


def wait_until_gone(pid: int) -> None:
    """Fails where the process lives on."""
    for _ in range(300):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except OSError:
            return
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    raise AssertionError("the worker outlived its command")


def test_a_worker_ends_with_the_command_that_started_it_even_a_killed_one(tmp_path: Path) -> None:
    command, (threads, _, pid) = begun(tmp_path, devices=0)
    assert threads == str(max(1, (os.cpu_count() or 1) // 4))
    assert (tmp_path / "logs" / "3.log").read_text() == "begun\n"
    command.kill()
    command.wait()
    wait_until_gone(int(pid))


def test_workers_take_the_gpus_in_turn_and_keep_the_users_threads(tmp_path: Path) -> None:
    command, (threads, gpu, pid) = begun(tmp_path, devices=2, CUDA_VISIBLE_DEVICES="5,7", OMP_NUM_THREADS="3")
    assert (threads, gpu) == ("3", "7")  # the fourth of four, on the second of two
    os.kill(int(pid), signal.SIGKILL)
    (tmp_path / "seen").unlink()
    for _ in range(600):
        if (tmp_path / "seen").exists():
            break
        time.sleep(0.1)
    _, gpu, successor = (tmp_path / "seen").read_text().splitlines()
    assert gpu == "7"
    assert successor != pid
    command.kill()
    command.wait()
    wait_until_gone(int(successor))


@pytest.mark.parametrize("device", ["cpu", "auto"])
def test_without_a_gpu_there_are_as_many_workers_as_were_asked_for_or_one(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert crew.size(None, device) == (1, 0)
    assert crew.size(3, device) == (3, 0)


def test_there_is_a_worker_per_gpu_unless_another_number_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    assert crew.size(None, "auto") == (4, 4)
    assert crew.size(6, "cuda") == (6, 4)
    assert crew.size(None, "cpu") == (1, 0)


def test_fewer_than_one_worker_are_refused() -> None:
    with pytest.raises(UsageError, match="--workers 0 was given where 1 or more was expected"):
        crew.size(0, "auto")
