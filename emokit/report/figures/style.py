"""The figures: one print column wide, one style, colour-blind safe (Okabe and Ito), each with its numbers.

They are drawn in inks for white paper; an SVG has a transparent ground, and `for_dark` turns its inks for a dark page.
"""

import csv
import io
import math
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from emokit.files import whole_file, write_text
from emokit.schema.metrics import ClassScores

WIDTH_INCHES = 3.5  # one column of a journal
PNG_DPI = 200
RASTER_DPI = 100  # of what an SVG holds as an image

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

FONT = "DejaVu Sans"
STYLE: dict[str, Any] = {
    "font.family": FONT,
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
    """A finished figure: the two pictures, what they show in words, and the numbers as rows under a header.

    `lacking` are the characters that its font does not have, which stand as boxes in the pictures.
    """

    png: bytes
    svg: bytes
    shows: str
    header: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    lacking: str = ""

    @property
    def note(self) -> str:
        """What to know before it is used: characters that stand as boxes in it, in a sentence; else empty."""
        if not self.lacking:
            return ""
        return f"The font of the figures, {FONT}, lacks {self.lacking}, drawn as boxes; the CSV has the words."

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
            recall, f1 = (100 * number(value) for value in (scores[label].recall, scores[label].f1))
            if scores[label].support:  # a class that never occurs was not missed
                axes.plot([recall, f1], [position] * 2, color=FAINT, linewidth=2.5, zorder=1, solid_capstyle="round")
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
    with style.context(STYLE, after_reset=True), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        figure = Figure(figsize=(WIDTH_INCHES, height_inches), layout="constrained")
        draw(figure)
        # Once for both pictures: laying out takes longer than drawing.
        if layout := figure.get_layout_engine():
            layout.execute(figure)
            figure.set_layout_engine("none")
        png, svg = io.BytesIO(), io.BytesIO()
        # Not by savefig, which draws everything twice.
        figure.dpi = PNG_DPI
        FigureCanvasAgg(figure).print_png(png, metadata={"Software": None})
        for patch in (figure.patch, *(axes.patch for axes in figure.axes)):
            patch.set(facecolor="none", edgecolor="none")
        figure.dpi = RASTER_DPI
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        FigureCanvasSVG(figure).print_svg(svg, metadata=nothing)
    lacking = set()
    for warning in warned:
        if glyph := re.match(r"Glyph (\d+) .*missing from font", str(warning.message)):
            lacking.add(chr(int(glyph[1])))
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return Drawing(png.getvalue(), svg.getvalue(), shows, header, rows, "".join(sorted(lacking)))


def _cell_text(axes: Axes, column: int, row: int, count: int, share: float) -> None:
    def write(height: float, text: str, size: float, colour: str = cell_ink(share)) -> None:
        cell = axes.text(column + 0.5, row + height, text, color=colour, ha="center", va="center", fontsize=size)
        cell.set_in_layout(False)

    if not math.isfinite(share):
        write(0.5, "–", 7.5)
    elif not count:
        write(0.5, "0", 6.5, QUIET)
    else:
        write(0.38, str(count), 8)
        write(0.73, f"{100 * share:.0f} %", 5.8)


def number(value: Any) -> float:
    """A finite number as it is, anything else as NaN."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else math.nan
