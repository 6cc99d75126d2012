"""Files in a result's folder that emokit did not write: --force must not delete them."""

import fnmatch
from collections.abc import Iterable, Sequence
from pathlib import Path

from emokit.errors import UsageError
from emokit.temporary import LOCK, is_temporary

OF_THE_DESKTOP = (".DS_Store", "Thumbs.db", "desktop.ini")  # file managers write them into every folder that they show


def refuse_foreign(folder: Path, names: Iterable[str]) -> None:
    """Refuse to replace a folder that has a file of the user's in it: --force would delete it.

    Args:
        folder: of a result; absent or empty is fine.
        names: patterns of what emokit writes into such a folder. One with a slash, such as `figures/*.png`, tells what is in
            a subfolder; a subfolder without such a pattern may have anything in it.

    Raises:
        UsageError: names the first file or folder that fits none of them.
    """
    foreign = _first_foreign(folder, [name.split("/") for name in names]) if folder.is_dir() else None
    if foreign:
        raise UsageError(
            f"{foreign} is no part of the result that --force deletes; move it out of {folder}, or name another folder."
        )


def _first_foreign(folder: Path, patterns: Sequence[list[str]]) -> Path | None:
    for path in sorted(folder.iterdir()):
        if path.name in (LOCK, *OF_THE_DESKTOP) or is_temporary(path):
            continue
        fitting = [pattern for pattern in patterns if fnmatch.fnmatchcase(path.name, pattern[0])]
        if not fitting or (path.is_file() and min(map(len, fitting)) > 1):
            return path
        inside = [pattern[1:] for pattern in fitting if len(pattern) > 1]
        if inside and path.is_dir() and not path.is_symlink() and (foreign := _first_foreign(path, inside)):
            return foreign
    return None
