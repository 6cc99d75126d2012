"""Archives from elsewhere, unpacked so that they can do nothing but add plain files below one folder."""

import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, cast

from emokit.errors import DataError
from emokit.files import explained_disk_errors

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz")
DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError)


def is_archive(name: str) -> bool:
    """Whether a file of this name is one that `unpack` takes."""
    return name.lower().endswith(ENDINGS)


def unpack(archive: Path, folder: Path) -> int:
    """Unpack a zip or tar archive below `folder`; files that are there are replaced, and none becomes executable.

    Returns:
        The number of files.

    Raises:
        DataError: it is no archive, damaged, or holds what has no place in a corpus: a path that leads out of the folder,
            a link, a device.
        WorkError: the disk is full.
    """
    if not (zipfile.is_zipfile(archive) or tarfile.is_tarfile(archive)):
        raise DataError(f"{archive.name} is damaged or no archive; fetch it again.")
    count = 0
    try:
        for name, opened in _members(archive):
            path = _inside(folder, name, archive)
            with explained_disk_errors(path), opened() as content:
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as file:
                    shutil.copyfileobj(content, file, 2**20)
            count += 1
    except DAMAGE as error:
        raise DataError(f"{archive.name} is damaged ({error}); fetch it again.") from error
    return count


def _members(archive: Path) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """Name of every plain file and what opens it; folders are made as they are needed, macOS's leftovers left out."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            for info in zipped.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise DataError(_refusal(archive, info.filename, "a link or a device"))
                if not info.is_dir() and not _is_leftover(info.filename):
                    yield info.filename, partial(zipped.open, info)
        return
    with tarfile.open(archive) as tarred:
        for member in tarred:
            if not (member.isfile() or member.isdir()):
                raise DataError(_refusal(archive, member.name, "a link or a device"))
            if member.isfile() and not _is_leftover(member.name):
                # None only for what is no plain file.
                yield member.name, partial(cast("Callable[[tarfile.TarInfo], IO[bytes]]", tarred.extractfile), member)


def _is_leftover(name: str) -> bool:
    return "__MACOSX" in name or PurePosixPath(name).name.startswith("._")


def _inside(folder: Path, name: str, archive: Path) -> Path:
    """Where a member goes; refused where that is not below the folder, links on the disk included."""
    parts = PurePosixPath(name).parts
    leads_out = not parts or name.startswith("/") or ".." in parts or "\\" in name or re.match("[A-Za-z]:", name)
    path = folder.joinpath(*parts) if not leads_out else folder
    if leads_out or not path.resolve().is_relative_to(folder.resolve()):
        raise DataError(_refusal(archive, name, "a path that leads out of its folder"))
    return path


def _refusal(archive: Path, name: str, what: str) -> str:
    return f"{archive.name} holds {name!r}, {what}, which no corpus has; do not use this archive."
