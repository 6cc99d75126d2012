"""The shared style of figures: their numbers as CSV, contrast, missing glyphs, reproducible bytes."""

import csv
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from emokit.report.figures import style
from emokit.report.read_runs import read_run
from emokit.schema.metrics import ClassScores


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def contrast(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    """The WCAG 2 contrast of two sRGB colours, each channel from 0 to 1."""

    def luminance(colour: tuple[float, ...]) -> float:
        linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))


def test_a_csv_reproduces_the_confusion_matrix(tmp_path: Path) -> None:
    style.confusion_matrix([[3, 1], [0, 0]], ["angry", "sad"], "test").write(tmp_path, "x-confusion-test")
    assert read_csv(tmp_path / "x-confusion-test.csv") == [
        {"truth": "angry", "predicted": "angry", "count": "3", "row_share": "0.75"},
        {"truth": "angry", "predicted": "sad", "count": "1", "row_share": "0.25"},
        {"truth": "sad", "predicted": "angry", "count": "0", "row_share": ""},
        {"truth": "sad", "predicted": "sad", "count": "0", "row_share": ""},
    ]


def test_a_csv_reproduces_the_scores_per_class(make_run: Callable[..., Path], tmp_path: Path) -> None:
    run = read_run(make_run(), "emodb")
    assert run.test is not None
    style.per_class(run.test.per_class, run.metrics.labels, "test").write(tmp_path, "classes")
    for row in read_csv(tmp_path / "classes.csv"):
        scores = run.test.per_class[row["label"]]
        for key in ("precision", "recall", "f1"):
            assert float(row[key]) == getattr(scores, key)
        assert int(row["support"]) == scores.support


def test_a_class_that_does_not_occur_has_no_mark() -> None:
    def svg(f1: float, support: int) -> bytes:
        sad = ClassScores(precision=0.5, recall=0.5, f1=f1, support=support)
        return style.per_class({"sad": sad}, ["sad"], "test").svg

    assert svg(0.2, 3) != svg(0.7, 3)
    assert svg(0.2, 0) == svg(0.7, 0)


def test_the_same_numbers_give_the_same_bytes_and_no_date() -> None:
    first, second = (style.confusion_matrix([[3, 1], [2, 5]], ["a", "b"], "dev") for _ in range(2))
    assert (first.svg, first.png) == (second.svg, second.png)
    assert b"<dc:date>" not in first.svg
    assert b"Software" not in first.png


def test_a_png_is_one_print_column_wide_at_200_dots_per_inch() -> None:
    png = style.confusion_matrix([[1]], ["a"], "dev").png
    assert int.from_bytes(png[16:20], "big") == style.WIDTH_INCHES * 200


@pytest.mark.parametrize("label", ["$x$", "怒り", "<script>alert(1)</script>", "a_b^{"])
def test_a_label_is_drawn_literally(label: str) -> None:
    assert b"<script" not in style.confusion_matrix([[2]], [label], "dev").svg.replace(b"<!-- <script", b"")
    assert style.per_class({label: ClassScores(precision=None, recall=0.5, f1=0.5, support=2)}, [label], "dev").png


def test_the_dark_svg_contains_no_colour_for_white_paper() -> None:
    dark = style.for_dark(style.confusion_matrix([[3, 1], [2, 5]], ["a", "b"], "dev").svg).decode()
    assert not [colour for colour in style.DARK if colour in dark]


@pytest.mark.parametrize(("theme", "ground"), [("light", "#ffffff"), ("dark", "#15171a")])
def test_text_in_every_cell_is_legible_in_both_themes(theme: str, ground: str) -> None:
    def themed(colour: str) -> tuple[float, ...]:
        return rgb(style.DARK.get(colour, colour) if theme == "dark" else colour)

    for percent in range(101):
        share = percent / 100
        cell = tuple(
            share * over + (1 - share) * under for over, under in zip(themed(style.CELL), rgb(ground), strict=True)
        )
        assert contrast(cell, themed(style.cell_ink(share))) >= 4.5, percent
    for colour in (style.INK, style.QUIET, style.BLUE, style.VERMILLION):
        assert contrast(rgb(ground), themed(colour)) >= 4.5, colour


def test_drawing_does_not_import_pyplot() -> None:
    code = "import sys; from emokit.report.page.build import build; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_characters_without_a_glyph_are_named_in_a_note(tmp_path: Path) -> None:
    drawing = style.confusion_matrix([[2, 1], [0, 3]], ["怒り", "sad"], "dev")
    assert (
        drawing.note
        == "The figures' font, DejaVu Sans, has no glyphs for り怒 and draws boxes; the CSV has the full text."
    )
    drawing.write(tmp_path, "x")
    assert read_csv(tmp_path / "x.csv")[0]["truth"] == "怒り"
    assert style.confusion_matrix([[2]], ["sad"], "dev").note == ""


def test_a_label_that_a_spreadsheet_takes_as_a_formula_stays_text(tmp_path: Path) -> None:
    style.confusion_matrix([[2, 1], [0, 3]], ["=1+1", "sad"], "dev").write(tmp_path, "x")
    assert [row["truth"] for row in read_csv(tmp_path / "x.csv")][:2] == ["'=1+1", "'=1+1"]


def test_a_warning_that_is_not_about_glyphs_is_passed_on() -> None:
    def draw(figure: Figure) -> None:
        figure.subplots()
        warnings.warn("something else", UserWarning, stacklevel=1)

    with pytest.warns(UserWarning, match="something else"):
        style.drawing(draw, 1.0, "", (), [])
