"""List the files below a folder in one pass, and what is there besides files that can be read."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emokit.errors import DataError, UsageError

HIDDEN = "hidden"
OF_MACOS = "a folder of macOS"
BROKEN_LINK = "a broken link"
LINK_LOOP = "a link back to a folder that it is in"
LISTED_ALREADY = "a folder that is listed under another name"
OF_THE_SYSTEM = "a folder of the operating system"
# Their files are made while they are read, without end or with the state of the machine; /dev/shm is a disk in memory.
SYSTEM, MEMORY = tuple(map(Path, ("/proc", "/sys", "/dev"))), Path("/dev/shm")
NOT_A_FILE = "a pipe, socket or device, not a file"

# A folder to list: its path relative to the root, with a slash at its end, and whether a link led there.
Folder = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder that is not used."""

    path: str
    """Relative to the root; a folder ends with a slash."""
    reason: str
    """A short phrase; entries with the same reason are counted together."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file or row that does not become an utterance; the ledger lists it with the reason."""

    name: str
    """The path relative to the corpus root, or the utterance id where it has no file."""
    reason: str
    """A short phrase; entries with the same reason are counted together."""
    detail: str = ""
    """What is specific to this entry: the path of the other file, the numbers."""


def refuse_system(folder: Path) -> None:
    """Refuse to look for data in `/proc`, `/sys` and `/dev`.

    Raises:
        UsageError: the folder is one of these, or below it.
    """
    if _is_of_the_system(folder.resolve()):
        raise UsageError(f"{folder} is {OF_THE_SYSTEM}, where no data are; name the folder that the data are in.")


def _is_of_the_system(folder: Path) -> bool:
    return any(map(folder.is_relative_to, SYSTEM)) and not folder.is_relative_to(MEMORY)


def walk(root: Path, skipped: list[Skipped] | None = None) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every file below `root`, in no particular order: its path relative to `root`, with forward slashes, and its entry.

    Links to files and folders, inside or outside the root, are followed. Each folder is listed once: under its own path if
    it is below the root, else under the first link to it by name. Left out are hidden files and folders, `__MACOSX`, broken
    links, what is no regular file, and folders of the operating system.

    Args:
        root: the folder.
        skipped: what is left out is added to this list, with the reason.

    Raises:
        UsageError: the root is a folder of the operating system.
        DataError: a folder that no link led to cannot be read.
    """
    refuse_system(root)
    resolved = root.resolve()
    skipped = [] if skipped is None else skipped
    folders: list[Folder] = [("", False)]
    linked: list[Folder] = []
    listed: set[tuple[int, int]] = set()
    while folders or linked:
        if not folders:
            # Links come last, so that a folder below the root keeps its own path.
            linked.sort(reverse=True)
        folder, is_linked = (folders or linked).pop()
        try:
            if _is_of_the_system((root / folder).resolve() if is_linked else resolved / folder):
                skipped.append(Skipped(folder, OF_THE_SYSTEM))
                continue
            status = (root / folder).stat()
            if (status.st_dev, status.st_ino) in listed or (is_linked and _is_loop(root, folder)):
                skipped.append(Skipped(folder, LINK_LOOP if _is_loop(root, folder) else LISTED_ALREADY))
                continue
            listed.add((status.st_dev, status.st_ino))
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    path = folder + entry.name
                    kind = _kind(entry)
                    if kind == "folder":
                        is_link = entry.is_symlink()
                        (linked if is_link else folders).append((f"{path}/", is_linked or is_link))
                    elif kind == "file":
                        yield path, entry
                    else:
                        skipped.append(Skipped(path, kind))
        except OSError as error:
            if not is_linked:
                raise DataError(
                    f"The folder {root / folder} cannot be read ({error.strerror}); check its permissions."
                ) from error
            skipped.append(Skipped(folder, f"a linked folder that cannot be read ({error.strerror})"))


def _kind(entry: os.DirEntry[str]) -> str:
    """`file`, `folder`, or the reason why an entry is skipped."""
    if entry.name.startswith("."):
        return HIDDEN
    if entry.name == "__MACOSX":
        return OF_MACOS
    try:
        if entry.is_dir():
            return "folder"
        if entry.is_file():
            return "file"
        return NOT_A_FILE if Path(entry.path).exists() else BROKEN_LINK
    except OSError:  # a link to itself, or to a place that may not be looked at
        return BROKEN_LINK


def _is_loop(root: Path, folder: str) -> bool:
    """Whether a folder is one of those that it is in, the root's included."""
    path = root / folder
    return path.parent.resolve().is_relative_to(path.resolve())
