"""The log of a run, `log.jsonl`: one line per epoch, in order, and none twice."""

import json
import logging
import os
from pathlib import Path
from typing import Any

from emokit.errors import DataError
from emokit.files import explained_disk_errors, read_text, write_text
from emokit.read_files import in_words, once
from emokit.run_files import LOG as LOG
from emokit.schema.base import REMAKE, check
from emokit.schema.log import LogLine

log = logging.getLogger(__name__)


def append_log(run: Path, line: dict[str, Any]) -> None:
    """Add an epoch's line to `log.jsonl`; an incomplete line left by a kill is removed first."""
    path = run / LOG
    before = path.read_bytes() if path.exists() else b""
    with explained_disk_errors(path):
        if before and not before.endswith(b"\n"):
            os.truncate(path, before.rfind(b"\n") + 1)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def align_log(run: Path, epoch: int, line: dict[str, Any] | None) -> None:
    """Make `log.jsonl` end with the epoch of the checkpoint: a kill can come between the two.

    Epochs that it lacks besides, which no kill can cause, are counted in a warning.

    Args:
        run: the run folder.
        epoch: of the checkpoint; 0 without one.
        line: of that epoch, from the checkpoint. It has no `seconds`, which are written as 0.
    """
    lines = [logged for logged in read_log(run) if int(logged["epoch"]) <= epoch]
    if line and epoch not in [int(logged["epoch"]) for logged in lines[-1:]]:
        lines.append({**line, "seconds": 0.0})
    if len(lines) < epoch:
        words = f"{len(lines)} of the {epoch} epochs that were trained"
        log.warning("%s has only %s; the learning curve will lack the others.", run / LOG, words)
    text = "".join(json.dumps(logged) + "\n" for logged in lines)
    if text != ((run / LOG).read_text(encoding="utf-8", errors="replace") if (run / LOG).exists() else ""):
        write_text(run / LOG, text)


def read_log(run: Path) -> list[dict[str, Any]]:
    """The epochs of a run, in order; incomplete lines are skipped, and of a repeated epoch the last line counts.

    Raises:
        DataError: the file is no text, or a complete line is not that of an epoch, or has a key twice.
    """
    if not (run / LOG).exists():
        return []
    epochs: dict[int, dict[str, Any]] = {}
    lines = read_text(run / LOG, REMAKE).splitlines()
    for line in lines:
        try:
            epoch = json.loads(line, object_pairs_hook=once)
        except (json.JSONDecodeError, RecursionError):
            continue
        except ValueError as error:
            raise DataError(f"{run / LOG} is damaged ({in_words(error)}); {REMAKE}.") from error
        epochs[check(LogLine, epoch, run / LOG).epoch] = epoch
    return [epochs[number] for number in sorted(epochs)]


def last_epoch(run: Path) -> int:
    """The number of the last epoch in a run's log; 0 before the first."""
    return max((int(epoch["epoch"]) for epoch in read_log(run)), default=0)
