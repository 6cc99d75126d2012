"""Whether a prepared folder is already what it would become: then `emokit prepare` has nothing to do.

What went into it is known again by everything that was asked for, by emokit's own code, and by the size, mode and time of
change of every file below the corpora's folders. Nothing heavy is imported here, as an answer is wanted at once.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from emokit.data.sources.tree import walk
from emokit.errors import DataError
from emokit.files import read_json, write_json

STATE = "state.json"
# What becomes of a corpus is decided by this code.
CODE = [Path(__file__).parent, Path(__file__).parent.parent / "audio"]


def inputs(asked: Mapping[str, Any], sources: Iterable[Path]) -> str:
    """SHA-256 over what is asked for and over every file of the sources.

    Args:
        asked: plain values, as JSON takes them.
        sources: folders, and files on their own.
    """
    found: dict[str, Any] = {}
    for source in sources:
        try:
            found[str(source)] = _files(source)
        except DataError as error:  # for `prepare` to deal with, corpus by corpus
            found[str(source)] = str(error)
    code = [line for folder in CODE for line in _files(folder) if line[0].endswith(".py")]
    everything = json.dumps([dict(asked), found, code], sort_keys=True, default=str)
    return hashlib.sha256(everything.encode(errors="surrogateescape")).hexdigest()


def remember(out: Path, made_of: str) -> None:
    """Write beside a prepared folder's files what they were made of; `made_of` was taken before the work began."""
    (out / STATE).unlink(missing_ok=True)
    write_json(out / STATE, {"inputs": made_of, "files": _files(out)})


def is_unchanged(out: Path, made_of: str) -> bool:
    """Whether the files of `out` are those that were made of these inputs, every one of them."""
    try:
        state = read_json(out / STATE)
    except DataError:
        return False
    files = [line for line in _files(out) if line[0] != STATE]
    return isinstance(state, dict) and state.get("inputs") == made_of and state.get("files") == files


def _files(source: Path) -> list[list[Any]]:
    """Path, size (bytes), time of change (ns) and mode of every file, in order."""
    if not source.is_dir():
        status = source.stat() if source.exists() else None
        return [[source.name, status.st_size, status.st_mtime_ns, status.st_mode]] if status else []
    lines = []
    for path, entry in walk(source):
        try:
            status = entry.stat()
        except OSError:  # a link that leads nowhere
            continue
        lines.append([path, status.st_size, status.st_mtime_ns, status.st_mode])
    return sorted(lines)
