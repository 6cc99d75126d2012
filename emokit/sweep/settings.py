"""What can be set of a sweep: the space, the objective, how it is searched, and how much is spent."""

import re
from typing import Any, Literal, Self, TypeAlias

from pydantic import Field, field_validator, model_validator

from emokit.settings import Settings

# A dimension has fields of these names.
Real: TypeAlias = float
Whole: TypeAlias = int

POWER = re.compile(r"[+-]?\d+[eE][+-]?\d+")


class Dimension(Settings):
    """What one field of the experiment may be: exactly one of grid, choice, float and int."""

    grid: tuple[Any, ...] | None = Field(None, min_length=1)
    """Every one of these values is tried."""
    choice: tuple[Any, ...] | None = Field(None, min_length=1)
    """The sampler chooses one of these values."""
    float: tuple[Real, Real] | None = None
    """The lowest and the highest number."""
    int: tuple[Whole, Whole] | None = None
    """The lowest and the highest whole number."""
    log: bool = False
    """Draw float or int evenly over its logarithm."""

    @field_validator("grid", "choice")
    @classmethod
    def _with_numbers(cls, values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        """YAML takes 1e-4, which has no point, for a word."""
        if values is None:
            return None
        return tuple(Real(value) if isinstance(value, str) and POWER.fullmatch(value) else value for value in values)

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        kinds = [kind for kind in ("grid", "choice", "float", "int") if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError("must have exactly one of grid, choice, float and int")
        if self.log and not self.bounds:
            raise ValueError("must have log beside float or int only")
        if self.bounds:
            low, high = self.bounds
            if not low < high:
                raise ValueError(f"must have {kinds[0]} as [lowest, highest]")
            if self.log and low <= 0:
                raise ValueError("must have a lowest number above 0 for log")
        elif len({repr(value) for value in self.values}) < len(self.values):
            raise ValueError("must not name a value twice")
        return self

    @property
    def bounds(self) -> tuple[Real, Real] | None:
        """The lowest and the highest number; None of a list."""
        return self.float or self.int

    @property
    def values(self) -> tuple[Any, ...]:
        """The values of a list; those at the ends of a range."""
        return self.grid or self.choice or self.bounds or ()


class Branch(Settings):
    """Fields that vary only where another one has a certain value."""

    when: dict[str, Any] = Field(min_length=1, max_length=1)
    """A field of the space, and the value of it that opens the branch."""
    space: dict[str, Dimension] = Field(min_length=1)
    """What varies there."""


class ExperimentSettings(Settings):
    """What is varied: an experiment's file, with settings laid over it."""

    modality: str
    """The modality that trains: audio or text."""
    file: str | None = None
    """The experiment's YAML file, as seen from the space's own; null starts from the defaults."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Settings that are laid over the file's."""


class ObjectiveSettings(Settings):
    """What is searched for."""

    metric: Literal["uar", "accuracy", "weighted_f1", "loss"] = "uar"
    """The score of a point is its best epoch's; loss is the one that should be low."""
    split: Literal["dev"] = "dev"
    """Where it is measured: on dev. Test is never touched by a sweep."""

    @field_validator("split", mode="before")
    @classmethod
    def _is_not_test(cls, split: Any) -> Any:
        if split == "test":
            raise ValueError("must be dev: a sweep never touches test")
        return split

    @property
    def is_lowered(self) -> bool:
        """Whether less is better."""
        return self.metric == "loss"


class BudgetSettings(Settings):
    """How much is spent."""

    trials: int | None = Field(None, ge=1)
    """The most points; null takes a grid's whole size; other samplers must be told."""
    hours: float | None = Field(None, gt=0)
    """Wall-clock time of one command, in hours; what is not done then is left for --resume."""


class ConfirmSettings(Settings):
    """What is trained again when the search has ended, so that the winner is no lucky seed."""

    best: int = Field(3, ge=0)
    """How many of the best points; 0 confirms none."""
    seeds: int = Field(5, ge=2)
    """How many fresh seeds each."""


class SweepSettings(Settings):
    """Everything of one sweep."""

    name: str = Field("sweep", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    """What the sweep is called, in reports and in a storage that it shares with others."""
    kind: Literal["sweep"] = "sweep"
    """What the settings are for."""
    experiment: ExperimentSettings
    """What is varied."""
    space: dict[str, Dimension] = Field(default_factory=dict)
    """The experiment's field (such as training.lr) -> what it may be."""
    branches: tuple[Branch, ...] = ()
    """Fields that vary only where another has a certain value."""
    objective: ObjectiveSettings = ObjectiveSettings()
    """What is searched for."""
    sampler: Literal["auto", "grid", "tpe", "random", "cmaes"] = "auto"
    """How points are chosen: auto takes the grid where every dimension is one, else TPE."""
    pruner: Literal["none", "median", "hyperband"] = "none"
    """Which points are stopped early: none, those below the median of the others, or as Hyperband allots epochs."""
    budget: BudgetSettings = BudgetSettings()
    """How much is spent."""
    seeds: int = Field(1, ge=1)
    """Seeds that each point is trained with; its score is their mean. Pruning looks at the first."""
    confirm: ConfirmSettings = ConfirmSettings()
    """What is trained again at the end."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Where the sampler's drawing begins."""

    @property
    def is_grid(self) -> bool:
        """Whether every point is known before the search."""
        every = [*self.space.values(), *(dimension for branch in self.branches for dimension in branch.space.values())]
        return self.sampler == "grid" or (self.sampler == "auto" and all(dimension.grid for dimension in every))
