"""What `emokit prepare` prints: the survey of a dry run, the ledger of a prepared folder, the next command."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from emokit.cli import console

if TYPE_CHECKING:
    from emokit.data.plan import Plan

MANY_UTTERANCES = 5000  # with audio: from there on, an ACRNN is worth its time


def survey(plan: "Plan", missing: dict[str, str], *, as_json: bool) -> None:
    """Print what would be prepared, and why corpora would fail."""
    from emokit.cli import tables
    from emokit.data.prepare import survey as count

    counts, failed = count(plan)
    failed = {**missing, **failed}
    if as_json:
        console.show_json({**counts, "failed": failed})
    elif counts:
        console.show(tables.survey(counts))
        for name, entry in counts.items():
            if "to_transcribe" in entry:
                console.say(f"{name}: {entry['to_transcribe']} recordings without a text would be transcribed")
    _end_with(failed)


def show(out: Path, *, as_json: bool) -> None:
    """Print the ledger of a prepared folder, and why corpora failed."""
    from emokit.cli import tables
    from emokit.data.prepared import LEDGER, read_fingerprint
    from emokit.schema.base import read_checked
    from emokit.schema.ledger import Ledger

    ledger = read_checked(Ledger, out / LEDGER, "prepare the folder again")
    if as_json:
        console.show_json({"folder": str(out), "fingerprint": read_fingerprint(out), **ledger})
    else:
        for table in (tables.ledger, tables.splits, tables.leakage):
            console.show(table(ledger))
        for line in tables.remarks(ledger):
            console.say(line)
        console.done(out, None if ledger["failed"] else f"emokit train {_next_training(out, ledger)}")
    _end_with(ledger["failed"])


def _next_training(out: Path, ledger: dict[str, Any]) -> str:
    """The rest of a command that trains on a prepared folder: first what takes seconds, and is hard to beat on little data."""
    corpora = ledger["corpora"].values()
    num_utterances, num_with_audio = (sum(entry[key] for entry in corpora) for key in ("kept", "with_audio"))
    if num_with_audio < num_utterances / 2:
        return f"text tfidf --data {out} --run runs/tfidf"
    if num_with_audio > MANY_UTTERANCES:
        return f"audio acrnn --data {out} --run runs/acrnn"
    return f"audio functionals --data {out} --run runs/functionals"


def _end_with(failed: dict[str, str]) -> None:
    """Print why corpora failed, and exit with the code for missing data if one did."""
    from emokit.errors import DataError

    for sentence in failed.values():
        console.say(f"error: {sentence}")
    if failed:
        raise typer.Exit(DataError.exit_code)
