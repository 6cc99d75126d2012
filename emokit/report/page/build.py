"""Build a report: read run and sweep folders, write one page with its figures and their numbers."""

from collections.abc import Callable, Sequence
from pathlib import Path

from emokit.data.utterance import HELD_OUT
from emokit.errors import DataError, UsageError
from emokit.files import write_text
from emokit.locks import new_result
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
from emokit.run_files import OF_FIGURES, within

PAGE = "index.html"
UNFINISHED = (
    "<!DOCTYPE html>\n<title>emokit report</title>\n"
    "This report is not complete; run `emokit report` again with --force.\n"
)
# The page stays readable with this many sections; the ranking lists all runs.
MAX_SECTIONS = 12


def build(
    runs: Sequence[Path],
    out: Path,
    compared: Sequence[Compared] = (),
    *,
    force: bool = False,
    say: Callable[[str], None] = lambda sentence: None,
) -> Path:
    """Write `out/figures/*`, then the page `out/index.html`, about any number of run folders.

    Args:
        runs: run and sweep folders; one that cannot be read gets a row that says why.
        out: the folder to create.
        compared: comparisons, each with a section of its own.
        force: replace an earlier report in `out`.
        say: receives a sentence for each run that cannot be read, or whose predictions cannot.

    Returns:
        The page.

    Raises:
        UsageError: no run was named, or `out` exists, is no report, or contains one of the runs.
        DataError: none of the runs can be read.
        WorkError: `out` cannot be written.
    """
    run_folders, sweeps, broken = read_sweeps.split(runs)
    if broken and not run_folders and not sweeps:
        raise DataError(broken[0].sentence)
    complete, unread = gather(run_folders) if run_folders or not sweeps else ([], [])
    unread += broken
    inside = next((folder for folder in runs if folder.resolve().is_relative_to(out.resolve())), None)
    if inside is not None:
        raise UsageError(
            f"{out} contains the run {inside}, which is to be reported; name another folder for the report."
        )
    with new_result(out, force=force, what=PAGE, unfinished=UNFINISHED, names=(PAGE, *within(FIGURES, OF_FIGURES))):
        ranked = standings(experiments_of(complete)) if complete else []
        in_full = [run for standing in ranked for run in standing.experiment.runs][:MAX_SECTIONS]
        pictures = {run.slug: _run_pictures(run) for run in in_full}
        for number, pair in enumerate(compared, start=1):
            pictures[f"compare/{number}"] = [_comparison_picture(pair, number)]
        pictures |= {entry.slug: _sweep_pictures(entry) for entry in sweeps}
        for picture in (picture for section in pictures.values() for picture in section):
            picture.drawing.write(out / FIGURES, picture.stem)
        details_by_slug = details(in_full, complete, out)
        page = render(ranked, unread, pictures, details_by_slug, compared, sweeps)
        write_text(out / PAGE, page)
    for sentence in [entry.sentence for entry in unread] + [
        details_by_slug[run.slug].problem for run in in_full if "test" in run.predictions
    ]:
        if sentence:
            say(sentence)
    return out / PAGE


def _sweep_pictures(entry: read_sweeps.Searched) -> list[Picture]:
    drawings = sweep.draw(entry.sweep).items()
    return [Picture(f"{entry.slug}-{stem}", caption, drawing) for stem, (caption, drawing) in drawings]


def _comparison_picture(pair: Compared, number: int) -> Picture:
    drawing = changes(pair.comparison.recall, pair.comparison.support, *pair.names)
    return Picture(f"compare-{number}-recall", "Change in recall per class", drawing)


def _run_pictures(run: Run) -> list[Picture]:
    labels = run.metrics.labels
    splits = {name: run.metrics.splits[name] for name in HELD_OUT if name in run.metrics.splits}
    pictures = []
    if run.epochs:
        curves = learning_curves(run.epochs, run.metrics.best_epoch)
        pictures.append(Picture(f"{run.slug}-learning-curves", "Learning curves", curves))
    if splits:
        name, split = list(splits.items())[-1]
        drawing = style.per_class(split.per_class, labels, name)
        pictures.append(Picture(f"{run.slug}-per-class-{name}", f"Recall and F1 per class, {name}", drawing))
    for name, split in splits.items():
        drawing = style.confusion_matrix(split.confusion, labels, name)
        pictures.append(
            Picture(f"{run.slug}-confusion-{name}", f"Confusion matrix, {name}: counts, row shares", drawing)
        )
    try:
        drawing = reliability(run.tested, "test")
        pictures.append(Picture(f"{run.slug}-reliability-test", "Calibration, test", drawing))
    except DataError:
        pass  # the section on its mistakes gives the reason
    if run.fusion:
        drawings = fusion.draw(run.fusion).items()
        pictures += [Picture(f"{run.slug}-{stem}", caption, picture) for stem, (caption, picture) in drawings]
    return pictures
