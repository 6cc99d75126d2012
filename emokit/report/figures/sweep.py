"""The figures of a sweep: its history, what mattered, each field by itself, all fields at once."""

import math
from typing import Any

import numpy
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emokit.report.figures.style import BLUE, CELL, FAINT, INK, QUIET, VERMILLION, Drawing, drawing
from emokit.report.read_sweeps import plain
from emokit.schema.sweep import Dimension, Sweep, Trial

SHADES = LinearSegmentedColormap.from_list("sweep", [FAINT, CELL])
# Beyond this many, fields make figures that nobody can read; the most important ones come first.
MOST_FIELDS = 6


def draw(sweep: Sweep) -> dict[str, tuple[str, Drawing]]:
    """Every figure that the sweep has numbers for: the stem of its files -> its caption and the drawing."""
    scored = [trial for trial in sweep.trials if trial.value is not None]
    if len(scored) < 2:
        return {}
    fields = _fields(sweep)
    drawn = {"history": (f"History: {sweep.metric} on dev of each point", history(sweep, scored))}
    if sweep.importance:
        drawn["importance"] = (
            "Importance of each field, by fANOVA over the points that were trained to their end",
            importance(sweep),
        )
    drawn["slices"] = (f"Slices: {sweep.metric} on dev over each field", slices(sweep, scored, fields))
    if len(fields) > 1:
        drawn["parallel"] = ("Parallel coordinates: a line is a point", parallel(sweep, scored, fields))
    return drawn


def history(sweep: Sweep, scored: list[Trial]) -> Drawing:
    """The score of each point in the order in which they were made, and the best so far."""
    numbers = [int(trial.point) for trial in scored]
    values = [_shown(sweep, trial.value) for trial in scored]
    best = numpy.minimum.accumulate(values) if sweep.objective.lower_is_better else numpy.maximum.accumulate(values)

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        axes.step(numbers, best, where="post", color=QUIET, linewidth=0.8)
        _points(axes, numbers, values, scored)
        axes.set_title(_axis(sweep))
        axes.set_xlabel("point")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        axes.margins(y=0.15)
        _legend(axes, scored)

    shows = f"Score of {len(scored)} points in the order in which they were made, with the best so far."
    rows = [(trial.point, trial.state, trial.value, trial.epochs) for trial in scored]
    return drawing(paint, 2.3, shows, ("point", "state", "value", "epochs"), rows)


def importance(sweep: Sweep) -> Drawing:
    """How much of the score's variance each field explains, by fANOVA."""
    shares = sorted(sweep.importance.items(), key=lambda pair: -pair[1])
    names = [field.rpartition(".")[2] for field, _ in shares]

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        axes.barh(range(len(shares)), [100 * share for _, share in shares], color=BLUE, height=0.6)
        axes.set(ylim=(len(shares) - 0.5, -0.5), xlabel="share of the variance, %")
        axes.set_yticks(range(len(shares)), names, parse_math=False)
        axes.tick_params(axis="y", length=0, colors=INK)

    listed = ", ".join(f"{name} {100 * share:.0f} %" for name, (_, share) in zip(names, shares, strict=True))
    return drawing(paint, 0.7 + 0.25 * len(shares), f"Importance: {listed}.", ("field", "share"), list(shares))


def slices(sweep: Sweep, scored: list[Trial], fields: list[Dimension]) -> Drawing:
    """The scores over the values of each field, whatever the other fields were."""
    num_rows = (len(fields) + 1) // 2

    def paint(figure: Figure) -> None:
        flat = figure.subplots(num_rows, 2, sharey=True, squeeze=False).ravel()
        for axes, dimension in zip(flat, fields, strict=False):
            there = [trial for trial in scored if dimension.field in trial.params]
            places = [_place(dimension, trial.params[dimension.field]) for trial in there]
            _points(axes, places, [_shown(sweep, trial.value) for trial in there], there)
            _ticks(axes, dimension)
            axes.set_xlabel(dimension.name, parse_math=False)
            axes.margins(x=0.12, y=0.1)
        for axes in flat[len(fields) :]:
            axes.set_visible(False)
        flat[0].set_title(_axis(sweep))

    rows = [
        (dimension.field, trial.point, str(trial.params[dimension.field]), trial.value, trial.state)
        for dimension in fields
        for trial in scored
        if dimension.field in trial.params
    ]
    shows = f"Score over each of {', '.join(dimension.name for dimension in fields)}."
    return drawing(paint, 0.3 + 1.5 * num_rows, shows, ("field", "point", "setting", "value", "state"), rows)


def parallel(sweep: Sweep, scored: list[Trial], fields: list[Dimension]) -> Drawing:
    """A line per point through its value of every field, the deeper the better; a field that a point lacks leaves a gap."""
    values = [trial.value or 0.0 for trial in scored]
    low, high = min(values), max(values)

    def depth(trial: Trial) -> float:
        share = ((trial.value or 0.0) - low) / (high - low) if high > low else 1.0
        return 1 - share if sweep.objective.lower_is_better else share

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        for trial in sorted(scored, key=depth):
            heights = [
                _share(dimension, trial.params[dimension.field]) if dimension.field in trial.params else math.nan
                for dimension in fields
            ]
            style = "-" if trial.state == "complete" else ":"
            axes.plot([*heights, depth(trial)], style, color=SHADES(depth(trial)), linewidth=0.6 + 1.2 * depth(trial))
        names = [*(dimension.name for dimension in fields), sweep.metric]
        axes.set_xticks(range(len(names)), names, rotation=20, ha="right", rotation_mode="anchor", parse_math=False)
        for place, dimension in enumerate(fields):
            axes.axvline(place, color=FAINT, linewidth=0.6, zorder=0)
            for value in _ends(dimension):
                _mark(axes, place, _share(dimension, value), plain(value))
        for trial in (min(scored, key=depth), max(scored, key=depth)) if high > low else scored[:1]:
            _mark(axes, len(fields), depth(trial), f"{_shown(sweep, trial.value):.3g}")
        axes.set(yticks=[], ylim=(-0.14, 1.14))
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.tick_params(length=0)

    header = ("point", "state", "value", *(dimension.field for dimension in fields))
    rows: list[tuple[Any, ...]] = [
        (trial.point, trial.state, trial.value, *(str(trial.params.get(one.field, "")) for one in fields))
        for trial in scored
    ]
    shows = f"Parallel coordinates of {len(scored)} points; the last axis is {sweep.metric} on dev, better above."
    return drawing(paint, 2.5, shows, header, rows)


def _mark(axes: Axes, place: int, height: float, text: str) -> None:
    """Write a value at an axis of the parallel coordinates; those at its ends stand beyond all lines."""
    offset, across, up = (3, 0), "left", "bottom"
    if height in (0, 1):
        offset, across, up = ((0, 3), "center", "bottom") if height else ((0, -3), "center", "top")
    axes.annotate(
        text,
        (place, height),
        xytext=offset,
        textcoords="offset points",
        fontsize=6,
        color=INK,
        ha=across,
        va=up,
        zorder=5,
        parse_math=False,
    )


def _fields(sweep: Sweep) -> list[Dimension]:
    """The fields to draw: the most important ones where there are too many."""
    ranked = sorted(sweep.dimensions, key=lambda one: -sweep.importance.get(one.field, 0.0))
    kept = {dimension.field for dimension in ranked[:MOST_FIELDS]}
    return [dimension for dimension in sweep.dimensions if dimension.field in kept]


def _shown(sweep: Sweep, value: float | None) -> float:
    return (value or 0.0) * (1 if sweep.objective.metric == "loss" else 100)


def _axis(sweep: Sweep) -> str:
    return f"{sweep.metric} on dev" + ("" if sweep.objective.metric == "loss" else ", %")


def _points(axes: Axes, places: list[Any], values: list[float], trials: list[Trial]) -> None:
    """A dot for a point that was trained to its end, a ring where it was pruned, a cross where it collapsed."""
    for state, mark, colour, fill in (
        ("complete", "o", BLUE, BLUE),
        ("pruned", "o", BLUE, "none"),
        ("collapsed", "X", VERMILLION, VERMILLION),
    ):
        chosen = [number for number, trial in enumerate(trials) if trial.state == state]
        xs, ys = [places[number] for number in chosen], [values[number] for number in chosen]
        axes.plot(xs, ys, mark, color=colour, markerfacecolor=fill, markersize=3.5, linestyle="")


def _legend(axes: Axes, trials: list[Trial]) -> None:
    states = {trial.state for trial in trials}
    words = {"collapsed": ("× collapsed", VERMILLION), "pruned": ("○ pruned", BLUE)}
    place = 1.0
    for text, colour in (words[state] for state in words if state in states):
        axes.text(place, 1.02, text, color=colour, transform=axes.transAxes, va="bottom", ha="right")
        place -= 0.26


def _place(dimension: Dimension, value: Any) -> Any:
    """Where a value lies on its axis: a number where it is, a word at its place in the list."""
    return value if dimension.is_numeric else _rank(dimension, value)


def _rank(dimension: Dimension, value: Any) -> int:
    return [repr(one) for one in dimension.values].index(repr(value))


def _share(dimension: Dimension, value: Any) -> float:
    """Where a value lies between the lowest and the highest, 0 to 1."""
    if not dimension.is_numeric:
        return _rank(dimension, value) / max(1, len(dimension.values) - 1)
    scale = math.log if dimension.is_log else float
    low, high = scale(min(dimension.values)), scale(max(dimension.values))
    return (scale(value) - low) / (high - low) if high > low else 0.5


def _ends(dimension: Dimension) -> list[Any]:
    if dimension.is_numeric:
        return sorted({min(dimension.values), max(dimension.values)})
    return list(dimension.values)


def _ticks(axes: Axes, dimension: Dimension) -> None:
    if not dimension.is_numeric:
        names = [plain(value) for value in dimension.values]
        axes.set_xticks(range(len(names)), names, rotation=20, ha="right", rotation_mode="anchor", parse_math=False)
        return
    if dimension.is_log:
        axes.set_xscale("log")
    if not dimension.is_range:
        axes.set_xticks(dimension.values, [plain(value) for value in dimension.values])
        axes.minorticks_off()
    elif not dimension.is_log and all(isinstance(value, int) for value in dimension.values):
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
