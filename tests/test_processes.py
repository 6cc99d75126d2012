"""Processes: the machine's name, and who still runs."""

import os
import subprocess
import sys
import time

import pytest

from emokit import processes


def test_the_machine_has_one_name() -> None:
    assert processes.machine() == processes.machine()
    assert len(processes.machine()) == 8


def test_this_process_runs_and_one_that_has_ended_does_not() -> None:
    assert processes.is_running(os.getpid(), since=time.time())
    child = subprocess.Popen([sys.executable, "-c", ""])
    while processes.started(child.pid) is not None:  # until it is a zombie
        time.sleep(0.01)
    assert not processes.is_running(child.pid, since=time.time())
    child.wait()
    assert not processes.is_running(child.pid, since=time.time())
    assert not processes.is_running(10**30, since=time.time())


def test_a_process_that_started_later_is_another_one_with_the_same_id() -> None:
    """As the first process of a container that was started again."""
    assert not processes.is_running(os.getpid(), since=time.time() - 10**6)


def test_a_process_of_another_user_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(pid: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refused)
    assert processes.is_running(os.getpid(), since=time.time())
