"""The figures of a fused run: the map of its weights, the modalities' confusion matrices, reliability diagrams.

They are drawn from `fusion.json` alone, for the report's page and for the run's own folder.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mpltern  # noqa: F401  (makes the projection "ternary" known)
import numpy
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from emokit.files import read_json
from emokit.report.figures.style import BLUE, CELL, FAINT, INK, VERMILLION, Drawing, confusion_matrix, drawing
from emokit.schema.base import check
from emokit.schema.fusion import FUSION, Fusion, Quality

FOLDER = "figures"
# What lies on the blue map keeps its colour on a dark page, as the map does.
MARK, HALO, CLOUD = "#111316", "#fdfdfd", "#f5b335"
MAP = LinearSegmentedColormap.from_list("emokit", ["#f2f6fb", CELL])

OBJECTIVES = {"weighted_f1": "weighted F1", "macro_f1": "macro F1", "uar": "UAR", "accuracy": "accuracy", "nll": "−NLL"}


def write(run: Path) -> list[Path]:
    """Draw the figures of a complete fused run into its `figures/`; returns the PNGs."""
    drawn = draw(check(Fusion, read_json(run / FUSION), run / FUSION))
    for stem, (_, picture) in drawn.items():
        picture.write(run / FOLDER, stem)
    return [run / FOLDER / f"{stem}.png" for stem in drawn]


def draw(found: Fusion) -> dict[str, tuple[str, Drawing]]:
    """Every figure: the stem of its files -> its caption and the drawing.

    Args:
        found: what `fusion.json` holds.
    """
    names, objective = found.modalities, OBJECTIVES[found.settings.objective]
    drawn: dict[str, tuple[str, Drawing]] = {}
    if len(names) == 3:
        drawn["weights"] = f"Fusion weights: {objective} on dev", ternary(found)
    elif len(names) == 2:
        drawn["weights"] = f"Fusion weights: {objective} on dev", curve(found)
    elif len(names) > 3:
        drawn["weights"] = "Fusion weights with 95 % intervals", intervals(found)
    drawn["reliability"] = "Reliability on test, before and after calibration", reliability(found)
    for position, name in enumerate(names, start=1):
        matrix = confusion_matrix(found.confusion[name]["test"], found.labels, f"test by {name} alone")
        drawn[f"confusion-{position}-test"] = f"Confusion matrix, {name} alone, test", matrix
    return drawn


def ternary(found: Fusion) -> Drawing:
    """The score of every weight triple, the best one, the plateau around it, and where resamples found theirs."""
    names, grid = found.modalities, found.grid
    weights = numpy.array(grid.weights) / sum(grid.weights[0])
    scores, plateau = numpy.array(grid.score), numpy.array(grid.plateau)
    best = numpy.array(found.search.best) / sum(found.search.best)
    cloud = Counter(map(tuple, found.bootstrap.cloud))
    steps = sum(grid.weights[0])

    def draw(figure: Figure) -> None:
        axes: Any = figure.add_subplot(projection="ternary")
        # As an image inside the SVG: thousands of triangles would be most of the page.
        image = axes.tripcolor(*weights.T, scores, cmap=MAP, shading="gouraud", rasterized=True)
        if 0 < plateau.sum() < len(plateau):
            axes.tricontour(*weights.T, plateau, levels=[0.5], colors=[HALO], linewidths=0.9)
        where = numpy.array(list(cloud)) / steps
        sizes = 60 * numpy.array(list(cloud.values())) / sum(cloud.values())
        axes.scatter(*where.T, s=1 + 3 * sizes, color=CLOUD, linewidths=0, zorder=3)
        axes.plot(*best[:, None], marker="*", color=MARK, markeredgecolor=HALO, markersize=10, linestyle="", zorder=4)
        for side, name in zip("tlr", names, strict=True):
            getattr(axes, f"set_{side}label")(name, parse_math=False)
            getattr(axes, f"{side}axis").set_label_position("corner")
        axes.tick_params(labelsize=6, pad=2)
        bar = figure.colorbar(image, ax=axes, shrink=0.7, pad=0.08, aspect=20)
        bar.outline.set_visible(False)
        bar.ax.tick_params(length=0)
        figure.supxlabel("★ best · inside the white line: not told apart from it · dots: best of a resample", size=6)

    shows = (
        f"Map of {len(weights)} weight triples of {', '.join(names)}; the best is "
        f"{' / '.join(f'{share:.2f}' for share in best)}, {int(plateau.sum())} cannot be told apart from it."
    )
    header = (*(f"weight_{name}" for name in names), "score", "on_plateau", "times_best")
    rows = [
        (*point, score, flat, cloud[tuple(whole)])
        for point, score, flat, whole in zip(weights.tolist(), scores, plateau.tolist(), grid.weights, strict=True)
    ]
    return drawing(draw, 2.9, shows, header, rows)


def curve(found: Fusion) -> Drawing:
    """The score over the weight of the first of two modalities, its interval, the plateau, and the resamples' best."""
    first, second = found.modalities
    grid, steps = found.grid, sum(found.grid.weights[0])
    order = numpy.argsort([pair[0] for pair in grid.weights])
    share, score, low, high, plateau = (
        numpy.array(values)[order]
        for values in (
            [pair[0] / steps for pair in grid.weights],
            grid.score,
            grid.low,
            grid.high,
            grid.plateau,
        )
    )
    cloud = Counter(pair[0] for pair in found.bootstrap.cloud)
    best = found.search.best[0] / steps
    times = [cloud[round(value * steps)] for value in share]

    def draw(figure: Figure) -> None:
        axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        axes.fill_between(share, low, high, color=BLUE, alpha=0.15, linewidth=0)
        axes.plot(share, score, color=BLUE)
        flat = plateau.astype(bool)
        axes.plot(share[flat], score[flat], ".", color=BLUE, markersize=3)
        axes.plot([best], [score[share == best][0]], "*", color=VERMILLION, markersize=9)
        axes.set_title(f"{OBJECTIVES[found.settings.objective]} on dev, 95 % band; dots: the plateau")
        below.bar(share, times, width=0.9 / steps, color=VERMILLION)
        below.set_title("how often a resample found it best")
        below.set_xlabel(f"weight of {first} (the rest is {second})", parse_math=False)

    shows = f"Score over the weight of {first} beside {second}; the best is {best:.2f}."
    header = (f"weight_{first}", "score", "low", "high", "on_plateau", "times_best")
    return drawing(draw, 3.0, shows, header, list(zip(share, score, low, high, plateau, times, strict=True)))


def intervals(found: Fusion) -> Drawing:
    """The best weights, each with the interval of those that resamples found; for four modalities and more."""
    names = found.modalities
    best = [weight / sum(found.search.best) for weight in found.search.best]
    bounds = found.bootstrap.weights

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for position, (share, (low, high)) in enumerate(zip(best, bounds, strict=True)):
            axes.plot([low, high], [position, position], color=FAINT, linewidth=2.5, solid_capstyle="round")
            axes.plot([share], [position], "o", color=BLUE, markersize=5)
        axes.set(xlim=(-0.03, 1.03), ylim=(len(names) - 0.5, -0.5), xlabel="weight")
        axes.set_yticks(range(len(names)), names, parse_math=False)
        axes.tick_params(axis="y", length=0, colors=INK)

    rows = [(name, share, *bound) for name, share, bound in zip(names, best, bounds, strict=True)]
    shows = f"Weights of {', '.join(names)} with their 95 % intervals over resamples."
    return drawing(draw, 0.8 + 0.3 * len(names), shows, ("modality", "weight", "low", "high"), rows)


def reliability(found: Fusion) -> Drawing:
    """Share right over confidence, in 15 bins, of each modality and of the fusion: on the diagonal, confidence is honest."""
    calibration = found.calibration
    num_rows = (len(calibration) + 1) // 2

    def draw(figure: Figure) -> None:
        flat = figure.subplots(num_rows, 2, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, (name, own) in zip(flat, calibration.items(), strict=False):
            axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, zorder=0)
            for state, colour, fill in (("before", VERMILLION, "none"), ("after", BLUE, BLUE)):
                bins = own.test[state].bins
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
            _ece(axes, name, own.test)
        for axes in flat[len(calibration) :]:
            axes.set_visible(False)
        for axes in flat[max(0, len(calibration) - 2) : len(calibration)]:
            axes.set_xlabel("confidence")
            axes.tick_params(labelbottom=True)
        flat[0].set_ylabel("share right")

    rows = [
        (name, state, *one)
        for name, own in calibration.items()
        for state in ("before", "after")
        for one in own.test[state].bins
    ]
    shows = "Reliability on test of " + ", ".join(
        f"{name} (expected calibration error {100 * own.test['before'].ece:.1f} % before, "
        f"{100 * own.test['after'].ece:.1f} % after)"
        for name, own in calibration.items()
    )
    return drawing(
        draw, 0.35 + 1.6 * num_rows, f"{shows}.", ("of", "calibration", "count", "confidence", "right"), rows
    )


def _ece(axes: Axes, name: str, states: Mapping[str, Quality]) -> None:
    axes.set(xlim=(0, 1), ylim=(0, 1.3), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])  # above 1 is room for words
    axes.spines["left"].set_bounds(0, 1)
    axes.set_title(name, parse_math=False)
    for place, state, colour in ((0.93, "before", VERMILLION), (0.84, "after", BLUE)):
        text = f"{state}: ECE {100 * states[state].ece:.1f} %"
        axes.text(0.02, place, text, color=colour, fontsize=6, transform=axes.transAxes)
