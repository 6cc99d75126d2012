"""The board of a sweep: which points there are, who takes which, and what became of them, in any storage of Optuna's.

Every point is a slot with a key. A slot's attempts are Optuna's trials, of which the newest counts. All of it rests on two steps
that Optuna does in one go on every storage: a trial that waits is taken by one worker only, and a trial that has ended is ended
once. An attempt whose worker died is ended as failed, and the next one begins where it stopped. Two workers may make the same
attempt at once; then the one with the lower number counts, and the other is dropped before anybody takes it.
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

MOST_DEATHS = 10
# A key is a folder's name too, and a storage may hold what others wrote.
KEY = re.compile(r"[0-9]{4,}(/seed-[0-9]+)?")
# Why an attempt that ended as failed is followed by another; what failed by itself is not, until it is asked for.
FAILED, LOST, STOPPED, MEMORY, TWIN = "failed", "lost", "stopped", "memory", "twin"


@dataclass(frozen=True)
class Slot:
    """A point that is wanted."""

    key: str
    """What it is called; its run folder too."""
    params: dict[str, Any] = field(default_factory=dict)
    """What is given, as Optuna stores it; the sampler chooses the rest."""
    notes: dict[str, Any] = field(default_factory=dict)
    """What else a worker has to know."""


class HeartbeatLost(Exception):
    """Somebody ended this worker's trial, taking it for dead; what it does no longer counts."""


class TrialQueue:
    """The slots of one study.

    Args:
        study: Optuna's.
        slots: what is wanted.
        heartbeat_timeout_seconds: without a heartbeat for this long, a worker on another machine is dead.
        prunes: whether the study's pruner is to be asked.
    """

    def __init__(
        self,
        study: Study,
        slots: Sequence[Slot],
        heartbeat_timeout_seconds: float = heartbeat.HEARTBEAT_TIMEOUT_SECONDS,
        *,
        prunes: bool = False,
    ) -> None:
        self.study = study
        self.prunes = prunes
        self.slots = slots
        self._lease_seconds = heartbeat_timeout_seconds
        self._seen: dict[int, tuple[Any, float]] = {}
        self._looked = 0.0
        self._told: dict[int, set[int]] = {}

    def fill(self) -> dict[str, FrozenTrial]:
        """Make what is missing: slots without a trial, and the next attempt of those that were lost.

        Returns:
            per slot the attempt that counts.
        """
        while True:
            found = self._latest()
            made = self._end_lost(found.values())
            for slot in self.slots:
                if slot.key not in found:
                    made += self._add(slot.key, 0, slot.params, slot.notes)
            for key, trial in found.items():
                if trial.state == TrialState.FAIL and trial.user_attrs.get("why") != FAILED:
                    made += self._again(key, trial)
            if not made:
                return found

    def retry_failed(self) -> None:
        """Make another attempt of every slot that failed by itself."""
        for key, trial in self._latest().items():
            if trial.state == TrialState.FAIL and trial.user_attrs.get("why") == FAILED:
                self._again(key, trial, deaths=0)

    def claim(self, before: Callable[[FrozenTrial], None] = lambda trial: None) -> Trial | None:
        """Take a slot that waits; None where nothing waits now.

        Args:
            before: called with the trial just before it becomes this worker's, so that a sampler can be seeded for it.
        """
        for frozen in self.fill().values():
            if frozen.state != TrialState.WAITING:
                continue
            before(frozen)
            try:
                taken = self.study._storage.set_trial_state_values(frozen._trial_id, TrialState.RUNNING)
            except UpdateFinishedTrialError:
                continue
            if taken:
                trial = Trial(self.study, frozen._trial_id)
                try:
                    self._note(trial, worker=heartbeat.me())
                except HeartbeatLost:  # so slow that somebody took it for nobody's
                    continue
                return trial
        return None

    def is_over(self) -> bool:
        """Whether every slot has ended."""
        found = self.fill()
        return all(trial.state.is_finished() for trial in found.values())

    def beat(self, trial: Trial, count: int) -> bool:
        """Show that this worker lives; False where the trial is no longer its own."""
        try:
            trial.set_user_attr("beat", count)
        except UpdateFinishedTrialError:
            return False
        return True

    def report(self, trial: Trial, epoch: int, value: float) -> None:
        """Tell an epoch's score; of an epoch that is done again the first one stays."""
        if trial.number not in self._told:
            self._told = {trial.number: set(self.study._storage.get_trial(trial._trial_id).intermediate_values)}
        if epoch in self._told[trial.number]:
            return
        self._told[trial.number].add(epoch)
        try:
            trial.report(value, epoch)
        except UpdateFinishedTrialError as error:
            raise HeartbeatLost from error

    def complete(self, trial: Trial, value: float, **notes: Any) -> None:
        """End a trial with its score."""
        self._note(trial, **notes)
        self._tell(trial, TrialState.COMPLETE, value)

    def prune(self, trial: Trial, why: str, **notes: Any) -> None:
        """End a trial early; `why` is `pruned` or `collapsed`."""
        self._note(trial, why=why, **notes)
        self._tell(trial, TrialState.PRUNED)

    def fail(self, trial: Trial, why: str, **notes: Any) -> None:
        """End an attempt without a score; unless `why` is FAILED another one follows."""
        self._note(trial, why=why, **notes)
        self._tell(trial, TrialState.FAIL)

    def _latest(self) -> dict[str, FrozenTrial]:
        """Per slot, in the order of the keys, the attempt that counts; of twins the older one."""
        found: dict[str, FrozenTrial] = {}
        every = self.study.get_trials(deepcopy=False)
        trials = [trial for trial in every if KEY.fullmatch(str(trial.user_attrs.get("point")))]
        for trial in sorted(trials, key=lambda trial: trial.number):
            key = trial.user_attrs["point"]
            if key not in found or _attempt(trial) > _attempt(found[key]):
                found[key] = trial
        counted = {trial.number for trial in found.values()}
        for trial in trials:
            if trial.state == TrialState.WAITING and trial.number not in counted:
                self._end(trial, TWIN)
        return dict(sorted(found.items()))

    def _end_lost(self, trials: Iterable[FrozenTrial]) -> int:
        """End the attempts of workers that are dead; returns how many."""
        now = time.monotonic()
        if now - self._looked > self._lease_seconds / 4:
            self._seen.clear()  # this worker was busy or the storage away: silence since then proves nothing
        self._looked = now
        lost = [trial for trial in trials if trial.state == TrialState.RUNNING and self._is_lost(trial, now)]
        for trial in lost:
            self._end(trial, LOST)
        return len(lost)

    def _is_lost(self, trial: FrozenTrial, now: float) -> bool:
        owner = trial.user_attrs.get("worker")
        alive = heartbeat.is_alive(owner) if owner else None
        if alive is not None:
            return not alive
        sign = (trial.user_attrs.get("beat"), len(trial.intermediate_values))
        before, since = self._seen.setdefault(trial.number, (sign, now))
        if before != sign:
            self._seen[trial.number] = (sign, now)
            return False
        return now - since > (self._lease_seconds if owner else min(heartbeat.NAMELESS_SECONDS, self._lease_seconds))

    def _end(self, trial: FrozenTrial, why: str) -> None:
        try:
            self.study._storage.set_trial_user_attr(trial._trial_id, "why", why)
            self.study._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
        except UpdateFinishedTrialError:
            pass  # somebody else ended it

    def _again(self, key: str, trial: FrozenTrial, deaths: int | None = None) -> int:
        """Make the attempt after this one; it keeps the point and, where the training goes on, what was reported of it."""
        why = trial.user_attrs.get("why", LOST)
        if deaths is None:
            # What got on before its worker died is not what killed it.
            got_on = len(trial.intermediate_values) > trial.user_attrs.get("reported", 0)
            deaths = (0 if got_on else trial.user_attrs.get("deaths", 0)) + (why == LOST)
        kept = {} if why in (MEMORY, FAILED) else trial.intermediate_values
        outcome = ("why", "worker", "beat", "reason")
        notes = {name: value for name, value in trial.user_attrs.items() if name not in outcome}
        notes |= {"deaths": deaths, "halved": notes.get("halved", False) or why == MEMORY, "reported": len(kept)}
        params = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
        if deaths >= MOST_DEATHS:
            # Ended at once, so that what kills every worker does not go on for ever.
            notes |= {"why": FAILED, "reason": f"its worker died {deaths} times"}
        return self._add(key, _attempt(trial) + 1, params, notes, kept)

    def _add(
        self,
        key: str,
        attempt: int,
        params: dict[str, Any],
        notes: dict[str, Any],
        values: dict[int, float] | None = None,
    ) -> int:
        state = TrialState.FAIL if notes.get("why") == FAILED else TrialState.WAITING
        self.study.add_trial(
            optuna.trial.create_trial(
                state=state,
                system_attrs={"fixed_params": params},
                user_attrs={**notes, "point": key, "attempt": attempt},
                intermediate_values=values or {},
            )
        )
        return 1

    def _note(self, trial: Trial, **notes: Any) -> None:
        try:
            for name, value in notes.items():
                trial.set_user_attr(name, value)
        except UpdateFinishedTrialError as error:
            raise HeartbeatLost from error

    def _tell(self, trial: Trial, state: TrialState, value: float | None = None) -> None:
        try:
            self.study.tell(trial, value, state)
        except (UpdateFinishedTrialError, ValueError) as error:
            # A database that went away after it had written makes us tell twice.
            if self.study._storage.get_trial(trial._trial_id).state != state:
                raise HeartbeatLost from error


def _attempt(trial: FrozenTrial) -> int:
    return int(trial.user_attrs.get("attempt", 0))
