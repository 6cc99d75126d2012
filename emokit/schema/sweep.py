"""`sweep.json`: the trials of a hyperparameter search and the best of them."""

from typing import Any, Self

from pydantic import Field, model_validator

from emokit.schema.base import Count, Flag, Number, Schema
from emokit.settings import Name

SWEEP = "sweep.json"
POINT = r"^[0-9]{1,9}(/seed-[0-9]{1,19})?$"
"""The key of a point, `0007` or `0007/seed-3`, which is also its folder below `trials/` or `confirm/`."""
METRIC_NAMES = {"uar": "UAR", "accuracy": "accuracy", "weighted_f1": "weighted F1", "loss": "loss"}
LARGEST = 1e39  # of the values on an axis; on a logarithmic one the smallest is its inverse
LOG_AXIS_RATIO = 4  # of the largest to the smallest value, above which an axis is logarithmic


class Storage(Schema):
    """A sweep's `storage.json`: the URL of its database without the password; None for a journal file."""

    url: str | None


class Objective(Schema):
    """The score that is optimised."""

    metric: str
    split: str = "dev"
    lower_is_better: Flag = False


class Confirm(Schema):
    """How many of the best points are trained again, each with how many seeds."""

    best: Count
    seeds: Count


class Dimension(Schema):
    """A field of the search space; `values` of a range are its two ends."""

    field: str
    values: list[Any] = Field(min_length=1)
    is_range: Flag = False
    log: Flag = False

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

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Self:
        if not all(map(self.holds, self.values)):
            raise ValueError(f"has values of {self.field} that are outside of its axis")
        return self

    def holds(self, value: Any) -> bool:
        """Whether a value has a position on its axis."""
        if not self.is_numeric:
            return repr(value) in map(repr, self.values)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and abs(value) <= LARGEST and (value >= 1 / LARGEST or not self.is_log)


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
    value: Number | None = None
    best_epoch: Count | None = None
    epochs: Count = 0
    seconds: Number | None = None
    reason: str = ""
    values: list[Number] = Field(default_factory=list)
    halved: Flag = False
    attempt: Count = 0
    by_epoch: list[tuple[Count, Number]] = Field(default_factory=list)


class Confirmed(Schema):
    """A point that was trained again with new seeds; `collapsed` counts the seeds that collapsed."""

    point: str = Field(pattern=POINT)
    params: dict[str, Any]
    values: list[Number]
    mean: Number
    deviation: Number
    collapsed: Count = 0


class Best(Schema):
    """The selected point."""

    point: str = Field(pattern=POINT)
    params: dict[str, Any]
    value: Number
    deviation: Number | None = None
    values: tuple[Number, ...] = ()
    is_confirmed: Flag = False


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
    max_epochs: Count
    seeds: Count = 1
    confirm: Confirm | None = None
    dimensions: list[Dimension] = Field(min_length=1)
    points: Count
    counts: dict[str, Count]
    epochs: Count
    is_complete: Flag
    trials: list[Trial]
    confirmations: list[Trial] = Field(default_factory=list)
    confirmed: tuple[Confirmed, ...] = ()
    best: Best | None = None
    importance: dict[str, Number] = Field(default_factory=dict)
    data_fingerprint: str = ""
    started: str = ""

    @model_validator(mode="after")
    def _fits_its_dimensions(self) -> Self:
        for trial in self.trials:
            if "/" in trial.point:
                raise ValueError(f"has the seed {trial.point} among its points")
            for dimension in self.dimensions:
                if dimension.field in trial.params and not dimension.holds(trial.params[dimension.field]):
                    raise ValueError(f"has a point {trial.point} whose {dimension.field} is outside of its dimension")
        return self

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
