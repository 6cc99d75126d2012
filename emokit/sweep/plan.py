"""A sweep in its folder and its storage: its settings, its two queues, and the run folder of each point."""

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
from emokit.sweep.trial_queue import QueuedPoint, TrialQueue

NUM_RANDOM_POINTS = 10
# With fewer points, or in a training's first epochs, the median is unreliable.
MEDIAN_MIN_POINTS = 5
MEDIAN_MIN_EPOCHS = 3


@dataclass
class Plan:
    """A sweep in its folder and its storage.

    Attributes:
        sweep: the settings, with the experiment resolved.
        run: the sweep's folder on this machine.
        storage: of Optuna.
        heartbeat_timeout_seconds: as `TrialQueue` takes it.
        search: the queue of the search.
    """

    sweep: SweepSettings
    run: Path
    storage: BaseStorage
    heartbeat_timeout_seconds: float = HEARTBEAT_TIMEOUT_SECONDS
    search: TrialQueue = field(init=False)
    _confirmation: TrialQueue | None = field(init=False, default=None)

    TRIALS: ClassVar[str] = "trials"
    CONFIRM: ClassVar[str] = "confirm"

    def __post_init__(self) -> None:
        self.search = self._queue(self.sweep.name, self._search_points(), new_pruner(self.sweep))

    def phases(self) -> Iterator[TrialQueue]:
        """The search, and after its end the confirmation of its best points."""
        yield self.search
        if self.sweep.confirm.best and (confirmation := self.confirm()):
            yield confirmation

    def confirm(self) -> TrialQueue | None:
        """The queue of the best points, each with fresh seeds; None if no point is complete."""
        points = [
            QueuedPoint(f"{best.user_attrs['point']}/seed-{seed}", dict(best.params), {"seed": seed})
            for best in self.best()
            for seed in trial.fresh_seeds(self.sweep)
        ]
        if not points:
            return None
        if self._confirmation is None or self._confirmation.points != points:
            self._confirmation = self._queue(f"{self.sweep.name}-confirm", points, NopPruner())
        return self._confirmation

    def best(self) -> list[FrozenTrial]:
        """The best complete points of the search, at least one, best first; of equal ones the earlier."""
        return self._ranked()[: self._num_best]

    def other_keys(self) -> list[str]:
        """The keys of the complete points that are not among the best."""
        return [str(frozen.user_attrs["point"]) for frozen in self._ranked()[self._num_best :]]

    def retry_failed(self) -> None:
        """Retry what failed, in the search and in the confirmation."""
        confirmation = self.confirm() if self.sweep.confirm.best and self.search.is_over() else None
        self.search.retry_failed()
        if confirmation:
            confirmation.retry_failed()

    def folder_of(self, key: str) -> Path:
        """The run folder of a point: `trials/0007`, or `confirm/0007/seed-3`."""
        return self.run / (self.CONFIRM if "/" in key else self.TRIALS) / key

    def seed_sampler(self, frozen: FrozenTrial) -> None:
        """Seed the sampler by the point's number, so that its draws do not depend on the worker."""
        number = int(str(frozen.user_attrs["point"]).split("/")[0])
        self.search.study.sampler = new_sampler(self.sweep, derived_seed(self.sweep.seed, number))

    @property
    def _num_best(self) -> int:
        return max(1, self.sweep.confirm.best)

    def _ranked(self) -> list[FrozenTrial]:
        complete = [frozen for frozen in self.search.fill().values() if frozen.state == TrialState.COMPLETE]
        sign = 1 if self.sweep.objective.is_minimized else -1
        return sorted(complete, key=lambda frozen: (sign * float(frozen.value), frozen.user_attrs["point"]))

    def _search_points(self) -> list[QueuedPoint]:
        if self.sweep.is_grid:
            points = [space.as_params(self.sweep, point) for point in space.grid(self.sweep)]
            return [QueuedPoint(f"{number:04d}", params) for number, params in enumerate(points)]
        return [QueuedPoint(f"{number:04d}") for number in range(self.sweep.budget.trials or 0)]

    def _queue(self, name: str, points: list[QueuedPoint], pruner: BasePruner) -> TrialQueue:
        arguments: dict[str, Any] = {
            "study_name": name,
            "storage": self.storage,
            "sampler": RandomSampler(seed=0),
            "pruner": pruner,
        }
        try:
            study = optuna.load_study(**arguments)  # first, because reading a sweep must write nothing
        except KeyError:
            direction = "minimize" if self.sweep.objective.is_minimized else "maximize"
            study = optuna.create_study(**arguments, direction=direction, load_if_exists=True)
        return TrialQueue(study, points, self.heartbeat_timeout_seconds, prunes=not isinstance(pruner, NopPruner))


def new_sampler(sweep: SweepSettings, seed: int) -> BaseSampler:
    """The sampler of Optuna; a grid's points are fixed, so any sampler fits."""
    match sweep.sampler:
        case "cmaes":
            return CmaEsSampler(seed=seed, n_startup_trials=NUM_RANDOM_POINTS)
        case "tpe" | "auto" if not sweep.is_grid:
            # constant_liar: running points count as bad, so that workers do not all sample the same region
            return TPESampler(seed=seed, n_startup_trials=NUM_RANDOM_POINTS, multivariate=True, constant_liar=True)
    return RandomSampler(seed=seed)


def new_pruner(sweep: SweepSettings) -> BasePruner:
    """The pruner of Optuna."""
    match sweep.pruner:
        case "median":
            return MedianPruner(n_startup_trials=MEDIAN_MIN_POINTS, n_warmup_steps=MEDIAN_MIN_EPOCHS)
        case "hyperband":
            max_epochs = int(sweep.experiment.settings["training"]["max_epochs"])
            return HyperbandPruner(min_resource=1, max_resource=max_epochs, reduction_factor=3)
    return NopPruner()
