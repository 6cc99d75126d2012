"""`sweep.json`: the trials of a hyperparameter search and the best of them."""

from typing import Any

from pydantic import Field

from emokit.schema.base import Schema
from emokit.settings import Name

SWEEP = "sweep.json"
POINT = r"^[0-9]+(/seed-[0-9]+)?$"
"""The key of a point, `0007` or `0007/seed-3`, which is also its folder below `trials/` or `confirm/`."""
METRIC_NAMES = {"uar": "UAR", "accuracy": "accuracy", "weighted_f1": "weighted F1", "loss": "loss"}
LOG_AXIS_RATIO = 4  # of the largest to the smallest value, above which an axis is logarithmic


class Storage(Schema):
    """A sweep's `storage.json`: the URL of its database without the password; None for a journal file."""

    url: str | None


class Objective(Schema):
    """The score that is optimised."""

    metric: str
    split: str = "dev"
    lower_is_better: bool = False


class Confirm(Schema):
    """How many of the best points are trained again, each with how many seeds."""

    best: int
    seeds: int


class Dimension(Schema):
    """A field of the search space; `values` of a range are its two ends."""

    field: str
    values: list[Any] = Field(min_length=1)
    is_range: bool = False
    log: bool = False

    @property
    def name(self) -> str:
        """The field without its group."""
        return self.field.rpartition(".")[2]

    @property
    def is_numeric(self) -> bool:
        """Whether its values can be drawn on an axis."""
        return all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.values)

    @property
    def is_log(self) -> bool:
        """Whether that axis is logarithmic."""
        if self.log or not self.is_numeric or min(self.values) <= 0:
            return self.log
        return bool(max(self.values) / min(self.values) > LOG_AXIS_RATIO)


class Trial(Schema):
    """The training of one point.

    Attributes:
        value: the score of its best epoch, the mean over its seeds.
        values: the score of each seed.
        by_epoch: (epoch, score) pairs.
        halved: whether its batch size was halved to fit into memory.
    """

    point: str = Field(pattern=POINT)
    state: str
    params: dict[str, Any]
    value: float | None = None
    best_epoch: int | None = None
    epochs: int = 0
    seconds: float | None = None
    reason: str = ""
    values: list[float] = Field(default_factory=list)
    halved: bool = False
    attempt: int = 0
    by_epoch: list[tuple[int, float]] = Field(default_factory=list)


class Confirmed(Schema):
    """A point that was trained again with new seeds; `collapsed` counts the seeds that collapsed."""

    point: str = Field(pattern=POINT)
    params: dict[str, Any]
    values: list[float]
    mean: float
    deviation: float
    collapsed: int = 0


class Best(Schema):
    """The selected point."""

    point: str = Field(pattern=POINT)
    params: dict[str, Any]
    value: float
    deviation: float | None = None
    values: tuple[float, ...] = ()
    is_confirmed: bool = False


class Sweep(Schema):
    """A sweep's `sweep.json`.

    Attributes:
        modality: the modality that is trained.
        counts: state -> number of trials.
        epochs: number of epochs of all trials together.
        confirmations: the trainings of the confirmed points.
        importance: field -> share of the score's variance that it explains.
    """

    kind: str = "sweep"
    name: Name
    modality: str
    experiment_name: str = ""
    objective: Objective
    sampler: str
    pruner: str
    max_epochs: int
    seeds: int = 1
    confirm: Confirm | None = None
    dimensions: list[Dimension]
    points: int
    counts: dict[str, int]
    epochs: int
    is_complete: bool
    trials: list[Trial]
    confirmations: list[Trial] = Field(default_factory=list)
    confirmed: tuple[Confirmed, ...] = ()
    best: Best | None = None
    importance: dict[str, float] = Field(default_factory=dict)
    data_fingerprint: str = ""
    started: str = ""

    @property
    def metric(self) -> str:
        """The objective in words."""
        return METRIC_NAMES.get(self.objective.metric, self.objective.metric)

    @property
    def ended(self) -> list[Trial]:
        """The trials that are over."""
        return [trial for trial in self.trials if trial.state not in ("waiting", "running")]

    @property
    def ranked(self) -> list[Trial]:
        """Trials with a score, the best first; one that ended early counts with the score that it reached."""
        sign = 1 if self.objective.lower_is_better else -1
        return sorted(
            (trial for trial in self.trials if trial.value is not None), key=lambda trial: sign * (trial.value or 0)
        )
