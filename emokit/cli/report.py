"""`emokit report`: one self-contained page about any number of runs."""

from pathlib import Path
from typing import Annotated

import typer

from emokit.cli import console


def report(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.", metavar="RUN…")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder for index.html and figures/.")] = Path("report"),
    force: Annotated[bool, typer.Option("--force", help="Replace a report that exists.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Where the page is, as JSON.")] = False,
) -> None:
    """Put runs on one page: scores with intervals and baselines, learning curves, confusion matrices, the data's ledger.

    Example: emokit report runs/emodb runs/ravdess --out report
    """
    from emokit.report.build import build

    page = build(runs, out, force=force)
    if as_json:
        console.show_json({"page": str(page)})
        return
    console.done(page)
