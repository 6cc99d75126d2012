"""Whether a prepared folder is up to date, so that `emokit prepare` has nothing to do.

Its inputs are identified by the command's arguments, by emokit's own code, and by the size, mode and modification time of every
file below the corpora's roots. Nothing heavy is imported here, as the check precedes all other work.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from emokit.data.sources.tree import Skipped, walk
from emokit.errors import DataError
from emokit.files import read_json, write_json

STATE = "state.json"
# The code that determines the content of a prepared folder.
CODE = [Path(__file__).parent, *(Path(__file__).parent.parent / room for room in ("audio", "transcription"))]


def inputs(asked: Mapping[str, Any], sources: Iterable[Path]) -> str:
    """SHA-256 over the arguments and the files of the sources.

    Args:
        asked: the arguments, as plain JSON values.
        sources: folders and single files.
    """
    files: dict[str, Any] = {}
    for source in sources:
        try:
            files[str(source)] = _files(source, with_skipped=True)
        except DataError as error:  # `prepare` reports it, per corpus
            files[str(source)] = str(error)
    code = [line for folder in CODE for line in _files(folder) if line[0].endswith(".py")]
    content = json.dumps([dict(asked), files, code], sort_keys=True, default=str)
    return hashlib.sha256(content.encode(errors="surrogateescape")).hexdigest()


def remember(out: Path, inputs_hash: str) -> None:
    """Write the hash of the inputs, computed before the work began, into a prepared folder."""
    (out / STATE).unlink(missing_ok=True)
    write_json(out / STATE, {"inputs": inputs_hash, "files": _files(out)})


def is_unchanged(out: Path, inputs_hash: str) -> bool:
    """Whether every file of `out` is as it was written from inputs with this hash."""
    try:
        state = read_json(out / STATE)
    except DataError:
        return False
    files = [line for line in _files(out) if line[0] != STATE]
    return isinstance(state, dict) and state.get("inputs") == inputs_hash and state.get("files") == files


def _files(source: Path, *, with_skipped: bool = False) -> list[list[Any]]:
    """Path, size (bytes), modification time (ns) and mode of every file, in order."""
    if not source.is_dir():
        status = source.stat() if source.exists() else None
        return [[source.name, status.st_size, status.st_mtime_ns, status.st_mode]] if status else []
    skipped: list[Skipped] = []
    lines = []
    for path, entry in walk(source, skipped):
        try:
            status = entry.stat()
        except OSError:  # a broken link
            continue
        lines.append([path, status.st_size, status.st_mtime_ns, status.st_mode])
    # The ledger names what is skipped in a source. Hidden files in a prepared folder are temporary.
    return sorted(lines) + sorted([item.path, item.reason] for item in skipped if with_skipped)
