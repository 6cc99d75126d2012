"""The figures of a sweep: history, field importance, slices, parallel coordinates."""

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
# Figures of more fields are illegible; the most important ones are drawn.
MAX_FIELDS = 6


def draw(sweep: Sweep) -> dict[str, tuple[str, Drawing]]:
    """Draw every figure that the sweep has numbers for: file stem -> caption and drawing."""
    scored = [trial for trial in sweep.trials if trial.value is not None]
    if len(scored) < 2:
        return {}
    fields = _fields(sweep)
    drawings = {"history": (f"History: {sweep.metric} on dev per point", history(sweep, scored))}
    if sweep.importance:
        drawings["importance"] = (
            "Importance of each field (fANOVA over the completed points)",
            importance(sweep),
        )
    drawings["slices"] = (f"Slices: {sweep.metric} on dev over each field", slices(sweep, scored, fields))
    if len(fields) > 1:
        drawings["parallel"] = ("Parallel coordinates: one line per point", parallel(sweep, scored, fields))
    return drawings


def history(sweep: Sweep, scored: list[Trial]) -> Drawing:
    """Plot the score of each point in the order of sampling, and the best so far."""
    numbers = [int(trial.point) for trial in scored]
    values = [_displayed(sweep, trial.value) for trial in scored]
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

    alt_text = f"Score of {len(scored)} points in the order of sampling, with the best so far."
    rows = [(trial.point, trial.state, trial.value, trial.epochs) for trial in scored]
    return drawing(paint, 2.3, alt_text, ("point", "state", "value", "epochs"), rows)


def importance(sweep: Sweep) -> Drawing:
    """Plot the share of the score's variance that each field explains (fANOVA)."""
    shares = sorted(sweep.importance.items(), key=lambda pair: -pair[1])
    names = [field.rpartition(".")[2] for field, _ in shares]

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        axes.barh(range(len(shares)), [100 * share for _, share in shares], color=BLUE, height=0.6)
        axes.set(ylim=(len(shares) - 0.5, -0.5), xlabel="share of variance, %")
        axes.set_yticks(range(len(shares)), names, parse_math=False)
        axes.tick_params(axis="y", length=0, colors=INK)

    listed = ", ".join(f"{name} {100 * share:.0f} %" for name, (_, share) in zip(names, shares, strict=True))
    return drawing(paint, 0.7 + 0.25 * len(shares), f"Importance: {listed}.", ("field", "share"), list(shares))


def slices(sweep: Sweep, scored: list[Trial], fields: list[Dimension]) -> Drawing:
    """Plot the scores over the values of each field, across all values of the other fields."""
    num_rows = (len(fields) + 1) // 2

    def paint(figure: Figure) -> None:
        panels = figure.subplots(num_rows, 2, sharey=True, squeeze=False).ravel()
        for axes, dimension in zip(panels, fields, strict=False):
            trials = [trial for trial in scored if dimension.field in trial.params]
            positions = [_position(dimension, trial.params[dimension.field]) for trial in trials]
            _points(axes, positions, [_displayed(sweep, trial.value) for trial in trials], trials)
            _ticks(axes, dimension)
            axes.set_xlabel(dimension.name, parse_math=False)
            axes.margins(x=0.12, y=0.1)
        for axes in panels[len(fields) :]:
            axes.set_visible(False)
        panels[0].set_title(_axis(sweep))

    rows = [
        (dimension.field, trial.point, str(trial.params[dimension.field]), trial.value, trial.state)
        for dimension in fields
        for trial in scored
        if dimension.field in trial.params
    ]
    alt_text = f"Score over each of {', '.join(dimension.name for dimension in fields)}."
    return drawing(paint, 0.3 + 1.5 * num_rows, alt_text, ("field", "point", "setting", "value", "state"), rows)


def parallel(sweep: Sweep, scored: list[Trial], fields: list[Dimension]) -> Drawing:
    """Plot one line per point through its value of every field, darker for better; a missing field leaves a gap."""
    values = [trial.value or 0.0 for trial in scored]
    low, high = min(values), max(values)

    def quality(trial: Trial) -> float:
        relative = ((trial.value or 0.0) - low) / (high - low) if high > low else 1.0
        return 1 - relative if sweep.objective.lower_is_better else relative

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        for trial in sorted(scored, key=quality):
            heights = [
                _relative_position(dimension, trial.params[dimension.field])
                if dimension.field in trial.params
                else math.nan
                for dimension in fields
            ]
            style = "-" if trial.state == "complete" else ":"
            axes.plot(
                [*heights, quality(trial)], style, color=SHADES(quality(trial)), linewidth=0.6 + 1.2 * quality(trial)
            )
        names = [*(dimension.name for dimension in fields), sweep.metric]
        axes.set_xticks(range(len(names)), names, rotation=20, ha="right", rotation_mode="anchor", parse_math=False)
        for x, dimension in enumerate(fields):
            axes.axvline(x, color=FAINT, linewidth=0.6, zorder=0)
            for value in _ends(dimension):
                _mark(axes, x, _relative_position(dimension, value), plain(value))
        for trial in (min(scored, key=quality), max(scored, key=quality)) if high > low else scored[:1]:
            _mark(axes, len(fields), quality(trial), f"{_displayed(sweep, trial.value):.3g}")
        axes.set(yticks=[], ylim=(-0.14, 1.14))
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.tick_params(length=0)

    header = ("point", "state", "value", *(dimension.field for dimension in fields))
    rows: list[tuple[Any, ...]] = [
        (trial.point, trial.state, trial.value, *(str(trial.params.get(dimension.field, "")) for dimension in fields))
        for trial in scored
    ]
    alt_text = f"Parallel coordinates of {len(scored)} points; the last axis is {sweep.metric} on dev, best at the top."
    return drawing(paint, 2.5, alt_text, header, rows)


def _mark(axes: Axes, x: int, height: float, text: str) -> None:
    """Write a value at an axis of the parallel coordinates; the two ends are written outside the axis."""
    offset, horizontal, vertical = (3, 0), "left", "bottom"
    if height in (0, 1):
        offset, horizontal, vertical = ((0, 3), "center", "bottom") if height else ((0, -3), "center", "top")
    axes.annotate(
        text,
        (x, height),
        xytext=offset,
        textcoords="offset points",
        fontsize=6,
        color=INK,
        ha=horizontal,
        va=vertical,
        zorder=5,
        parse_math=False,
    )


def _fields(sweep: Sweep) -> list[Dimension]:
    """The fields to draw: at most `MAX_FIELDS`, the most important ones."""
    ranked = sorted(sweep.dimensions, key=lambda dimension: -sweep.importance.get(dimension.field, 0.0))
    return [dimension for dimension in sweep.dimensions if dimension in ranked[:MAX_FIELDS]]


def _displayed(sweep: Sweep, value: float | None) -> float:
    return (value or 0.0) * (1 if sweep.objective.metric == "loss" else 100)


def _axis(sweep: Sweep) -> str:
    return f"{sweep.metric} on dev" + ("" if sweep.objective.metric == "loss" else ", %")


def _points(axes: Axes, positions: list[Any], values: list[float], trials: list[Trial]) -> None:
    """Plot a dot per completed point, a ring per pruned one, a cross per collapsed one."""
    for state, mark, colour, fill in (
        ("complete", "o", BLUE, BLUE),
        ("pruned", "o", BLUE, "none"),
        ("collapsed", "X", VERMILLION, VERMILLION),
    ):
        chosen = [number for number, trial in enumerate(trials) if trial.state == state]
        xs, ys = [positions[number] for number in chosen], [values[number] for number in chosen]
        axes.plot(xs, ys, mark, color=colour, markerfacecolor=fill, markersize=3.5, linestyle="")


def _legend(axes: Axes, trials: list[Trial]) -> None:
    states = {trial.state for trial in trials}
    entries = {"collapsed": ("× collapsed", VERMILLION), "pruned": ("○ pruned", BLUE)}
    right = 1.0
    for text, colour in (entries[state] for state in entries if state in states):
        axes.text(right, 1.02, text, color=colour, transform=axes.transAxes, va="bottom", ha="right")
        right -= 0.26


def _position(dimension: Dimension, value: Any) -> Any:
    """The position of a value on its axis: a number itself, any other value by its index."""
    return value if dimension.is_numeric else _index(dimension, value)


def _index(dimension: Dimension, value: Any) -> int:
    return [repr(choice) for choice in dimension.values].index(repr(value))


def _relative_position(dimension: Dimension, value: Any) -> float:
    """The position of a value between the lowest (0) and the highest (1)."""
    if not dimension.is_numeric:
        return _index(dimension, value) / max(1, len(dimension.values) - 1)
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
