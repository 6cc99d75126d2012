"""Settings of a sweep: the space, the objective, the sampler and pruner, the budget."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

from pydantic import Field, field_validator, model_validator

from emokit.errors import DataError
from emokit.modality.registry import MODALITIES, modality, trainable
from emokit.settings import MOST_SEED, Name, Settings

# `Dimension` has fields named float and int.
Real: TypeAlias = float
Integer: TypeAlias = int

POWER = re.compile(r"[+-]?\d+[eE][+-]?\d+")


class Dimension(Settings):
    """The values of one field of the experiment: exactly one of grid, choice, float and int."""

    grid: tuple[Any, ...] | None = Field(None, min_length=1)
    """Values, all of which are tried."""
    choice: tuple[Any, ...] | None = Field(None, min_length=1)
    """Values that the sampler chooses from."""
    float: tuple[Real, Real] | None = None
    """Lowest and highest number."""
    int: tuple[Integer, Integer] | None = None
    """Lowest and highest integer."""
    log: bool = False
    """Sample float or int on a logarithmic scale."""

    @field_validator("grid", "choice")
    @classmethod
    def _with_numbers(cls, values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        """YAML reads 1e-4, which has no point, as a string."""
        if values is None:
            return None
        return tuple(Real(value) if isinstance(value, str) and POWER.fullmatch(value) else value for value in values)

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        kinds = [kind for kind in ("grid", "choice", "float", "int") if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError("must have exactly one of grid, choice, float and int")
        if self.log and not self.bounds:
            raise ValueError("must have log only with float or int")
        if self.bounds:
            low, high = self.bounds
            if not low < high:
                raise ValueError(f"must have {kinds[0]} as [lowest, highest]")
            if self.log and low <= 0:
                raise ValueError("must have a lowest number above 0 for log")
        elif len(set(map(_hashable, self.values))) < len(self.values):
            raise ValueError("must not list a value twice")
        return self

    @property
    def bounds(self) -> tuple[Real, Real] | None:
        """Lowest and highest number of a range; None for a list."""
        return self.float or self.int

    @property
    def values(self) -> tuple[Any, ...]:
        """The values of a list, or both bounds of a range."""
        return self.grid or self.choice or self.bounds or ()


def _hashable(value: Any) -> Any:
    """A value such that those which train the same are equal: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, list | tuple):
        return tuple(map(_hashable, value))
    if isinstance(value, dict):
        return tuple(sorted((str(key), _hashable(inner)) for key, inner in value.items()))
    return repr(value) if isinstance(value, bool | str) else value


class Branch(Settings):
    """Fields that vary only if another field has a given value."""

    when: dict[str, Any] = Field(min_length=1, max_length=1)
    """A field of the space and the value that opens the branch."""
    space: dict[str, Dimension] = Field(min_length=1)
    """Field of the experiment -> its values in this branch."""


class ExperimentSettings(Settings):
    """The experiment that is varied."""

    modality: str
    """Modality to train, such as audio or text."""
    file: str | None = None
    """YAML file of the experiment, relative to the space's file; null starts from the defaults."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Settings that override the file's."""

    @field_validator("modality")
    @classmethod
    def _is_trainable(cls, name: str) -> str:
        if name not in MODALITIES or not modality(name).is_trainable:
            raise ValueError(f"should be one of {', '.join(trainable())}")
        return name


class ObjectiveSettings(Settings):
    """The score to optimise."""

    metric: Literal["uar", "accuracy", "weighted_f1", "loss"] = "uar"
    """Score of a point's best epoch; loss is minimised, the others are maximised."""
    split: Literal["dev"] = "dev"
    """Split it is measured on: dev. A sweep never reads test."""

    @field_validator("split", mode="before")
    @classmethod
    def _is_not_test(cls, split: Any) -> Any:
        if split == "test":
            raise ValueError("must be dev: a sweep never reads test")
        return split

    @property
    def is_minimized(self) -> bool:
        """Whether a lower score is better."""
        return self.metric == "loss"


class BudgetSettings(Settings):
    """When the search ends."""

    trials: int | None = Field(None, ge=1, le=100_000)
    """Maximum number of points; null takes all points of a grid, and other samplers need a number."""
    hours: float | None = Field(None, gt=0)
    """Wall-clock limit of one command, in hours; --resume continues after it."""


class ConfirmSettings(Settings):
    """Training the best points again with fresh seeds, so that a lucky seed does not win."""

    best: int = Field(3, ge=0, le=1000)
    """Number of best points to train again; 0 skips this step."""
    seeds: int = Field(5, ge=2, le=1000)
    """Fresh seeds per point."""


def refuse_old(run: Path, settings: Mapping[str, Any]) -> None:
    """Refuse the settings of a sweep that an emokit with other names of settings made.

    Raises:
        DataError: they are.
    """
    experiment = settings.get("experiment")
    if isinstance(experiment, dict) and "kind" in experiment:
        raise DataError(f"{run} was made by an emokit before names changed; sweep again into another folder.")


class SweepSettings(Settings):
    """All settings of a sweep."""

    name: Name = "sweep"
    """Name of the sweep in reports and in a shared storage."""
    kind: Literal["sweep"] = "sweep"
    """Type of the settings file."""
    experiment: ExperimentSettings
    """The experiment that is varied."""
    space: dict[str, Dimension] = Field(default_factory=dict)
    """Field of the experiment (such as training.lr) -> its values."""
    branches: tuple[Branch, ...] = ()
    """Fields that vary only if another field has a given value."""
    objective: ObjectiveSettings = ObjectiveSettings()
    """The score to optimise."""
    sampler: Literal["auto", "grid", "tpe", "random", "cmaes"] = "auto"
    """Sampler of points; auto is grid if every dimension is a grid, else TPE."""
    pruner: Literal["none", "median", "hyperband"] = "none"
    """Early stopping of points: none, below the median of the others, or Hyperband."""
    budget: BudgetSettings = BudgetSettings()
    """When the search ends."""
    seeds: int = Field(1, ge=1, le=1000)
    """Seeds per point; its score is their mean. Pruning uses the first seed only."""
    confirm: ConfirmSettings = ConfirmSettings()
    """Training the best points again with fresh seeds."""
    seed: int = Field(0, ge=0, le=MOST_SEED)
    """Random seed of the sampler."""

    @property
    def is_grid(self) -> bool:
        """Whether all points are known before the search."""
        dimensions = [
            *self.space.values(),
            *(dimension for branch in self.branches for dimension in branch.space.values()),
        ]
        return self.sampler == "grid" or (self.sampler == "auto" and all(dimension.grid for dimension in dimensions))
