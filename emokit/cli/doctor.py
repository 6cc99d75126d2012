"""`emokit doctor`: what this machine can do, and how to mend what it cannot."""

from pathlib import Path
from typing import Annotated

import typer

from emokit.cli import console


def doctor(
    datasets: Annotated[Path | None, typer.Option(help="A YAML file with the roots of your corpora.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The findings as JSON.")] = False,
) -> None:
    """Check Python, packages, devices, precision, codecs, disk and corpora; exit code 3 where something must be mended."""
    from rich.markup import escape
    from rich.table import Table

    from emokit.cli.checkup import check_all

    findings = check_all(datasets)
    broken = [finding for finding in findings if finding.is_broken]
    if as_json:
        console.show_json([vars(finding) for finding in findings])
    else:
        table = Table("", "what", "found")
        for finding in findings:
            table.add_row(
                "[red]mend[/red]" if finding.is_broken else "[green]ok[/green]", finding.what, escape(finding.found)
            )
        console.show(table)
        console.say(f"{len(broken)} of {len(findings)} to mend" if broken else "everything that emokit needs is here")
    if broken:
        raise typer.Exit(3)
