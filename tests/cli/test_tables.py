"""What commands show as tables, on cases built by hand."""

import io

from rich.console import Console
from rich.table import Table

from emokit.cli import tables

PAIRS = ("train-dev", "train-test", "dev-test")


def lines(table: Table) -> list[str]:
    """A table's lines with one space between their words."""
    console = Console(file=io.StringIO(), width=80)
    console.print(table)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines() if line.strip()]  # type: ignore[attr-defined]


def shared(**kinds: tuple[int, int, int]) -> dict[str, dict[str, int]]:
    return {kind: dict(zip(PAIRS, numbers, strict=True)) for kind, numbers in kinds.items()}


def test_the_leakage_of_all_corpora_stands_above_that_of_each_that_has_some() -> None:
    of_esd = shared(speakers=(10, 10, 10), recordings=(0, 0, 0))
    ledger = {
        "leakage": shared(speakers=(10, 10, 10), recordings=(0, 0, 1)),
        "corpora": {
            "emodb": {"leakage": shared(speakers=(0, 0, 0), recordings=(0, 0, 1))},
            "esd": {"leakage": of_esd},
        },
    }
    shown = lines(tables.leakage(ledger))
    assert shown[1] == "shared by train-dev train-test dev-test"
    assert shown[3:] == [
        "speakers 10 10 10",
        "recordings 0 0 1",
        "recordings of emodb 0 0 1",
        "speakers of esd 10 10 10",
    ]
    alone = lines(tables.leakage({"leakage": of_esd, "corpora": {"esd": {"leakage": of_esd}}}))
    assert alone[3:] == ["speakers 10 10 10", "recordings 0 0 0"]
