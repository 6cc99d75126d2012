"""Sweeps on the page: a sweep's folder read from its `sweep.json`, and a grid's points laid out as a table."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emokit.errors import EmokitError
from emokit.files import read_json
from emokit.report.read_runs import Unread, slug_of
from emokit.schema.base import check
from emokit.schema.sweep import SWEEP, Sweep, Trial

# A table of more columns is no table to read.
MOST_COLUMNS = 12
MOST_POINTS = 10


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
