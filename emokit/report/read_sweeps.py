"""Sweeps on the page: a sweep's folder read from its `sweep.json`, and a grid's points laid out as a table."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from emokit.errors import EmokitError
from emokit.files import read_json
from emokit.report.read_runs import Unread, slug_of
from emokit.report.shapes import Schema, check

SWEEP = "sweep.json"
METRICS = {"uar": "UAR", "accuracy": "accuracy", "weighted_f1": "weighted F1", "loss": "loss"}
# A table of more columns is no table to read.
MOST_COLUMNS = 12
MOST_POINTS = 10


class Objective(Schema):
    """What was searched for."""

    metric: str
    lower_is_better: bool = False


class Dimension(Schema):
    """A field that was varied; of a range the two ends."""

    field: str
    values: list[Any]
    is_range: bool = False
    log: bool = False

    @property
    def name(self) -> str:
        """Without its group."""
        return self.field.rpartition(".")[2]

    @property
    def is_numeric(self) -> bool:
        """Whether its values can be laid on an axis."""
        return all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.values)

    @property
    def is_log(self) -> bool:
        """Whether that axis should be logarithmic."""
        if self.log or not self.is_numeric or min(self.values) <= 0:
            return self.log
        return max(self.values) / min(self.values) > 4


class Trial(Schema):
    """A point that was tried; `value` is its best epoch's score."""

    point: str
    state: str
    params: dict[str, Any]
    value: float | None = None
    best_epoch: int | None = None
    epochs: int = 0
    reason: str = ""


class Confirmed(Schema):
    """A point that was trained again with fresh seeds."""

    point: str
    params: dict[str, Any]
    values: list[float]
    mean: float
    deviation: float
    collapsed: int = 0


class Best(Schema):
    """The point that was chosen."""

    point: str
    params: dict[str, Any]
    value: float
    deviation: float | None = None
    values: tuple[float, ...] = ()
    is_confirmed: bool = False


class Sweep(Schema):
    """A sweep's `sweep.json`."""

    name: str
    experiment: str
    experiment_name: str = ""
    objective: Objective
    sampler: str
    pruner: str
    max_epochs: int
    seeds: int = 1
    points: int
    counts: dict[str, int]
    epochs: int
    is_complete: bool
    dimensions: list[Dimension]
    trials: list[Trial]
    confirmed: tuple[Confirmed, ...] = ()
    best: Best | None = None
    importance: dict[str, float] = Field(default_factory=dict)
    data_fingerprint: str = ""

    @property
    def metric(self) -> str:
        """The objective in words."""
        return METRICS.get(self.objective.metric, self.objective.metric)

    @property
    def ended(self) -> list[Trial]:
        """The points that were tried."""
        return [trial for trial in self.trials if trial.state not in ("waiting", "running")]

    @property
    def ranked(self) -> list[Trial]:
        """Points with a score, the best first; one that ended early counts with what it had."""
        sign = 1 if self.objective.lower_is_better else -1
        return sorted(
            (trial for trial in self.trials if trial.value is not None), key=lambda one: sign * (one.value or 0)
        )


@dataclass(frozen=True)
class Searched:
    """A sweep's folder."""

    folder: Path
    slug: str
    found: Sweep

    @property
    def name(self) -> str:
        """What the page calls it."""
        return self.folder.resolve().name

    @property
    def grid(self) -> "Grid | None":
        """Its points as a table, where they are a grid that fits on a page."""
        return lay_out(self.found)

    @property
    def top(self) -> list[Trial]:
        """The few best points."""
        return self.found.ranked[:MOST_POINTS]


@dataclass(frozen=True)
class Grid:
    """A grid as the study shows its own: the first field down, the others across."""

    down: str
    across: tuple[str, ...]
    columns: tuple[tuple[Any, ...], ...]
    """Per column the values of the fields across."""
    rows: tuple[tuple[Any, tuple[Trial | None, ...]], ...]
    """The value of the field down, and its points by column."""


def lay_out(sweep: Sweep) -> Grid | None:
    """The table of a grid: None where points were drawn, where a branch leaves holes, or where it is too wide."""
    first, *others = sweep.dimensions
    columns = tuple(itertools.product(*(dimension.values for dimension in others)))
    if sweep.sampler != "grid" or len(columns) > MOST_COLUMNS or len(first.values) * len(columns) != len(sweep.trials):
        return None
    fields = tuple(dimension.field for dimension in others)
    by_values = {repr([trial.params.get(field) for field in (first.field, *fields)]): trial for trial in sweep.trials}
    rows = tuple((value, tuple(by_values.get(repr([value, *column])) for column in columns)) for value in first.values)
    names = tuple(dimension.name for dimension in others)
    return Grid(first.name, names, columns, rows)


def split(folders: Sequence[Path]) -> tuple[list[Path], list[Searched], list[Unread]]:
    """Take the sweeps out of the folders that were named.

    Returns:
        the other folders, the sweeps, and those that cannot be read.
    """
    others, found, unread = [], [], []
    slugs: set[str] = set()
    for folder in folders:
        path = folder / SWEEP
        if not path.is_file():
            others.append(folder)
            continue
        try:
            slug = f"sweep-{slug_of(folder, slugs)}"
            found.append(Searched(folder, slug, check(Sweep, read_json(path), path)))
            slugs.add(slug.removeprefix("sweep-"))
        except EmokitError as error:
            unread.append(Unread(folder, str(error)))
    return others, found, unread


def plain(value: Any) -> str:
    """A setting's value in a table: `1e-04` as the study writes it, a list as it is."""
    if isinstance(value, float) and value and math.isfinite(value) and abs(value) < 0.001:
        digits, _, power = f"{value:.3g}".partition("e")
        return f"{digits}e{int(power)}" if power else f"{value:.1e}".replace("e-0", "e-").replace(".0e", "e")
    return f"{value:.4g}" if isinstance(value, float) else str(value)
