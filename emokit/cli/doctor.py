"""`emokit doctor`: what this machine can do, and how to fix what it cannot."""

from pathlib import Path
from typing import Annotated

import typer

from emokit.cli import console


def doctor(
    datasets: Annotated[Path | None, typer.Option(help="YAML file with the roots of your corpora.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check Python, packages, devices, precision, codecs, disk and corpora; exit code 3 if something must be fixed."""
    from rich.markup import escape
    from rich.table import Table

    from emokit.cli.checkup import check_all

    findings = check_all(datasets)
    broken = [finding for finding in findings if finding.is_broken]
    if as_json:
        console.show_json([vars(finding) for finding in findings])
    else:
        table = Table("", "check", "result")
        for finding in findings:
            table.add_row(
                "[red]fix[/red]" if finding.is_broken else "[green]ok[/green]", finding.check, escape(finding.result)
            )
        console.show(table)
        console.say(
            f"{len(broken)} of {len(findings)} to fix" if broken else "everything that emokit needs is installed"
        )
    if broken:
        raise typer.Exit(3)
