"""The figures: one print column wide, one style, colour-blind safe (Okabe and Ito), each with its numbers.

They are drawn in inks for white paper; an SVG has a transparent ground, and `for_dark` turns its inks for a dark page.
"""

import csv
import io
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from emokit.files import whole_file, write_text
from emokit.report.shapes import ClassScores

WIDTH_INCHES = 3.5  # one column of a journal
PNG_DPI = 200

INK, QUIET, FAINT = "#26282c", "#5b5e65", "#d5d5d0"
BLUE, VERMILLION = "#0072b2", "#b84d00"  # Okabe and Ito's, the vermillion deep enough to read words in it
# matplotlib leaves pure black out of an SVG, and `for_dark` must find it.
CELL, ON_PALE, ON_DEEP = "#08519c", "#010101", "#fefefe"
DARK = {
    INK: "#e4e2dd",
    QUIET: "#a9adb4",
    FAINT: "#3c3f45",
    BLUE: "#56b4e9",
    VERMILLION: "#f0a04b",
    CELL: "#1263b8",
    ON_PALE: "#fefefe",
}

STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "text.color": INK,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": QUIET,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 7.5,
    "axes.titlelocation": "left",
    "lines.linewidth": 1.3,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    # The same numbers give the same bytes.
    "svg.hashsalt": "emokit",
    "svg.fonttype": "path",
}


@dataclass(frozen=True)
class Drawing:
    """A finished figure: the two pictures, what they show in words, and the numbers as rows under a header."""

    png: bytes
    svg: bytes
    shows: str
    header: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def write(self, folder: Path, stem: str) -> None:
        """Write `<stem>.png`, `.svg` and `.csv` into `folder`."""
        for suffix, content in (("png", self.png), ("svg", self.svg)):
            with whole_file(folder / f"{stem}.{suffix}") as temporary:
                temporary.write_bytes(content)
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(self.header)
        writer.writerows([["" if value != value else value for value in row] for row in self.rows])  # NaN is no number
        write_text(folder / f"{stem}.csv", table.getvalue())


def for_dark(svg: bytes) -> bytes:
    """The same picture in inks for a dark ground."""
    text = svg.decode()
    for light, dark in DARK.items():
        text = text.replace(light, dark)
    return text.encode()


def learning_curves(epochs: Sequence[Mapping[str, Any]], best_epoch: int | None) -> Drawing:
    """Losses above, the dev UAR below with its best epoch marked; a value that is no number leaves a gap.

    Args:
        epochs: lines of a run's log.
        best_epoch: the epoch that was kept, counted as the log counts.
    """
    numbers = [int(epoch["epoch"]) for epoch in epochs]
    columns = {key: [_number(epoch.get(key)) for epoch in epochs] for key in ("train_loss", "dev_loss", "dev_uar")}
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

    counted = f"{len(numbers)} epoch" + ("" if len(numbers) == 1 else "s")
    shows = f"Learning curves over {counted}: loss on train and dev, unweighted average recall on dev"
    if best is not None:
        shows += f", best at epoch {numbers[best]} with {100 * columns['dev_uar'][best]:.1f} %"
    header = ("epoch", "train_loss", "dev_loss", "dev_uar", "best")
    is_best = [int(position == best) for position in range(len(numbers))]
    rows = list(zip(numbers, *columns.values(), is_best, strict=True))
    return drawing(draw, 3.4, f"{shows}.", header, rows)


def confusion_matrix(confusion: Sequence[Sequence[int]], labels: Sequence[str], split: str) -> Drawing:
    """Counts and the shares of their row in each cell; the deeper the blue, the larger the share.

    Args:
        confusion: counts, rows are the truth and columns what was predicted.
        labels: the names of both.
        split: whose utterances they are, for the words.
    """
    shares = [[count / sum(row) if sum(row) else math.nan for count in row] for row in confusion]
    size = len(labels)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for row in range(size):
            for column in range(size):
                share = shares[row][column]
                depth = share if math.isfinite(share) else 0.0
                cell = Rectangle((column, row), 1, 1, facecolor=CELL, alpha=depth, edgecolor="none")
                axes.add_patch(cell)
                _cell_text(axes, column, row, confusion[row][column], share)
        axes.set(xlim=(0, size), ylim=(size, 0), xlabel="predicted", ylabel="truth")
        axes.set_aspect("equal")
        axes.xaxis.set_label_position("top")
        axes.xaxis.tick_top()
        middles = [position + 0.5 for position in range(size)]
        axes.set_xticks(middles, labels, rotation=35, ha="left", rotation_mode="anchor", parse_math=False)
        axes.set_yticks(middles, labels, parse_math=False)
        axes.tick_params(length=0, colors=INK)
        axes.spines[["top", "left", "right", "bottom"]].set(visible=True, color=FAINT)

    right = sum(confusion[position][position] for position in range(size))
    total = sum(map(sum, confusion))
    shows = f"Confusion matrix on {split}: {right} of {total} utterances on the diagonal; rows are the truth."
    header = ("truth", "predicted", "count", "row_share")
    rows = [
        (truth, predicted, confusion[row][column], shares[row][column])
        for row, truth in enumerate(labels)
        for column, predicted in enumerate(labels)
    ]
    return drawing(draw, 3.45, shows, header, rows)


def per_class(scores: Mapping[str, ClassScores], labels: Sequence[str], split: str) -> Drawing:
    """Recall and F1 of each label as two marks on one line, with its support."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for position, label in enumerate(labels):
            recall, f1 = (100 * _number(value) for value in (scores[label].recall, scores[label].f1))
            axes.plot([recall, f1], [position, position], color=FAINT, linewidth=2.5, zorder=1, solid_capstyle="round")
            axes.plot([f1], [position], "D", color=VERMILLION, markersize=4.2, markerfacecolor="none", zorder=3)
            axes.plot([recall], [position], "o", color=BLUE, markersize=4.8, zorder=2)
            axes.annotate(
                str(scores[label].support),
                (1, position),
                xycoords=("axes fraction", "data"),
                xytext=(22, 0),
                textcoords="offset points",
                ha="right",
                va="center",
            )
        axes.set(xlim=(-3, 103), ylim=(len(labels) - 0.5, -0.5), xlabel="%")
        axes.set_yticks(range(len(labels)), labels, parse_math=False)
        axes.tick_params(axis="y", length=0, colors=INK)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color=FAINT, linewidth=0.5)
        axes.set_axisbelow(True)
        for place, text, colour in ((0.0, "● recall", BLUE), (0.24, "◇ F1", VERMILLION)):
            axes.text(place, 1.02, text, color=colour, transform=axes.transAxes, va="bottom")
        axes.annotate(
            "support", (1, 1.02), xycoords="axes fraction", xytext=(22, 0), textcoords="offset points", ha="right"
        )

    header = ("label", "precision", "recall", "f1", "support")
    rows = [(label, *(getattr(scores[label], key) for key in header[1:])) for label in labels]
    return drawing(draw, 2.7, f"Recall and F1 of each class on {split}, with its number of utterances.", header, rows)


def cell_ink(share: float) -> str:
    """The ink for words in a cell of that share: black, then white, never below a contrast of 4.5 to 1."""
    return ON_DEEP if share > 0.77 else ON_PALE


def drawing(
    draw: Callable[[Figure], None],
    height_inches: float,
    shows: str,
    header: tuple[str, ...],
    rows: list[tuple[Any, ...]],
) -> Drawing:
    """Draw in the one style, as wide as a column, and keep both pictures with what they show and their numbers."""
    # From matplotlib's own defaults, so that a user's matplotlibrc does not change the report.
    with style.context(STYLE, after_reset=True), warnings.catch_warnings():
        # A label in a script that the font lacks is drawn as boxes; the table beside the figure has it in words.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        figure = Figure(figsize=(WIDTH_INCHES, height_inches), layout="constrained")
        draw(figure)
        png, svg = io.BytesIO(), io.BytesIO()
        figure.savefig(png, format="png", dpi=PNG_DPI, metadata={"Software": None})
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(svg, format="svg", transparent=True, metadata=nothing)
    return Drawing(png.getvalue(), svg.getvalue(), shows, header, rows)


def _cell_text(axes: Axes, column: int, row: int, count: int, share: float) -> None:
    colour = cell_ink(share)
    middle = column + 0.5
    if not math.isfinite(share):
        axes.text(middle, row + 0.5, "–", color=colour, ha="center", va="center")
        return
    if not count:
        axes.text(middle, row + 0.5, "0", color=QUIET, ha="center", va="center", fontsize=6.5)
        return
    axes.text(middle, row + 0.38, str(count), color=colour, ha="center", va="center", fontsize=8)
    axes.text(middle, row + 0.73, f"{100 * share:.0f} %", color=colour, ha="center", va="center", fontsize=5.8)


def _name_ends(axes: Axes, numbers: list[int], curves: Mapping[str, tuple[list[float], str]]) -> None:
    """Write each curve's name beside its last point, the higher one above, so that names never meet."""
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


def _number(value: Any) -> float:
    """A finite number as it is, anything else as NaN."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else math.nan
