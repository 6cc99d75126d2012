from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from emokit.sweep import heartbeat
from emokit.sweep.storage import open_storage
from emokit.sweep.trial_queue import FAILED, LOST, MAX_DEATHS, STOPPED, HeartbeatLost, QueuedPoint, TrialQueue

POINTS = [QueuedPoint("0000", {"x": 1}), QueuedPoint("0001", {"x": 2}, {"seed": 7})]
ELSEWHERE = {"host": "another machine", "pid": 1, "started": "1"}

Open = Callable[..., TrialQueue]


@pytest.fixture
def open_queue(tmp_path: Path) -> Open:
    """Opens the same queue as another worker, with a storage of its own."""

    def open_one(heartbeat_timeout_seconds: float = 5.0) -> TrialQueue:
        study = optuna.create_study(storage=open_storage(None, tmp_path), study_name="sweep", load_if_exists=True)
        return TrialQueue(study, POINTS, heartbeat_timeout_seconds)

    return open_one


class Clock:
    """A clock that a test sets."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of all queues."""
    clock = Clock()
    monkeypatch.setattr("emokit.sweep.trial_queue.time", clock)
    return clock


def attempts(queue: TrialQueue) -> list[tuple[Any, ...]]:
    return [(t.user_attrs["point"], t.user_attrs["attempt"], t.state.name) for t in queue.study.trials]


def test_a_point_is_claimed_once_with_its_values_and_attributes(open_queue: Open) -> None:
    first, second = open_queue(), open_queue()
    trial, other = first.claim(), second.claim()
    assert trial
    assert other
    assert (trial.user_attrs["point"], other.user_attrs["point"], other.user_attrs["seed"]) == ("0000", "0001", 7)
    assert trial.suggest_int("x", 0, 9) == 1
    assert first.claim() is None
    first.complete(trial, 0.5)
    second.complete(other, 0.6)
    assert first.is_over()
    assert second.is_over()


def test_each_point_counts_once_if_two_workers_fill_the_queue_at_once(open_queue: Open) -> None:
    first = open_queue()
    first.fill()
    for point in POINTS:  # as by another worker that read the queue before the first had written
        first._add(point.key, 0, point.params, {})
    assert len(first.study.trials) == 4
    claimed = [open_queue().claim() for _ in range(3)]
    assert [trial.user_attrs["point"] for trial in claimed if trial] == ["0000", "0001"]
    states = [trial.state for trial in first.study.trials]
    assert states == [TrialState.RUNNING] * 2 + [TrialState.FAIL] * 2


def test_the_next_attempt_of_a_stopped_point_has_its_values_and_reported_scores(
    open_queue: Open,
) -> None:
    first = open_queue()
    trial = first.claim()
    assert trial
    trial.suggest_int("x", 0, 9)
    first.report(trial, 1, 0.3)
    first.fail(trial, STOPPED)
    again = open_queue().claim()
    assert again
    assert (again.user_attrs["point"], again.user_attrs["attempt"]) == ("0000", 1)
    assert again.suggest_int("x", 0, 9) == 1
    assert first.study.trials[again.number].intermediate_values == {1: 0.3}


def test_a_worker_on_another_machine_is_dead_after_the_timeout_and_not_before(open_queue: Open, clock: Clock) -> None:
    slow, watcher = open_queue(), open_queue(heartbeat_timeout_seconds=40)
    trial = slow.claim()
    assert trial
    trial.set_user_attr("worker", ELSEWHERE)
    for count in range(8):  # slow, but alive for twice the timeout
        clock.now += 9
        assert slow.send_heartbeat(trial, count)
        watcher.fill()
    last = clock.now
    for silent in (9, 18, 27, 36, 40):
        clock.now = last + silent
        assert watcher.fill()["0000"].user_attrs["attempt"] == 0
    clock.now = last + 40.1
    assert watcher.fill()["0000"].user_attrs["attempt"] == 1
    assert attempts(watcher)[-1] == ("0000", 1, "WAITING")
    assert not slow.send_heartbeat(trial, 9)
    with pytest.raises(HeartbeatLost):
        slow.complete(trial, 0.5)


def test_silence_between_two_distant_checks_proves_nothing(open_queue: Open, clock: Clock) -> None:
    slow, watcher = open_queue(), open_queue(heartbeat_timeout_seconds=40)
    trial = slow.claim()
    assert trial
    trial.set_user_attr("worker", ELSEWHERE)
    watcher.fill()
    clock.now += 100  # as if the storage was unreachable
    assert watcher.fill()["0000"].state == TrialState.RUNNING


def test_a_running_process_of_this_machine_needs_no_heartbeat(open_queue: Open, clock: Clock) -> None:
    watcher = open_queue(heartbeat_timeout_seconds=40)
    open_queue().claim()
    for _ in range(16):
        watcher.fill()
        clock.now += 9
    assert attempts(watcher)[0] == ("0000", 0, "RUNNING")


def test_a_point_fails_after_ten_dead_workers(open_queue: Open) -> None:
    watcher = open_queue()
    dead = {**heartbeat.this_process(), "started": "before this process"}
    for _ in range(MAX_DEATHS):
        trial = watcher.claim()
        assert trial
        assert trial.user_attrs["point"] == "0000"
        trial.set_user_attr("worker", dead)
    last = watcher.fill()["0000"]
    assert (last.state, last.user_attrs["outcome"]) == (TrialState.FAIL, FAILED)
    assert last.user_attrs["reason"] == "its worker died 10 times"
    other = watcher.claim()
    assert other
    assert other.user_attrs["point"] == "0001"


def test_a_point_that_progresses_between_deaths_does_not_fail(open_queue: Open) -> None:
    watcher = open_queue()
    dead = {**heartbeat.this_process(), "started": "before this process"}
    for epoch in range(1, MAX_DEATHS + 3):
        trial = watcher.claim()
        assert trial
        watcher.report(trial, epoch, 0.5)
        trial.set_user_attr("worker", dead)
    last = watcher.fill()["0000"]
    assert (last.state, last.user_attrs["deaths"]) == (TrialState.WAITING, 1)
    assert len(last.intermediate_values) == MAX_DEATHS + 2


def test_a_worker_too_slow_to_write_its_name_claims_another_point(
    open_queue: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, watcher = open_queue(), open_queue()
    real = heartbeat.this_process

    def late() -> dict[str, Any]:
        monkeypatch.setattr(heartbeat, "this_process", real)
        watcher._end(watcher.study.trials[0], LOST)
        return real()

    monkeypatch.setattr(heartbeat, "this_process", late)
    trial = slow.claim()
    assert trial
    assert trial.user_attrs["point"] == "0001"
    watcher.fill()
    assert attempts(watcher)[-1] == ("0000", 1, "WAITING")


def test_a_key_that_leads_out_of_the_folder_is_ignored(open_queue: Open) -> None:
    watcher = open_queue()
    watcher._add("../../elsewhere", 0, {}, {})
    watcher._add("0000/seed-1/..", 0, {}, {})
    assert list(watcher.fill()) == ["0000", "0001"]


def test_other_trials_in_the_study_are_not_changed(open_queue: Open) -> None:
    watcher = open_queue()
    watcher.study.enqueue_trial({"x": 5})
    trial = watcher.claim()
    assert trial
    assert trial.user_attrs["point"] == "0000"
    assert watcher.study.trials[0].state == TrialState.WAITING


def test_a_result_can_be_told_twice(open_queue: Open) -> None:
    watcher = open_queue()
    trial = watcher.claim()
    assert trial
    watcher.complete(trial, 0.5)
    watcher._tell(trial, TrialState.COMPLETE, 0.5)
    assert watcher.study.trials[0].value == 0.5
