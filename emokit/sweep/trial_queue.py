"""The queue of a sweep: the points to train, which worker trains which, and their results, in an Optuna storage.

Every point has a key. Its attempts are Optuna trials, and the newest attempt counts. The queue relies on two operations that are
atomic in every storage: a waiting trial is claimed by one worker only, and a finished trial is not changed again. The attempt of
a dead worker is ended as failed, and the next attempt resumes its training. If two workers create the same attempt at once, the
one with the lower number counts, and the other is ended before it can be claimed.
"""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from emokit.sweep import heartbeat

MAX_DEATHS = 10
# A key becomes a folder's name, and a shared storage may contain anything.
KEY = re.compile(r"[0-9]{4,}(/seed-[0-9]+)?")
# Outcomes of failed attempts. All but FAILED are retried at once; FAILED is retried by `retry_failed`.
FAILED, LOST, STOPPED, MEMORY, DUPLICATE = "failed", "lost", "stopped", "memory", "duplicate"


@dataclass(frozen=True)
class QueuedPoint:
    """A point to train."""

    key: str
    """Its name, also of its run folder."""
    params: dict[str, Any] = field(default_factory=dict)
    """Fixed values, as Optuna stores them; the sampler chooses the others."""
    attrs: dict[str, Any] = field(default_factory=dict)
    """Further attributes for the worker, such as the seed."""


class HeartbeatLost(Exception):
    """Another worker declared this one dead and ended its trial; its results no longer count."""


class TrialQueue:
    """The points of one study.

    Args:
        study: of Optuna.
        points: the points to train.
        heartbeat_timeout_seconds: a worker on another machine without a heartbeat for this long is dead.
        prunes: whether to ask the study's pruner.
    """

    def __init__(
        self,
        study: Study,
        points: Sequence[QueuedPoint],
        heartbeat_timeout_seconds: float = heartbeat.HEARTBEAT_TIMEOUT_SECONDS,
        *,
        prunes: bool = False,
    ) -> None:
        self.study = study
        self.prunes = prunes
        self.points = points
        self._timeout_seconds = heartbeat_timeout_seconds
        # trial number -> its last sign of life, and when this process first read it
        self._last_signs: dict[int, tuple[Any, float]] = {}
        self._last_check = 0.0
        # trial number -> epochs that are reported already
        self._reported: dict[int, set[int]] = {}

    def fill(self) -> dict[str, FrozenTrial]:
        """Create missing attempts: the first of every point, and the next of those that were lost.

        Returns:
            key -> the newest attempt.
        """
        while True:
            newest = self._newest()
            num_changes = self._end_lost(newest.values())
            for point in self.points:
                if point.key not in newest:
                    num_changes += self._add(point.key, 0, point.params, point.attrs)
            for key, trial in newest.items():
                if trial.state == TrialState.FAIL and trial.user_attrs.get("outcome") != FAILED:
                    num_changes += self._retry(key, trial)
            if not num_changes:
                return newest

    def retry_failed(self) -> None:
        """Create another attempt of every point that failed."""
        for key, trial in self._newest().items():
            if trial.state == TrialState.FAIL and trial.user_attrs.get("outcome") == FAILED:
                self._retry(key, trial, deaths=0)

    def claim(self, before: Callable[[FrozenTrial], None] = lambda trial: None) -> Trial | None:
        """Claim a waiting point; None if none is waiting.

        Args:
            before: called with the trial just before it is claimed, so that its sampler can be seeded.
        """
        for frozen in self.fill().values():
            if frozen.state != TrialState.WAITING:
                continue
            before(frozen)
            try:
                claimed = self.study._storage.set_trial_state_values(frozen._trial_id, TrialState.RUNNING)
            except UpdateFinishedTrialError:
                continue
            if claimed:
                trial = Trial(self.study, frozen._trial_id)
                try:
                    self._set_attrs(trial, worker=heartbeat.this_process())
                except HeartbeatLost:  # too slow: another worker ended the trial because it had no owner
                    continue
                return trial
        return None

    def is_over(self) -> bool:
        """Whether every point has ended."""
        return all(trial.state.is_finished() for trial in self.fill().values())

    def send_heartbeat(self, trial: Trial, count: int) -> bool:
        """Store a sign of life; False if the trial was ended by another worker."""
        try:
            trial.set_user_attr("heartbeat", count)
        except UpdateFinishedTrialError:
            return False
        return True

    def report(self, trial: Trial, epoch: int, value: float) -> None:
        """Store an epoch's score; a repeated epoch does not change it."""
        if trial.number not in self._reported:
            self._reported = {trial.number: set(self.study._storage.get_trial(trial._trial_id).intermediate_values)}
        if epoch in self._reported[trial.number]:
            return
        self._reported[trial.number].add(epoch)
        try:
            trial.report(value, epoch)
        except UpdateFinishedTrialError as error:
            raise HeartbeatLost from error

    def complete(self, trial: Trial, value: float, **attrs: Any) -> None:
        """End a trial with its score."""
        self._set_attrs(trial, **attrs)
        self._tell(trial, TrialState.COMPLETE, value)

    def prune(self, trial: Trial, outcome: str, **attrs: Any) -> None:
        """End a trial early; `outcome` is `pruned` or `collapsed`."""
        self._set_attrs(trial, outcome=outcome, **attrs)
        self._tell(trial, TrialState.PRUNED)

    def fail(self, trial: Trial, outcome: str, **attrs: Any) -> None:
        """End an attempt without a score; unless `outcome` is FAILED, another attempt follows."""
        self._set_attrs(trial, outcome=outcome, **attrs)
        self._tell(trial, TrialState.FAIL)

    def _newest(self) -> dict[str, FrozenTrial]:
        """Key -> newest attempt, in the order of the keys; of duplicates the one with the lower number."""
        newest: dict[str, FrozenTrial] = {}
        trials = [
            trial
            for trial in self.study.get_trials(deepcopy=False)
            if KEY.fullmatch(str(trial.user_attrs.get("point")))
        ]
        for trial in sorted(trials, key=lambda trial: trial.number):
            key = trial.user_attrs["point"]
            if key not in newest or _attempt(trial) > _attempt(newest[key]):
                newest[key] = trial
        numbers = {trial.number for trial in newest.values()}
        for trial in trials:
            if trial.state == TrialState.WAITING and trial.number not in numbers:
                self._end(trial, DUPLICATE)
        return dict(sorted(newest.items()))

    def _end_lost(self, trials: Iterable[FrozenTrial]) -> int:
        """End the attempts of dead workers; returns how many."""
        now = time.monotonic()
        if now - self._last_check > self._timeout_seconds / 4:
            self._last_signs.clear()  # this worker was busy or the storage unreachable: silence since then proves nothing
        self._last_check = now
        lost = [trial for trial in trials if trial.state == TrialState.RUNNING and self._is_lost(trial, now)]
        for trial in lost:
            self._end(trial, LOST)
        return len(lost)

    def _is_lost(self, trial: FrozenTrial, now: float) -> bool:
        owner = trial.user_attrs.get("worker")
        alive = heartbeat.is_alive(owner) if owner else None
        if alive is not None:
            return not alive
        sign = (trial.user_attrs.get("heartbeat"), len(trial.intermediate_values))
        last_sign, since = self._last_signs.setdefault(trial.number, (sign, now))
        if last_sign != sign:
            self._last_signs[trial.number] = (sign, now)
            return False
        nameless_seconds = min(heartbeat.NAMELESS_SECONDS, self._timeout_seconds)
        return now - since > (self._timeout_seconds if owner else nameless_seconds)

    def _end(self, trial: FrozenTrial, outcome: str) -> None:
        try:
            self.study._storage.set_trial_user_attr(trial._trial_id, "outcome", outcome)
            self.study._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
        except UpdateFinishedTrialError:
            pass  # another worker ended it

    def _retry(self, key: str, trial: FrozenTrial, deaths: int | None = None) -> int:
        """Create the attempt after this one, at the same point; if its training can resume, with the reported scores."""
        outcome = trial.user_attrs.get("outcome", LOST)
        if deaths is None:
            # A trial that completed epochs before its worker died did not cause the death.
            has_progressed = len(trial.intermediate_values) > trial.user_attrs.get("reported", 0)
            deaths = (0 if has_progressed else trial.user_attrs.get("deaths", 0)) + (outcome == LOST)
        scores = {} if outcome in (MEMORY, FAILED) else trial.intermediate_values
        of_attempt = ("outcome", "worker", "heartbeat", "reason")
        attrs = {name: value for name, value in trial.user_attrs.items() if name not in of_attempt}
        attrs |= {
            "deaths": deaths,
            "halved": attrs.get("halved", False) or outcome == MEMORY,
            "reported": len(scores),
        }
        params = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
        if deaths >= MAX_DEATHS:
            # Ended at once: a point that kills every worker must not be retried forever.
            attrs |= {"outcome": FAILED, "reason": f"its worker died {deaths} times"}
        return self._add(key, _attempt(trial) + 1, params, attrs, scores)

    def _add(
        self,
        key: str,
        attempt: int,
        params: dict[str, Any],
        attrs: dict[str, Any],
        scores: dict[int, float] | None = None,
    ) -> int:
        state = TrialState.FAIL if attrs.get("outcome") == FAILED else TrialState.WAITING
        self.study.add_trial(
            optuna.trial.create_trial(
                state=state,
                system_attrs={"fixed_params": params},
                user_attrs={**attrs, "point": key, "attempt": attempt},
                intermediate_values=scores or {},
            )
        )
        return 1

    def _set_attrs(self, trial: Trial, **attrs: Any) -> None:
        try:
            for name, value in attrs.items():
                trial.set_user_attr(name, value)
        except UpdateFinishedTrialError as error:
            raise HeartbeatLost from error

    def _tell(self, trial: Trial, state: TrialState, value: float | None = None) -> None:
        try:
            self.study.tell(trial, value, state)
        except (UpdateFinishedTrialError, ValueError) as error:
            # If the database disconnected after writing, the result is told twice.
            if self.study._storage.get_trial(trial._trial_id).state != state:
                raise HeartbeatLost from error


def _attempt(trial: FrozenTrial) -> int:
    return int(trial.user_attrs.get("attempt", 0))
