"""Finding a corpus's files under its root: nested copies, other people's leftovers and strange names included."""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from emokit.data.sources.tree import walk
from emokit.data.utterance import Dropped

SOUND_ENDINGS = frozenset({".wav", ".flac", ".aif", ".aiff", ".mp3", ".ogg", ".m4a", ".mp4"})

COPY = "a copy of a file of the same name"
OTHER_CONTENT = "another file of the same name"
UNKNOWN_NAME = "a name that this corpus does not have"


def files(root: Path, endings: frozenset[str] = SOUND_ENDINGS) -> Iterator[PurePosixPath]:
    """Every file below `root` with one of the endings (any case), relative to it, shallow and alphabetical first.

    Left out: what macOS leaves behind (`._x`, `__MACOSX`), hidden files and folders, links that lead out of the root.

    Raises:
        DataError: a folder cannot be read.
    """
    suffixes = tuple(endings)
    found = [path for path, e in walk(root) if e.name.lower().endswith(suffixes) and _is_inside(e, root)]
    yield from map(PurePosixPath, sorted(found, key=lambda path: (path.count("/"), path)))


def matches(
    root: Path, pattern: re.Pattern[str], endings: frozenset[str] = SOUND_ENDINGS
) -> Iterator[tuple[PurePosixPath, re.Match[str]] | Dropped]:
    """Every file whose stem matches the pattern whole, once per stem; what is left over is yielded as `Dropped`.

    Where a stem turns up again (a dump that holds its tree twice), the first one in the order of `files` is taken and the
    other is dropped: as a copy where it has the same size, else as another file of that name.
    """
    taken: dict[str, PurePosixPath] = {}
    for path in files(root, endings):
        match = pattern.fullmatch(path.stem)
        if match is None:
            yield Dropped(path.as_posix(), UNKNOWN_NAME)
            continue
        first = taken.setdefault(path.stem, path)
        if first is path:
            yield path, match
        else:
            same = (root / first).stat().st_size == (root / path).stat().st_size
            yield Dropped(path.as_posix(), COPY if same else OTHER_CONTENT, f"taken: {first.as_posix()}")


def _is_inside(entry: os.DirEntry[str], root: Path) -> bool:
    """Whether a file is there and, where it is a link, leads to somewhere below the root."""
    if not entry.is_symlink():
        return True
    path = Path(entry.path)
    return path.exists() and path.resolve().is_relative_to(root.resolve())
