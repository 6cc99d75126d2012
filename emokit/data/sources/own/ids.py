"""The utterance ids of a user's own data: its own, else the names of the files, else the numbers of the rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from emokit.errors import DataError

MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Identified:
    """What a row or a file can be named by.

    Attributes:
        where: the row or the file, for messages: `labels.csv, row 3`.
        table: the stem of its table, where there are several.
        number: of its row.
        own: its own id; empty where it has none.
        path: of its file, relative to the root; empty where it has none.
        span: its start and end in the file, as text; empty for a whole file.
    """

    where: str
    table: str = ""
    number: int = 0
    own: str = ""
    path: str = ""
    span: str = ""


def local_ids(rows: Sequence[Identified], source: str) -> list[str]:
    """An id for each row, without the name of the corpus: unique, and the same whatever the order of the rows with files.

    Files are named by their stems where no two of the corpus have the same, else by their paths without suffixes.

    Raises:
        DataError: two rows have the same id of their own, or the same file without start and end.
    """
    with_files = {row.path for row in rows if row.path and not row.own}
    name_of = _names(sorted(with_files))
    width = len(str(max((row.number for row in rows), default=0)))
    ids = [
        row.own
        or (
            name_of[row.path] + row.span if row.path else f"{row.table}{'/' if row.table else ''}{row.number:0{width}d}"
        )
        for row in rows
    ]
    repeated = [(name, count) for name, count in Counter(ids).items() if count > 1]
    if repeated:
        name, count = repeated[0]
        twins = [row for row, row_id in zip(rows, ids, strict=True) if row_id == name]
        shown = ", ".join(row.where for row in twins[:MOST_NAMED]) + (", …" if count > MOST_NAMED else "")
        others = f", and {len(repeated) - 1} more are repeated" if len(repeated) > 1 else ""
        if all(row.path and not row.own for row in twins):
            raise DataError(
                f"{source} names the file {twins[0].path} {count} times ({shown}){others}; expected one row per recording, or "
                "columns start and end for its parts: remove rows, or name a column with --columns utterance_id=NAME."
            )
        raise DataError(
            f"{source} has the utterance_id {name} {count} times ({shown}){others}; give each row its own, or leave the column "
            "out with --columns utterance_id=."
        )
    return ids


def _names(paths: Sequence[str]) -> dict[str, str]:
    """The shortest names of files that are unique: stems, else paths without suffixes, else paths."""
    names = paths
    for shorten in (_stem, _without_suffix):
        names = [shorten(path) for path in paths]
        if len(set(names)) == len(paths):
            return dict(zip(paths, names, strict=True))
    return {path: path for path in paths}


def _stem(path: str) -> str:
    return PurePosixPath(path).stem


def _without_suffix(path: str) -> str:
    return PurePosixPath(path).with_suffix("").as_posix()
