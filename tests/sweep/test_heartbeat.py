import os
import time

import pytest

from emokit.sweep import heartbeat
from emokit.sweep.heartbeat import Heartbeat, is_alive, this_process


def test_this_process_is_alive_and_one_that_has_ended_is_not() -> None:
    assert is_alive(this_process()) is True
    child = os.fork()
    if child == 0:
        os._exit(0)
    owner = {**this_process(), "pid": child, "started": heartbeat._started(child)}
    while heartbeat._started(child) is not None:  # until it has ended; its parent has not waited for it yet
        time.sleep(0.01)
    owner["started"] = "its start time"
    assert is_alive(owner) is False
    os.waitpid(child, 0)
    assert is_alive(owner) is False


def test_another_process_with_the_same_pid_is_not_the_worker() -> None:
    assert is_alive({**this_process(), "started": "1"}) is False


def test_whether_a_hidden_process_is_alive_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def hidden(pid: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", hidden)
    assert is_alive({**this_process(), "pid": 2**30}) is None


def test_whether_a_process_of_another_machine_is_alive_is_unknown() -> None:
    assert is_alive({**this_process(), "host": "another"}) is None


def test_a_heartbeat_is_sent_until_the_trial_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "HEARTBEAT_SECONDS", 0.01)
    counts: list[int] = []

    def send(count: int) -> bool:
        counts.append(count)
        return count < 3

    with Heartbeat(send) as running:
        while not running.is_lost:
            time.sleep(0.01)
        time.sleep(0.05)
    assert counts == [1, 2, 3]
