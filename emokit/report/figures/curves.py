"""Learning curves: losses and the dev UAR over the epochs of a training."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emokit.report.figures.style import BLUE, FAINT, INK, VERMILLION, Drawing, drawing, number
from emokit.report.wording import counted


def learning_curves(epochs: Sequence[Mapping[str, Any]], best_epoch: int | None) -> Drawing:
    """Plot the losses above and the dev UAR below, its best epoch marked; a value that is not finite leaves a gap.

    Args:
        epochs: lines of a run's log.
        best_epoch: the epoch whose weights were saved, numbered as in the log.
    """
    numbers = [int(epoch["epoch"]) for epoch in epochs]
    columns = {key: [number(epoch.get(key)) for epoch in epochs] for key in ("train_loss", "dev_loss", "dev_uar")}
    best = numbers.index(best_epoch) if best_epoch in numbers else None
    if best is not None and math.isnan(columns["dev_uar"][best]):
        best = None

    def draw(figure: Figure) -> None:
        losses, uar = figure.subplots(2, 1, sharex=True)
        losses.set_title("loss")
        losses.margins(y=0.12)
        for key, colour in (("train_loss", BLUE), ("dev_loss", VERMILLION)):
            losses.plot(numbers, columns[key], color=colour, marker="o", markersize=1.8)
        _name_ends(losses, numbers, {"train": (columns["train_loss"], BLUE), "dev": (columns["dev_loss"], VERMILLION)})
        uar.set_title("unweighted average recall on dev, %")
        percent = [100 * value for value in columns["dev_uar"]]
        uar.plot(numbers, percent, color=VERMILLION, marker="o", markersize=1.8)
        uar.set_ylim(bottom=0, top=max([10.0, *(1.2 * value for value in percent if math.isfinite(value))]))
        if best is not None:
            losses.axvline(numbers[best], color=FAINT, linewidth=0.8, zorder=0)
            uar.axvline(numbers[best], color=FAINT, linewidth=0.8, zorder=0)
            uar.plot([numbers[best]], [percent[best]], "o", markersize=5, markerfacecolor="none", markeredgecolor=INK)
            late = best > len(numbers) / 2
            uar.annotate(
                f"best {percent[best]:.1f} %, epoch {numbers[best]}",
                (numbers[best], percent[best]),
                xytext=(-2 if late else 2, 5),
                textcoords="offset points",
                ha="right" if late else "left",
            )
        uar.set_xlabel("epoch")
        uar.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))

    epochs_drawn = counted(len(numbers), "epoch")
    alt_text = f"Learning curves over {epochs_drawn}: loss on train and dev, unweighted average recall on dev"
    if best is not None:
        alt_text += f", best at epoch {numbers[best]} with {100 * columns['dev_uar'][best]:.1f} %"
    header = ("epoch", "train_loss", "dev_loss", "dev_uar", "best")
    is_best = [int(position == best) for position in range(len(numbers))]
    rows = list(zip(numbers, *columns.values(), is_best, strict=True))
    return drawing(draw, 3.4, f"{alt_text}.", header, rows)


def _name_ends(axes: Axes, numbers: list[int], curves: Mapping[str, tuple[list[float], str]]) -> None:
    """Write each curve's name beside its last point, the higher one above the point, so that names do not overlap."""
    ends = {name: (values[-1], colour) for name, (values, colour) in curves.items() if math.isfinite(values[-1])}
    for position, name in enumerate(sorted(ends, key=lambda name: ends[name][0])):
        value, colour = ends[name]
        below = position == 0 and len(ends) > 1
        axes.annotate(
            name,
            (numbers[-1], value),
            xytext=(4, -1 if below else 1),
            textcoords="offset points",
            color=colour,
            va="top" if below else "bottom",
            annotation_clip=False,
        )
