"""The journal file of a sweep on one machine: checked when it is opened, and read without a change where it is only shown."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend
from optuna.storages.journal._storage import JournalOperation
from optuna.trial import TrialState

from emokit.errors import DataError
from emokit.read_files import in_words

START = b'{"op_code":'  # of every line that Optuna writes

_STUDY, _TRIAL = {"study_id": int}, {"trial_id": int}
_NUMBER = int | float
# Operation -> its keys and their types. Optuna's replay passes over an entry of another worker that names nothing it knows.
KEYS: dict[int, dict[str, Any]] = {
    JournalOperation.CREATE_STUDY: {"study_name": str, "directions": list},
    JournalOperation.DELETE_STUDY: _STUDY,
    JournalOperation.SET_STUDY_USER_ATTR: _STUDY | {"user_attr": dict},
    JournalOperation.SET_STUDY_SYSTEM_ATTR: _STUDY | {"system_attr": dict},
    JournalOperation.CREATE_TRIAL: _STUDY | {"datetime_start": str | None},
    JournalOperation.SET_TRIAL_PARAM: _TRIAL
    | {"param_name": str, "param_value_internal": _NUMBER, "distribution": str},
    JournalOperation.SET_TRIAL_STATE_VALUES: _TRIAL | {"state": int, "values": list | None},
    JournalOperation.SET_TRIAL_INTERMEDIATE_VALUE: _TRIAL | {"step": int, "intermediate_value": _NUMBER},
    JournalOperation.SET_TRIAL_USER_ATTR: _TRIAL | {"user_attr": dict},
    JournalOperation.SET_TRIAL_SYSTEM_ATTR: _TRIAL | {"system_attr": dict},
}
STATES = {state.value for state in TrialState}


def damaged(path: Path, reason: str) -> DataError:
    """The sentence on a journal that cannot be read; it is left as it is."""
    return DataError(f"{path} is damaged ({reason}); sweep into another folder with --run.")


def check_journal(path: Path) -> list[dict[str, Any]]:
    """The entries of a journal, without an incomplete last line as a kill leaves it.

    Raises:
        DataError: the file is no journal, or an entry is of another kind or names what no entry before it made.
    """
    if not path.exists():
        return []
    try:
        *lines, rest = path.read_bytes().split(b"\n")
        if not START.startswith(rest[: len(START)]):
            raise ValueError("its last line is none of a sweep")
        entries = [_entry(line, number) for number, line in enumerate(lines, start=1)]
        _check_references(entries)
        return entries
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(path, in_words(error)) from error


def _entry(line: bytes, number: int) -> dict[str, Any]:
    try:
        entry = json.loads(line) if line.startswith(START) else None  # a mark of the byte order is read over by json
    except ValueError:
        entry = None
    keys = KEYS.get(entry["op_code"]) if isinstance(entry, dict) and _is(entry.get("op_code"), int) else None
    if keys is None or not isinstance(entry, dict):
        raise ValueError(f"line {number} is none of a sweep")
    for key, kind in {"worker_id": str, **keys}.items():
        if key not in entry:
            raise ValueError(f"line {number} has no {key}")
        if not _is(entry[key], kind):
            raise ValueError(f"line {number} has {key} = {entry[key]!r}")
    if "state" in entry and not (_is(entry["state"], int) and entry["state"] in STATES):
        raise ValueError(f"line {number} has the unknown state {entry['state']!r}")
    return entry


def _is(value: Any, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)  # in Python True is 1


def _check_references(entries: list[dict[str, Any]]) -> None:
    """Refuse an entry about a study or a trial that no entry before it made."""
    studies: set[str] = set()
    num_trials = 0
    for number, entry in enumerate(entries, start=1):
        for what, size in (("study", len(studies)), ("trial", num_trials)):
            named = entry.get(f"{what}_id")
            if named is not None and not 0 <= named < size:
                raise ValueError(f"line {number} names the unknown {what} {named}")
        if entry["op_code"] == JournalOperation.CREATE_STUDY:
            studies.add(entry["study_name"])  # of two workers that make it at once, the second joins
        num_trials += entry["op_code"] == JournalOperation.CREATE_TRIAL


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
