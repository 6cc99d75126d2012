from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from emokit.sweep import heartbeat
from emokit.sweep.storage import open_storage
from emokit.sweep.trial_queue import FAILED, LOST, MOST_DEATHS, STOPPED, HeartbeatLost, Slot, TrialQueue

SLOTS = [Slot("0000", {"x": 1}), Slot("0001", {"x": 2}, {"seed": 7})]
ELSEWHERE = {"host": "another machine", "pid": 1, "born": "1"}


@pytest.fixture
def board(tmp_path: Path) -> Callable[..., TrialQueue]:
    """Another worker's view of the same board, each with its own storage."""

    def look(heartbeat_timeout_seconds: float = 5.0) -> TrialQueue:
        study = optuna.create_study(storage=open_storage(None, tmp_path), study_name="sweep", load_if_exists=True)
        return TrialQueue(study, SLOTS, heartbeat_timeout_seconds)

    return look


class Clock:
    """Seconds that pass when a test says so."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What boards look at for the time."""
    clock = Clock()
    monkeypatch.setattr("emokit.sweep.trial_queue.time", clock)
    return clock


def attempts(board: TrialQueue) -> list[tuple[Any, ...]]:
    return [(one.user_attrs["point"], one.user_attrs["attempt"], one.state.name) for one in board.study.trials]


def test_a_slot_is_taken_once_and_knows_its_point_and_its_notes(board: Callable[..., TrialQueue]) -> None:
    first, second = board(), board()
    one, other = first.claim(), second.claim()
    assert one
    assert other
    assert (one.user_attrs["point"], other.user_attrs["point"], other.user_attrs["seed"]) == ("0000", "0001", 7)
    assert one.suggest_int("x", 0, 9) == 1
    assert first.claim() is None
    first.complete(one, 0.5)
    second.complete(other, 0.6)
    assert first.is_over()
    assert second.is_over()


def test_of_two_boards_made_at_once_each_slot_still_counts_once(board: Callable[..., TrialQueue]) -> None:
    first = board()
    first.fill()
    for slot in SLOTS:  # as another worker does that looked before the first had written
        first._add(slot.key, 0, slot.params, {})
    assert len(first.study.trials) == 4
    taken = [board().claim() for _ in range(3)]
    assert [one.user_attrs["point"] for one in taken if one] == ["0000", "0001"]
    states = [one.state for one in first.study.trials]
    assert states == [TrialState.RUNNING] * 2 + [TrialState.FAIL] * 2


def test_a_slot_that_is_handed_back_goes_on_with_its_values_and_what_was_reported(
    board: Callable[..., TrialQueue],
) -> None:
    first = board()
    trial = first.claim()
    assert trial
    trial.suggest_int("x", 0, 9)
    first.report(trial, 1, 0.3)
    first.fail(trial, STOPPED)
    again = board().claim()
    assert again
    assert (again.user_attrs["point"], again.user_attrs["attempt"]) == ("0000", 1)
    assert again.suggest_int("x", 0, 9) == 1
    assert first.study.trials[again.number].intermediate_values == {1: 0.3}


def test_a_worker_on_another_machine_is_dead_when_it_is_silent_for_its_lease_and_not_before(
    board: Callable[..., TrialQueue], clock: Clock
) -> None:
    slow, watcher = board(), board(heartbeat_timeout_seconds=40)
    trial = slow.claim()
    assert trial
    trial.set_user_attr("worker", ELSEWHERE)
    for count in range(8):  # slow, but alive: it is looked at for twice its lease
        clock.now += 9
        assert slow.beat(trial, count)
        watcher.fill()
    last = clock.now
    for silent in (9, 18, 27, 36, 40):
        clock.now = last + silent
        assert watcher.fill()["0000"].user_attrs["attempt"] == 0
    clock.now = last + 40.1
    assert watcher.fill()["0000"].user_attrs["attempt"] == 1
    assert attempts(watcher)[-1] == ("0000", 1, "WAITING")
    assert not slow.beat(trial, 9)
    with pytest.raises(HeartbeatLost):
        slow.complete(trial, 0.5)


def test_silence_while_nobody_looked_proves_nothing(board: Callable[..., TrialQueue], clock: Clock) -> None:
    slow, watcher = board(), board(heartbeat_timeout_seconds=40)
    trial = slow.claim()
    assert trial
    trial.set_user_attr("worker", ELSEWHERE)
    watcher.fill()
    clock.now += 100  # as when the storage was away
    assert watcher.fill()["0000"].state == TrialState.RUNNING


def test_a_living_process_of_this_machine_is_never_dead_however_silent(
    board: Callable[..., TrialQueue], clock: Clock
) -> None:
    watcher = board(heartbeat_timeout_seconds=40)
    board().claim()
    for _ in range(16):
        watcher.fill()
        clock.now += 9
    assert attempts(watcher)[0] == ("0000", 0, "RUNNING")


def test_what_kills_every_worker_ends_as_failed_after_ten(board: Callable[..., TrialQueue]) -> None:
    watcher = board()
    dead = {**heartbeat.me(), "born": "before this process"}
    for _ in range(MOST_DEATHS):
        trial = watcher.claim()
        assert trial
        assert trial.user_attrs["point"] == "0000"
        trial.set_user_attr("worker", dead)
    last = watcher.fill()["0000"]
    assert (last.state, last.user_attrs["why"]) == (TrialState.FAIL, FAILED)
    assert last.user_attrs["reason"] == "its worker died 10 times"
    other = watcher.claim()
    assert other
    assert other.user_attrs["point"] == "0001"


def test_a_point_whose_workers_die_but_get_on_is_never_given_up(board: Callable[..., TrialQueue]) -> None:
    watcher = board()
    dead = {**heartbeat.me(), "born": "before this process"}
    for epoch in range(1, MOST_DEATHS + 3):
        trial = watcher.claim()
        assert trial
        watcher.report(trial, epoch, 0.5)
        trial.set_user_attr("worker", dead)
    last = watcher.fill()["0000"]
    assert (last.state, last.user_attrs["deaths"]) == (TrialState.WAITING, 1)
    assert len(last.intermediate_values) == MOST_DEATHS + 2


def test_a_worker_that_was_too_slow_to_write_its_name_takes_another_slot(
    board: Callable[..., TrialQueue], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, watcher = board(), board()
    real = heartbeat.me

    def late() -> dict[str, Any]:
        monkeypatch.setattr(heartbeat, "me", real)
        watcher._end(watcher.study.trials[0], LOST)
        return real()

    monkeypatch.setattr(heartbeat, "me", late)
    trial = slow.claim()
    assert trial
    assert trial.user_attrs["point"] == "0001"
    watcher.fill()
    assert attempts(watcher)[-1] == ("0000", 1, "WAITING")


def test_a_point_whose_name_leads_out_of_the_folder_is_nobodys(board: Callable[..., TrialQueue]) -> None:
    watcher = board()
    watcher._add("../../elsewhere", 0, {}, {})
    watcher._add("0000/seed-1/..", 0, {}, {})
    assert list(watcher.fill()) == ["0000", "0001"]


def test_trials_that_somebody_else_put_into_the_study_are_left_alone(board: Callable[..., TrialQueue]) -> None:
    watcher = board()
    watcher.study.enqueue_trial({"x": 5})
    trial = watcher.claim()
    assert trial
    assert trial.user_attrs["point"] == "0000"
    assert watcher.study.trials[0].state == TrialState.WAITING


def test_a_result_that_was_written_before_the_answer_was_lost_is_no_loss(board: Callable[..., TrialQueue]) -> None:
    watcher = board()
    trial = watcher.claim()
    assert trial
    watcher.complete(trial, 0.5)
    watcher._tell(trial, TrialState.COMPLETE, 0.5)
    assert watcher.study.trials[0].value == 0.5
