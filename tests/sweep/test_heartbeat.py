import os
import time

from emokit.sweep import heartbeat
from emokit.sweep.heartbeat import Heartbeat, is_alive, me


def test_this_process_lives_and_one_that_has_ended_does_not() -> None:
    assert is_alive(me()) is True
    child = os.fork()
    if child == 0:
        os._exit(0)
    owner = {**me(), "pid": child, "born": heartbeat._born(child)}
    while heartbeat._born(child) is not None:  # ended, and not yet asked for by its parent
        time.sleep(0.01)
    owner["born"] = "when it was born"
    assert is_alive(owner) is False
    os.waitpid(child, 0)
    assert is_alive(owner) is False


def test_another_process_under_the_same_number_is_not_taken_for_the_worker() -> None:
    assert is_alive({**me(), "born": "1"}) is False


def test_of_a_process_that_this_machine_hides_nothing_can_be_told(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    def hidden(pid: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", hidden)
    assert is_alive({**me(), "pid": 2**30}) is None


def test_of_another_machine_nothing_can_be_told() -> None:
    assert is_alive({**me(), "host": "another"}) is None


def test_a_heart_beats_until_the_trial_is_lost(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(heartbeat, "BEAT_SECONDS", 0.01)
    beats: list[int] = []

    def beat(count: int) -> bool:
        beats.append(count)
        return count < 3

    with Heartbeat(beat) as heart:
        while not heart.is_lost:
            time.sleep(0.01)
        time.sleep(0.05)
    assert beats == [1, 2, 3]
