"""A sweep as it lies in its folder and its storage: its settings, its two boards, and where each point's run goes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, CmaEsSampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from emokit.runtime import derived_seed
from emokit.sweep import space, trial
from emokit.sweep.heartbeat import HEARTBEAT_TIMEOUT_SECONDS
from emokit.sweep.settings import SweepSettings
from emokit.sweep.trial_queue import Slot, TrialQueue

RANDOM_STARTS = 10
# The median of fewer points, or of a training's first epochs, says little.
MEDIAN_STARTS = 5
MEDIAN_EPOCHS = 3


@dataclass
class Plan:
    """A sweep in its folder and its storage.

    Attributes:
        sweep: what is searched, its experiment resolved.
        run: the sweep's folder on this machine.
        storage: Optuna's.
    """

    sweep: SweepSettings
    run: Path
    storage: BaseStorage
    heartbeat_timeout_seconds: float = HEARTBEAT_TIMEOUT_SECONDS
    search: TrialQueue = field(init=False)
    _again: TrialQueue | None = field(init=False, default=None)

    TRIALS: ClassVar[str] = "trials"
    CONFIRM: ClassVar[str] = "confirm"

    def __post_init__(self) -> None:
        self.search = self._board(self.sweep.name, self._slots(), new_pruner(self.sweep))

    def phases(self) -> Iterator[TrialQueue]:
        """The search; when it has ended, what confirms its best points."""
        yield self.search
        if self.sweep.confirm.best and (confirm := self.confirm()):
            yield confirm

    def confirm(self) -> TrialQueue | None:
        """The board of the best points, each with fresh seeds; None where no point has ended well."""
        slots = [
            Slot(f"{one.user_attrs['point']}/seed-{seed}", dict(one.params), {"seed": seed})
            for one in self.best()
            for seed in trial.fresh_seeds(self.sweep)
        ]
        if not slots:
            return None
        if self._again is None or self._again.slots != slots:
            self._again = self._board(f"{self.sweep.name}-confirm", slots, NopPruner())
        return self._again

    def best(self) -> list[FrozenTrial]:
        """The best complete points of the search, at least one, the best first; of equal ones the earlier."""
        return self._ranked()[: self._num_best]

    def beaten_keys(self) -> list[str]:
        """What the other complete points are called; one whose score is not told yet is not among them."""
        return [str(one.user_attrs["point"]) for one in self._ranked()[self._num_best :]]

    def retry_failed(self) -> None:
        """Let what failed by itself be tried again: points, and the trainings that confirm the best."""
        confirm = self.confirm() if self.sweep.confirm.best and self.search.is_over() else None
        self.search.retry_failed()
        if confirm:
            confirm.retry_failed()

    def folder_of(self, key: str) -> Path:
        """Where a point is trained: `trials/0007`, or `confirm/0007/seed-3`."""
        return self.run / (self.CONFIRM if "/" in key else self.TRIALS) / key

    def seed_sampler(self, frozen: FrozenTrial) -> None:
        """Give the search a sampler whose draws depend on the point alone, not on which worker takes it."""
        number = int(str(frozen.user_attrs["point"]).split("/")[0])
        self.search.study.sampler = new_sampler(self.sweep, derived_seed(self.sweep.seed, number))

    @property
    def _num_best(self) -> int:
        return max(1, self.sweep.confirm.best)

    def _ranked(self) -> list[FrozenTrial]:
        complete = [one for one in self.search.fill().values() if one.state == TrialState.COMPLETE]
        sign = 1 if self.sweep.objective.is_lowered else -1
        return sorted(complete, key=lambda one: (sign * float(one.value), one.user_attrs["point"]))

    def _slots(self) -> list[Slot]:
        if self.sweep.is_grid:
            points = [space.as_params(self.sweep, point) for point in space.grid(self.sweep)]
            return [Slot(f"{number:04d}", params) for number, params in enumerate(points)]
        return [Slot(f"{number:04d}") for number in range(self.sweep.budget.trials or 0)]

    def _board(self, name: str, slots: list[Slot], pruner: BasePruner) -> TrialQueue:
        how: dict[str, Any] = {
            "study_name": name,
            "storage": self.storage,
            "sampler": RandomSampler(seed=0),
            "pruner": pruner,
        }
        try:
            study = optuna.load_study(**how)  # a look at a sweep writes nothing
        except KeyError:
            direction = "minimize" if self.sweep.objective.is_lowered else "maximize"
            study = optuna.create_study(**how, direction=direction, load_if_exists=True)
        return TrialQueue(study, slots, self.heartbeat_timeout_seconds, prunes=not isinstance(pruner, NopPruner))


def new_sampler(sweep: SweepSettings, seed: int) -> BaseSampler:
    """Optuna's sampler; a grid's points are given, so that it has nothing to draw."""
    match sweep.sampler:
        case "cmaes":
            return CmaEsSampler(seed=seed, n_startup_trials=RANDOM_STARTS)
        case "tpe" | "auto" if not sweep.is_grid:
            # Workers must not all try the same place: what runs counts as bad until it has ended (constant_liar).
            return TPESampler(seed=seed, n_startup_trials=RANDOM_STARTS, multivariate=True, constant_liar=True)
    return RandomSampler(seed=seed)


def new_pruner(sweep: SweepSettings) -> BasePruner:
    """Optuna's pruner."""
    match sweep.pruner:
        case "median":
            return MedianPruner(n_startup_trials=MEDIAN_STARTS, n_warmup_steps=MEDIAN_EPOCHS)
        case "hyperband":
            most = int(sweep.experiment.settings["training"]["max_epochs"])
            return HyperbandPruner(min_resource=1, max_resource=most, reduction_factor=3)
    return NopPruner()
