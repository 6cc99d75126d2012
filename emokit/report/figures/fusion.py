"""The figures of a fused run: the map of its weights, each modality's confusion matrix, reliability diagrams.

They are drawn from `fusion.json` alone, for the report's page and for the run's `figures/`.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mpltern  # noqa: F401  (registers the projection "ternary")
import numpy
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from emokit.files import read_json
from emokit.report.figures.style import BLUE, CELL, FAINT, INK, VERMILLION, Drawing, confusion_matrix, drawing
from emokit.schema.base import check
from emokit.schema.fusion import FUSION, Fusion, Quality

FOLDER = "figures"
# Marks on the blue map have the same colour on a light and on a dark page, as the map has.
MARK, HALO, CLOUD = "#111316", "#fdfdfd", "#f5b335"
MAP = LinearSegmentedColormap.from_list("emokit", ["#f2f6fb", CELL])

OBJECTIVES = {"weighted_f1": "weighted F1", "macro_f1": "macro F1", "uar": "UAR", "accuracy": "accuracy", "nll": "−NLL"}


def write(run: Path) -> list[Path]:
    """Draw the figures of a complete fused run into its `figures/`; returns the PNGs."""
    drawings = draw(check(Fusion, read_json(run / FUSION), run / FUSION))
    for stem, (_, picture) in drawings.items():
        picture.write(run / FOLDER, stem)
    return [run / FOLDER / f"{stem}.png" for stem in drawings]


def draw(fusion: Fusion) -> dict[str, tuple[str, Drawing]]:
    """Draw every figure: file stem -> caption and drawing.

    Args:
        fusion: the content of `fusion.json`.
    """
    names, objective = fusion.modalities, OBJECTIVES[fusion.settings.objective]
    drawings: dict[str, tuple[str, Drawing]] = {}
    if len(names) == 3:
        drawings["weights"] = f"Fusion weights: {objective} on dev", ternary(fusion)
    elif len(names) == 2:
        drawings["weights"] = f"Fusion weights: {objective} on dev", curve(fusion)
    elif len(names) > 3:
        drawings["weights"] = "Fusion weights with 95 % intervals", intervals(fusion)
    drawings["reliability"] = "Reliability on test, before and after calibration", reliability(fusion)
    for position, name in enumerate(names, start=1):
        matrix = confusion_matrix(fusion.confusion[name]["test"], fusion.labels, f"test by {name} alone")
        drawings[f"confusion-{position}-test"] = f"Confusion matrix, {name} alone, test", matrix
    return drawings


def ternary(fusion: Fusion) -> Drawing:
    """Map the score of every weight triple, with the best one, the plateau around it, and the best of each resample."""
    names, grid = fusion.modalities, fusion.grid
    weights = numpy.array(grid.weights) / sum(grid.weights[0])
    scores, plateau = numpy.array(grid.score), numpy.array(grid.plateau)
    best = numpy.array(fusion.search.best) / sum(fusion.search.best)
    times_best = Counter(map(tuple, fusion.bootstrap.cloud))
    steps = sum(grid.weights[0])

    def draw(figure: Figure) -> None:
        axes: Any = figure.add_subplot(projection="ternary")
        # As an image inside the SVG: as vectors, thousands of triangles would be most of the page.
        image = axes.tripcolor(*weights.T, scores, cmap=MAP, shading="gouraud", rasterized=True)
        if 0 < plateau.sum() < len(plateau):
            axes.tricontour(*weights.T, plateau, levels=[0.5], colors=[HALO], linewidths=0.9)
        centres = numpy.array(list(times_best)) / steps
        sizes = 60 * numpy.array(list(times_best.values())) / sum(times_best.values())
        axes.scatter(*centres.T, s=1 + 3 * sizes, color=CLOUD, linewidths=0, zorder=3)
        axes.plot(*best[:, None], marker="*", color=MARK, markeredgecolor=HALO, markersize=10, linestyle="", zorder=4)
        for side, name in zip("tlr", names, strict=True):
            getattr(axes, f"set_{side}label")(name, parse_math=False)
            getattr(axes, f"{side}axis").set_label_position("corner")
        axes.tick_params(labelsize=6, pad=2)
        bar = figure.colorbar(image, ax=axes, shrink=0.7, pad=0.08, aspect=20)
        bar.outline.set_visible(False)
        bar.ax.tick_params(length=0)
        figure.supxlabel("★ best · inside white line: not significantly different · dots: best per resample", size=6)

    alt_text = (
        f"Map of {len(weights)} weight triples of {', '.join(names)}; the best is "
        f"{' / '.join(f'{weight:.2f}' for weight in best)}, "
        f"{int(plateau.sum())} are not significantly different from it."
    )
    header = (*(f"weight_{name}" for name in names), "score", "on_plateau", "times_best")
    rows = [
        (*point, score, is_level, times_best[tuple(in_steps)])
        for point, score, is_level, in_steps in zip(
            weights.tolist(), scores, plateau.tolist(), grid.weights, strict=True
        )
    ]
    return drawing(draw, 2.9, alt_text, header, rows)


def curve(fusion: Fusion) -> Drawing:
    """Plot the score over the weight of the first of two modalities, its interval, the plateau, and the resamples' best."""
    first, second = fusion.modalities
    grid, steps = fusion.grid, sum(fusion.grid.weights[0])
    order = numpy.argsort([pair[0] for pair in grid.weights])
    weight, score, low, high, plateau = (
        numpy.array(values)[order]
        for values in (
            [pair[0] / steps for pair in grid.weights],
            grid.score,
            grid.low,
            grid.high,
            grid.plateau,
        )
    )
    counts = Counter(pair[0] for pair in fusion.bootstrap.cloud)
    best = fusion.search.best[0] / steps
    times_best = [counts[round(value * steps)] for value in weight]

    def draw(figure: Figure) -> None:
        axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        axes.fill_between(weight, low, high, color=BLUE, alpha=0.15, linewidth=0)
        axes.plot(weight, score, color=BLUE)
        is_level = plateau.astype(bool)
        axes.plot(weight[is_level], score[is_level], ".", color=BLUE, markersize=3)
        axes.plot([best], [score[weight == best][0]], "*", color=VERMILLION, markersize=9)
        axes.set_title(f"{OBJECTIVES[fusion.settings.objective]} on dev, 95 % band; dots: plateau")
        below.bar(weight, times_best, width=0.9 / steps, color=VERMILLION)
        below.set_title("resamples in which it is best")
        below.set_xlabel(f"weight of {first} (the rest is {second})", parse_math=False)

    alt_text = f"Score over the weight of {first} beside {second}; the best is {best:.2f}."
    header = (f"weight_{first}", "score", "low", "high", "on_plateau", "times_best")
    rows = list(zip(weight, score, low, high, plateau, times_best, strict=True))
    return drawing(draw, 3.0, alt_text, header, rows)


def intervals(fusion: Fusion) -> Drawing:
    """Plot the best weights with their intervals over resamples; for four modalities and more."""
    names = fusion.modalities
    best = [weight / sum(fusion.search.best) for weight in fusion.search.best]
    bounds = fusion.bootstrap.weights

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for position, (weight, (low, high)) in enumerate(zip(best, bounds, strict=True)):
            axes.plot([low, high], [position, position], color=FAINT, linewidth=2.5, solid_capstyle="round")
            axes.plot([weight], [position], "o", color=BLUE, markersize=5)
        axes.set(xlim=(-0.03, 1.03), ylim=(len(names) - 0.5, -0.5), xlabel="weight")
        axes.set_yticks(range(len(names)), names, parse_math=False)
        axes.tick_params(axis="y", length=0, colors=INK)

    rows = [(name, weight, *bound) for name, weight, bound in zip(names, best, bounds, strict=True)]
    alt_text = f"Weights of {', '.join(names)} with 95 % intervals over resamples."
    return drawing(draw, 0.8 + 0.3 * len(names), alt_text, ("modality", "weight", "low", "high"), rows)


def reliability(fusion: Fusion) -> Drawing:
    """Plot accuracy over confidence in 15 bins, per modality and fused; perfect calibration lies on the diagonal."""
    calibration = fusion.calibration
    num_rows = (len(calibration) + 1) // 2

    def draw(figure: Figure) -> None:
        panels = figure.subplots(num_rows, 2, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, (name, entry) in zip(panels, calibration.items(), strict=False):
            axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, zorder=0)
            for state, colour, fill in (("before", VERMILLION, "none"), ("after", BLUE, BLUE)):
                bins = entry.test[state].bins
                most = max(count for count, _, _ in bins)
                axes.plot([x for _, x, _ in bins], [y for _, _, y in bins], color=colour, linewidth=0.7)
                sizes = [3 + 25 * count / most for count, _, _ in bins]
                axes.scatter(
                    [x for _, x, _ in bins],
                    [y for _, _, y in bins],
                    s=sizes,
                    edgecolors=colour,
                    facecolors=fill,
                    linewidths=0.7,
                    clip_on=False,
                )
            _label(axes, name, entry.test)
        for axes in panels[len(calibration) :]:
            axes.set_visible(False)
        for axes in panels[max(0, len(calibration) - 2) : len(calibration)]:
            axes.set_xlabel("confidence")
            axes.tick_params(labelbottom=True)
        panels[0].set_ylabel("accuracy")

    rows = [
        (name, state, *row)
        for name, entry in calibration.items()
        for state in ("before", "after")
        for row in entry.test[state].bins
    ]
    alt_text = "Reliability on test of " + ", ".join(
        f"{name} (expected calibration error {100 * entry.test['before'].ece:.1f} % before, "
        f"{100 * entry.test['after'].ece:.1f} % after)"
        for name, entry in calibration.items()
    )
    header = ("modality", "calibration", "count", "confidence", "accuracy")
    return drawing(draw, 0.35 + 1.6 * num_rows, f"{alt_text}.", header, rows)


def _label(axes: Axes, name: str, states: Mapping[str, Quality]) -> None:
    """Name a reliability diagram, and write its calibration errors into the space above 1."""
    axes.set(xlim=(0, 1), ylim=(0, 1.3), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    axes.spines["left"].set_bounds(0, 1)
    axes.set_title(name, parse_math=False)
    for height, state, colour in ((0.93, "before", VERMILLION), (0.84, "after", BLUE)):
        text = f"{state}: ECE {100 * states[state].ece:.1f} %"
        axes.text(0.02, height, text, color=colour, fontsize=6, transform=axes.transAxes)
