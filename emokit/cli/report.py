"""`emokit report`: one self-contained page about runs, a paired comparison of them, or tables for papers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emokit.cli import console

if TYPE_CHECKING:
    from emokit.report.comparison.compare import Compared


def report(
    runs: Annotated[list[Path], typer.Argument(help="Run and sweep folders.", metavar="RUN…")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder for index.html and figures/; report unless --compare or --format is given."
        ),
    ] = None,
    compare: Annotated[
        bool,
        typer.Option("--compare", help="Compare the first run with each of the others, on their common utterances."),
    ] = False,
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", help="With --compare: new name of a label, such as joy=happy, for different label sets."),
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", help="md, tex or json: tables for papers on stdout, no page.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing report.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the path of the page, or the comparison, as JSON.")
    ] = False,
) -> None:
    """Write one page about runs: scores with intervals and baselines, learning curves, confusion matrices, the data's ledger.

    Runs that differ in their seed only are one experiment, with mean and standard deviation.

    Examples: emokit report runs/emodb runs/ravdess --out report, emokit report --compare runs/before runs/after
    """
    from emokit.errors import UsageError
    from emokit.predictions import read_label_map
    from emokit.report.comparison.compare import compare_runs

    if map_ and not (compare and out is None and form is None):
        raise UsageError(
            "--map was given without --compare, or with a page or tables, which have one label set; leave it out."
        )
    compared = compare_runs(runs, read_label_map(map_ or [])) if compare else []
    if form is not None:
        from emokit.report.tables.paper import tables

        console.show(tables(runs, compared, form).rstrip("\n"))
        return
    page = None
    if out is not None or not compare:
        from emokit.report.page.build import build

        page = build(runs, out or Path("report"), compared, force=force, say=console.say)
    if as_json:
        shown = {"comparisons": [comparison.as_dict() for comparison in compared]} if compare else {}
        console.show_json(shown | ({"page": str(page)} if page else {}))
        return
    for comparison in compared:
        _show(comparison)
    if page:
        console.done(page)


def _show(compared: "Compared") -> None:
    from emokit.cli import comparison_tables as tables

    console.show(tables.scores(compared))
    console.show(tables.classes(compared))
    if seeds := tables.seeds(compared):
        console.show(seeds)
    if counts := tables.mcnemar(compared):
        console.show(counts)
    console.show(compared.verdict)
    for note in compared.notes:
        console.say(note)
