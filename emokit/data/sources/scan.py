"""Find a corpus's files below its root, in spite of nested copies, leftovers of other programs and unknown names."""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from emokit.data.sources.tree import walk
from emokit.data.utterance import Dropped

AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".aif", ".aiff", ".mp3", ".ogg", ".m4a", ".mp4"})

COPY = "a copy of a file of the same name"
OTHER_CONTENT = "another file of the same name"
UNKNOWN_NAME = "unknown file name"


def files(root: Path, suffixes: frozenset[str] = AUDIO_SUFFIXES) -> Iterator[PurePosixPath]:
    """Every file below `root` with one of the suffixes (any case), relative to it, by depth and then by name.

    Left out: files of macOS (`._x`, `__MACOSX`), hidden files and folders, links to targets outside the root.

    Raises:
        DataError: a folder cannot be read.
    """
    endings = tuple(suffixes)
    paths = [path for path, entry in walk(root) if entry.name.lower().endswith(endings) and _is_inside(entry, root)]
    yield from map(PurePosixPath, sorted(paths, key=lambda path: (path.count("/"), path)))


def matches(
    root: Path, pattern: re.Pattern[str], suffixes: frozenset[str] = AUDIO_SUFFIXES
) -> Iterator[tuple[PurePosixPath, re.Match[str]] | Dropped]:
    """Every file whose complete stem matches the pattern, once per stem; all other files as `Dropped`.

    Of several files with the same stem (a download that contains its tree twice), the first in the order of `files` is taken.
    The others are dropped: as a copy if they have the same size, else as another file of that name.
    """
    taken: dict[str, PurePosixPath] = {}
    for path in files(root, suffixes):
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
    """Whether a file exists and, if it is a link, its target is below the root."""
    if not entry.is_symlink():
        return True
    path = Path(entry.path)
    return path.exists() and path.resolve().is_relative_to(root.resolve())
