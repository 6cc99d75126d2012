"""The shared style of all figures: one print column wide, colour-blind safe (Okabe and Ito), each with its numbers as CSV.

Figures are drawn in colours for white paper. SVGs have a transparent background; `for_dark` replaces their colours
for a dark page.
"""

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

from emokit.files import whole_file, write_csv
from emokit.schema.metrics import ClassScores

WIDTH_INCHES = 3.5  # one column of a journal
PNG_DPI = 200
RASTER_DPI = 100  # of the images inside an SVG

INK, QUIET, FAINT = "#26282c", "#5b5e65", "#d5d5d0"
BLUE, VERMILLION = "#0072b2", "#b84d00"  # Okabe and Ito's; the vermillion is darkened so that text in it is legible
# Not pure black: matplotlib omits it from an SVG, so `for_dark` could not replace it.
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
    """A finished figure as PNG and SVG, its description, and its numbers as rows under a header.

    `missing_glyphs` are the characters that the font lacks; they are drawn as boxes.
    """

    png: bytes
    svg: bytes
    alt_text: str
    header: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    missing_glyphs: str = ""

    @property
    def note(self) -> str:
        """A sentence that names the characters drawn as boxes; empty if there are none."""
        if not self.missing_glyphs:
            return ""
        return f"The figures' font, {FONT}, has no glyphs for {self.missing_glyphs} and draws boxes; the CSV has the full text."

    def write(self, folder: Path, stem: str) -> None:
        """Write `<stem>.png`, `.svg` and `.csv` into `folder`."""
        for suffix, content in (("png", self.png), ("svg", self.svg)):
            with whole_file(folder / f"{stem}.{suffix}") as temporary:
                temporary.write_bytes(content)
        rows = [["" if value != value else value for value in row] for row in self.rows]  # NaN is no number
        write_csv(folder / f"{stem}.csv", self.header, rows)


def for_dark(svg: bytes) -> bytes:
    """Replace the colours of an SVG by those for a dark background."""
    text = svg.decode()
    for light, dark in DARK.items():
        text = text.replace(light, dark)
    return text.encode()


def confusion_matrix(confusion: Sequence[Sequence[int]], labels: Sequence[str], split: str) -> Drawing:
    """Draw counts and row shares in each cell; a darker blue is a larger share.

    Args:
        confusion: counts; rows are the true labels, columns the predicted ones.
        labels: the names of rows and columns.
        split: the split, for the description.
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

    correct = sum(confusion[position][position] for position in range(size))
    total = sum(map(sum, confusion))
    alt_text = f"Confusion matrix on {split}: {correct} of {total} utterances are correct; rows are the true labels."
    header = ("truth", "predicted", "count", "row_share")
    rows = [
        (truth, predicted, confusion[row][column], shares[row][column])
        for row, truth in enumerate(labels)
        for column, predicted in enumerate(labels)
    ]
    return drawing(draw, 3.45, alt_text, header, rows)


def per_class(scores: Mapping[str, ClassScores], labels: Sequence[str], split: str) -> Drawing:
    """Draw recall and F1 of each label as two marks on one line, with its support."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for position, label in enumerate(labels):
            recall, f1 = (100 * number(value) for value in (scores[label].recall, scores[label].f1))
            if scores[label].support:  # a class that does not occur has no recall
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
        for left, text, colour in ((0.0, "● recall", BLUE), (0.24, "◇ F1", VERMILLION)):
            axes.text(left, 1.02, text, color=colour, transform=axes.transAxes, va="bottom")
        axes.annotate(
            "support", (1, 1.02), xycoords="axes fraction", xytext=(22, 0), textcoords="offset points", ha="right"
        )

    header = ("label", "precision", "recall", "f1", "support")
    rows = [(label, *(getattr(scores[label], key) for key in header[1:])) for label in labels]
    return drawing(draw, 2.7, f"Recall and F1 of each class on {split}, with its number of utterances.", header, rows)


def cell_ink(share: float) -> str:
    """The text colour in a cell of that share: black or white, with a contrast of at least 4.5 to 1."""
    return ON_DEEP if share > 0.77 else ON_PALE


def drawing(
    draw: Callable[[Figure], None],
    height_inches: float,
    alt_text: str,
    header: tuple[str, ...],
    rows: list[tuple[Any, ...]],
) -> Drawing:
    """Draw a figure in the shared style, one column wide, as PNG and SVG."""
    # Reset to matplotlib's defaults first, so that a user's matplotlibrc does not change the report.
    with style.context(STYLE, after_reset=True), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        figure = Figure(figsize=(WIDTH_INCHES, height_inches), layout="constrained")
        draw(figure)
        # Lay out once for both formats: layout takes longer than drawing.
        if layout := figure.get_layout_engine():
            layout.execute(figure)
            figure.set_layout_engine("none")
        png, svg = io.BytesIO(), io.BytesIO()
        # Not with savefig, which draws everything twice.
        figure.dpi = PNG_DPI
        FigureCanvasAgg(figure).print_png(png, metadata={"Software": None})
        for patch in (figure.patch, *(axes.patch for axes in figure.axes)):
            patch.set(facecolor="none", edgecolor="none")
        figure.dpi = RASTER_DPI
        no_metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        FigureCanvasSVG(figure).print_svg(svg, metadata=no_metadata)
    missing_glyphs = set()
    for warning in warned:
        if glyph := re.match(r"Glyph (\d+) .*missing from font", str(warning.message)):
            missing_glyphs.add(chr(int(glyph[1])))
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return Drawing(png.getvalue(), svg.getvalue(), alt_text, header, rows, "".join(sorted(missing_glyphs)))


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
    """A finite number as float; NaN for anything else."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else math.nan
