"""Tables on the terminal, from hand-made values."""

import io

from rich.console import Console
from rich.table import Table

from emokit.cli import tables
from emokit.labels import DEFAULT_LABELS

PAIRS = ("train-dev", "train-test", "dev-test")


def lines(table: Table) -> list[str]:
    """A table's lines with one space between their words."""
    console = Console(file=io.StringIO(), width=80)
    console.print(table)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines() if line.strip()]  # type: ignore[attr-defined]


def shared(**kinds: tuple[int, int, int]) -> dict[str, dict[str, int]]:
    return {kind: dict(zip(PAIRS, numbers, strict=True)) for kind, numbers in kinds.items()}


def test_a_corpus_without_speakers_has_no_brackets() -> None:
    some, nobody = {"utterances": 36162, "speakers": []}, {"utterances": 0, "speakers": []}
    ledger = {"corpora": {"goemotions": {"splits": {"train": some, "dev": nobody, "test": some}}}}
    assert lines(tables.splits(ledger))[-1] == "goemotions 36162 0 (0) 36162"


def test_a_survey_of_the_longest_name_and_of_large_counts_fits_into_80_characters() -> None:
    counts = dict.fromkeys(DEFAULT_LABELS, 19020)
    shown = lines(tables.survey({"goemotions": {"found": 54263, "dropped": 32832, "labels": counts}}))
    assert shown[-1] == "goemotions 54263 32832 19020 19020 19020 19020 19020 19020 19020"


def test_the_leakage_of_all_corpora_is_above_that_of_each_corpus_that_has_some() -> None:
    esd = shared(speakers=(10, 10, 10), recordings=(0, 0, 0))
    ledger = {
        "leakage": shared(speakers=(10, 10, 10), recordings=(0, 0, 1)),
        "corpora": {
            "emodb": {"leakage": shared(speakers=(0, 0, 0), recordings=(0, 0, 1))},
            "esd": {"leakage": esd},
        },
    }
    shown = lines(tables.leakage(ledger))
    assert shown[1] == "shared train-dev train-test dev-test"
    assert shown[3:] == [
        "speakers 10 10 10",
        "recordings 0 0 1",
        "recordings of emodb 0 0 1",
        "speakers of esd 10 10 10",
    ]
    alone = lines(tables.leakage({"leakage": esd, "corpora": {"esd": {"leakage": esd}}}))
    assert alone[3:] == ["speakers 10 10 10", "recordings 0 0 0"]


def test_what_was_skipped_is_counted_and_named() -> None:
    kinds = {"dropped": {}, "repaired": {}, "flagged": {}, "skipped": {"hidden": [".a", ".b", ".c", ".d"]}}
    assert tables.remarks({"corpora": {"emodb": {**kinds, "notes": []}}}) == [
        "emodb: 4 skipped: hidden (.a, .b, .c, …)"
    ]
