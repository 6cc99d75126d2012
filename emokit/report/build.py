"""From run folders to a folder with one page, its figures and their numbers."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from emokit.errors import UsageError
from emokit.files import new_folder, write_text
from emokit.report import figures, fusion_figures
from emokit.report.gather import SPLITS, Run, gather
from emokit.report.page import FIGURES, Picture, render

PAGE = "index.html"


def build(runs: Sequence[Path], out: Path, *, force: bool = False) -> Path:
    """Write `out/figures/*`, then `out/index.html`, about any number of run folders.

    Args:
        runs: run folders; one that is broken, unfinished or no run costs its own row a sentence.
        out: the folder to make.
        force: replace an earlier report in `out`.

    Returns:
        The page.

    Raises:
        UsageError: no run was named, or `out` exists, is no report, or holds one of the runs.
        DataError: none of the runs can be read.
        WorkError: `out` cannot be written.
    """
    found, unread = gather(runs)
    inside = next((folder for folder in runs if folder.resolve().is_relative_to(out.resolve())), None)
    if inside is not None:
        raise UsageError(f"{out} holds the run {inside} that is to be reported; name another folder for the report.")
    new_folder(out, force=force, what=PAGE)
    try:
        pictures = {run.slug: _write_pictures(run, out / FIGURES) for run in found}
        write_text(out / PAGE, render(found, unread, pictures))
    except BaseException:
        # A folder with figures and no page would be taken for somebody else's the next time.
        shutil.rmtree(out / FIGURES, ignore_errors=True)
        raise
    return out / PAGE


def _write_pictures(run: Run, folder: Path) -> list[Picture]:
    pictures = _draw(run)
    for picture in pictures:
        picture.drawing.write(folder, picture.stem)
    return pictures


def _draw(run: Run) -> list[Picture]:
    labels = run.metrics.labels
    splits = {name: run.metrics.splits[name] for name in SPLITS if name in run.metrics.splits}
    pictures = []
    if run.epochs:
        curves = figures.learning_curves(run.epochs, run.metrics.best_epoch)
        pictures.append(Picture(f"{run.slug}-learning-curves", "Learning curves", curves))
    if splits:
        name, split = list(splits.items())[-1]
        drawing = figures.per_class(split.per_class, labels, name)
        pictures.append(Picture(f"{run.slug}-per-class-{name}", f"Recall and F1 of each class, {name}", drawing))
    for name, split in splits.items():
        drawing = figures.confusion_matrix(split.confusion, labels, name)
        pictures.append(
            Picture(f"{run.slug}-confusion-{name}", f"Confusion matrix, {name}: counts, row shares", drawing)
        )
    if run.fusion:
        drawn = fusion_figures.draw(run.fusion).items()
        pictures += [Picture(f"{run.slug}-{stem}", caption, picture) for stem, (caption, picture) in drawn]
    return pictures
