"""`emokit report`: one self-contained page about any number of runs, an honest comparison of some, or tables for papers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emokit.cli import console

if TYPE_CHECKING:
    from emokit.report.comparison.compare import Compared


def report(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.", metavar="RUN…")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="The folder for index.html and figures/; report unless --compare or --format."
        ),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Hold the run named first against each other, on their common utterances.")
    ] = False,
    form: Annotated[
        str | None, typer.Option("--format", help="md, tex or json: tables for papers on stdout, no page.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a report that exists.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Where the page is, or the comparison, as JSON.")] = False,
) -> None:
    """Put runs on one page: scores with intervals and baselines, learning curves, confusion matrices, the data's ledger.

    Runs that differ in their seed alone count as one experiment, by mean and spread.

    Example: emokit report runs/emodb runs/ravdess --out report
    Example: emokit report --compare runs/before runs/after
    """
    from emokit.report.comparison.compare import compare_runs

    compared = compare_runs(runs) if compare else []
    if form is not None:
        from emokit.report.tables.paper import tables

        console.show(tables(runs, compared, form).rstrip("\n"))
        return
    page = None
    if out is not None or not compare:
        from emokit.report.page.build import build

        page = build(runs, out or Path("report"), compared, force=force)
    if as_json:
        shown = {"comparisons": [one.as_dict() for one in compared]} if compare else {}
        console.show_json(shown | ({"page": str(page)} if page else {}))
        return
    for one in compared:
        _show(one)
    if page:
        console.done(page)


def _show(one: "Compared") -> None:
    from emokit.cli import comparison_tables as tables

    console.show(tables.scores(one))
    console.show(tables.classes(one))
    if seeds := tables.seeds(one):
        console.show(seeds)
    if counts := tables.mcnemar(one):
        console.show(counts)
    console.show(one.verdict)
    for note in one.notes:
        console.say(note)
