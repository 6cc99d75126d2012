"""The journal file of a sweep on one machine: checked when it is opened, and read without a change where it is only shown."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend

from emokit.errors import DataError

START = b'{"op_code":'  # of every line that Optuna writes


def check_journal(path: Path) -> list[dict[str, Any]]:
    """The entries of a journal, without an incomplete last line as a kill leaves it.

    Raises:
        DataError: the file is no journal.
    """
    if not path.exists():
        return []
    try:
        *lines, rest = path.read_bytes().split(b"\n")
        if not START.startswith(rest[: len(START)]):
            raise ValueError("its last line is none of a sweep")
        return [_entry(line, number) for number, line in enumerate(lines, start=1)]
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is damaged ({error}); sweep into another folder with --run.") from error


def _entry(line: bytes, number: int) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict) or not isinstance(entry.get("op_code"), int):
        raise ValueError(f"line {number} is none of a sweep")
    return entry


class UnchangedJournal(BaseJournalBackend):
    """A journal as it was read: what is added stays in memory, so that a sweep can be shown without a change to its file."""

    def __init__(self, path: Path) -> None:
        self._entries = check_journal(path)

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """The entries from a number on."""
        yield from self._entries[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Add entries, as they would be read back."""
        self._entries += json.loads(json.dumps(logs))
