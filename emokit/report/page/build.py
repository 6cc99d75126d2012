"""From run folders to a folder with one page, its figures and their numbers."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from emokit.data.utterance import HELD_OUT
from emokit.errors import DataError, UsageError
from emokit.files import new_folder, write_text
from emokit.report import read_sweeps
from emokit.report.comparison.compare import Compared
from emokit.report.comparison.ranking import experiments_of, standings
from emokit.report.figures import fusion, style, sweep
from emokit.report.figures.changes import changes
from emokit.report.figures.curves import learning_curves
from emokit.report.figures.reliability import reliability
from emokit.report.page.mistakes import details
from emokit.report.page.render import FIGURES, Picture, render
from emokit.report.read_runs import Run, gather

PAGE = "index.html"
# More runs in full would make a page that nobody reads to its end; the ranking has all of them.
MOST_IN_FULL = 12


def build(runs: Sequence[Path], out: Path, compared: Sequence[Compared] = (), *, force: bool = False) -> Path:
    """Write `out/figures/*`, then `out/index.html`, about any number of run folders.

    Args:
        runs: run folders; one that is broken, unfinished or no run costs its own row a sentence.
        out: the folder to make.
        compared: comparisons that get a section of their own.
        force: replace an earlier report in `out`.

    Returns:
        The page.

    Raises:
        UsageError: no run was named, or `out` exists, is no report, or holds one of the runs.
        DataError: none of the runs can be read.
        WorkError: `out` cannot be written.
    """
    others, searched, broken = read_sweeps.split(runs)
    if broken and not others and not searched:
        raise DataError(broken[0].sentence)
    found, unread = gather(others) if others or not searched else ([], [])
    unread += broken
    inside = next((folder for folder in runs if folder.resolve().is_relative_to(out.resolve())), None)
    if inside is not None:
        raise UsageError(f"{out} holds the run {inside} that is to be reported; name another folder for the report.")
    new_folder(out, force=force, what=PAGE)
    try:
        ranked = standings(experiments_of(found)) if found else []
        in_full = [run for standing in ranked for run in standing.experiment.runs][:MOST_IN_FULL]
        pictures = {run.slug: _draw(run) for run in in_full}
        pictures |= {f"compare/{number}": [_changes(one, number)] for number, one in enumerate(compared, start=1)}
        pictures |= {one.slug: _of_sweep(one) for one in searched}
        for picture in (picture for some in pictures.values() for picture in some):
            picture.drawing.write(out / FIGURES, picture.stem)
        write_text(out / PAGE, render(ranked, unread, pictures, details(in_full, found, out), compared, searched))
    except BaseException:
        # A folder with figures and no page would be taken for somebody else's the next time.
        shutil.rmtree(out / FIGURES, ignore_errors=True)
        raise
    return out / PAGE


def _of_sweep(one: read_sweeps.Searched) -> list[Picture]:
    drawn = sweep.draw(one.found).items()
    return [Picture(f"{one.slug}-{stem}", caption, drawing) for stem, (caption, drawing) in drawn]


def _changes(one: Compared, number: int) -> Picture:
    drawing = changes(one.found.recall, one.found.support, *one.names)
    return Picture(f"compare-{number}-recall", "Change in the recall of each class", drawing)


def _draw(run: Run) -> list[Picture]:
    labels = run.metrics.labels
    splits = {name: run.metrics.splits[name] for name in HELD_OUT if name in run.metrics.splits}
    pictures = []
    if run.epochs:
        curves = learning_curves(run.epochs, run.metrics.best_epoch)
        pictures.append(Picture(f"{run.slug}-learning-curves", "Learning curves", curves))
    if splits:
        name, split = list(splits.items())[-1]
        drawing = style.per_class(split.per_class, labels, name)
        pictures.append(Picture(f"{run.slug}-per-class-{name}", f"Recall and F1 of each class, {name}", drawing))
    for name, split in splits.items():
        drawing = style.confusion_matrix(split.confusion, labels, name)
        pictures.append(
            Picture(f"{run.slug}-confusion-{name}", f"Confusion matrix, {name}: counts, row shares", drawing)
        )
    try:
        drawing = reliability(run.tested, "test")
        pictures.append(Picture(f"{run.slug}-reliability-test", "Calibration, test", drawing))
    except DataError:
        pass  # the section of its mistakes says why
    if run.fusion:
        drawn = fusion.draw(run.fusion).items()
        pictures += [Picture(f"{run.slug}-{stem}", caption, picture) for stem, (caption, picture) in drawn]
    return pictures
