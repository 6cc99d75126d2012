"""Reads sweep folders for the report, and lays a grid search out as a table."""

import itertools
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emokit import runs
from emokit.errors import EmokitError
from emokit.files import read_json, refuse_links
from emokit.report.read_runs import Unread, slug_of
from emokit.schema.base import check
from emokit.schema.sweep import SWEEP, Sweep, Trial
from emokit.sweep.settings import refuse_old

MAX_COLUMNS = 12  # of a grid's table; wider ones are illegible
MAX_POINTS = 10  # in the list of the best


@dataclass(frozen=True)
class Searched:
    """A sweep's folder and its `sweep.json`."""

    folder: Path
    slug: str
    sweep: Sweep

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.resolve().name

    @property
    def grid(self) -> "Grid | None":
        """Its points as a table; None where they are not a grid or do not fit on a page."""
        return lay_out(self.sweep)

    @property
    def top(self) -> list[Trial]:
        """The best points."""
        return self.sweep.ranked[:MAX_POINTS]


@dataclass(frozen=True)
class Grid:
    """A grid search as a table: the first field down, the others across."""

    down: str
    across: tuple[str, ...]
    columns: tuple[tuple[Any, ...], ...]
    """Per column the values of the fields across."""
    rows: tuple[tuple[Any, tuple[Trial | None, ...]], ...]
    """The value of the field down, and its trials by column."""


def lay_out(sweep: Sweep) -> Grid | None:
    """The table of a grid; None where points were sampled, a branch leaves cells empty, or the table is too wide."""
    first, *others = sweep.dimensions
    columns = tuple(itertools.product(*(dimension.values for dimension in others)))
    if sweep.sampler != "grid" or len(columns) > MAX_COLUMNS or len(first.values) * len(columns) != len(sweep.trials):
        return None
    fields = tuple(dimension.field for dimension in others)
    by_values = {repr([trial.params.get(field) for field in (first.field, *fields)]): trial for trial in sweep.trials}
    rows = tuple((value, tuple(by_values.get(repr([value, *column])) for column in columns)) for value in first.values)
    names = tuple(dimension.name for dimension in others)
    return Grid(first.name, names, columns, rows)


def split(folders: Sequence[Path]) -> tuple[list[Path], list[Searched], list[Unread]]:
    """Separate sweep folders from other folders.

    Returns:
        the other folders, the sweeps, and the sweeps that cannot be read.
    """
    others, searched, unread = [], [], []
    slugs: set[str] = set()
    for folder in folders:
        path = folder / SWEEP
        if not os.path.lexists(path):
            others.append(folder)
            continue
        try:
            refuse_links(folder)
            if (folder / runs.SETTINGS).exists():
                refuse_old(folder, runs.read_settings(folder))
            slug = f"sweep-{slug_of(folder, slugs)}"
            searched.append(Searched(folder, slug, check(Sweep, read_json(path), path)))
            slugs.add(slug.removeprefix("sweep-"))
        except EmokitError as error:
            unread.append(Unread(folder, str(error)))
    return others, searched, unread


def plain(value: Any) -> str:
    """A setting's value in a table: small numbers such as `1e-4` in scientific notation, lists unchanged."""
    if isinstance(value, float) and value and math.isfinite(value) and abs(value) < 0.001:
        digits, _, power = f"{value:.3g}".partition("e")
        return f"{digits}e{int(power)}" if power else f"{value:.1e}".replace("e-0", "e-").replace(".0e", "e")
    return f"{value:.4g}" if isinstance(value, float) else str(value)
