"""Unpack downloaded archives safely: they can only add plain files below one folder."""

import gzip
import lzma
import re
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, cast

from emokit.errors import DataError
from emokit.files import explained_disk_errors
from emokit.read_files import in_words

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz")
# Python reads none of these.
UNSUPPORTED = (".7z", ".rar", ".tar.zst", ".tzst", ".zst", ".tar.lz", ".tar.lz4", ".tar.z")
# Of these, RuntimeError is an encrypted file, NotImplementedError an unknown compression.
DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError),
    *(RuntimeError, NotImplementedError, ValueError, struct.error),
)
ENCRYPTED = 1  # the bit in a file's flags
MAX_NAME_BYTES = 255  # of a file's name, on the usual disks


def is_archive(name: str) -> bool:
    """Whether `unpack` accepts a file of this name."""
    return name.lower().endswith(ENDINGS)


def unsupported(name: str) -> str | None:
    """The ending of an archive that `unpack` cannot read; None for another file."""
    return next((ending for ending in UNSUPPORTED if name.lower().endswith(ending)), None)


def unpack(archive: Path, folder: Path) -> int:
    """Unpack a zip or tar archive below `folder`; existing files are replaced, and no file becomes executable.

    Returns:
        The number of files.

    Raises:
        DataError: it is not an archive, is damaged, or contains a path outside the folder, a link or a device.
        WorkError: the disk is full.
    """
    if not (zipfile.is_zipfile(archive) or tarfile.is_tarfile(archive)):
        raise DataError(f"{archive.name} is damaged or not an archive; fetch it again.")
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
        raise DataError(f"{archive.name} is damaged ({in_words(error)}); fetch it again.") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise DataError(f"{archive.name} is damaged ({in_words(error)}); fetch it again.") from error  # bz2's
    return count


def _members(archive: Path) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """Name of each plain file and a function that opens it; folders and macOS's metadata files are skipped."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            for info in zipped.infolist():
                file_type = stat.S_IFMT(info.external_attr >> 16)
                if file_type not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise DataError(_refusal(archive, info.filename, "a link or a device"))
                if info.flag_bits & ENCRYPTED:
                    raise RuntimeError(f"{info.filename!r} is encrypted")
                if not info.is_dir() and not _is_macos_metadata(info.filename):
                    yield info.filename, partial(zipped.open, info)
        return
    with tarfile.open(archive) as tarred:
        for member in tarred:
            if not (member.isfile() or member.isdir()):
                raise DataError(_refusal(archive, member.name, "a link or a device"))
            if member.isfile() and not _is_macos_metadata(member.name):
                # None only for members that are not plain files.
                yield member.name, partial(cast("Callable[[tarfile.TarInfo], IO[bytes]]", tarred.extractfile), member)


def _is_macos_metadata(name: str) -> bool:
    return "__MACOSX" in name or PurePosixPath(name).name.startswith("._")


def _inside(folder: Path, name: str, archive: Path) -> Path:
    """The path of a member below the folder; refused if it leads elsewhere, also by links that exist on disk."""
    parts = PurePosixPath(name).parts
    if any(len(part.encode(errors="surrogateescape")) > MAX_NAME_BYTES for part in parts):
        raise DataError(_refusal(archive, f"{name[:40]}…", f"a name longer than {MAX_NAME_BYTES} bytes"))
    is_outside = not parts or name.startswith("/") or ".." in parts or "\\" in name or re.match("[A-Za-z]:", name)
    path = folder.joinpath(*parts) if not is_outside else folder
    if is_outside or not path.resolve().is_relative_to(folder.resolve()):
        raise DataError(_refusal(archive, name, "a path outside its folder"))
    above = [folder.joinpath(*parts[:number]) for number in range(len(parts))]
    if path.is_dir() or any(place.exists() and not place.is_dir() for place in above):
        raise DataError(_refusal(archive, name, "a file in the place of a folder"))
    return path


def _refusal(archive: Path, name: str, reason: str) -> str:
    return f"{archive.name} contains {name!r}, {reason}, which no corpus has; do not use this archive."
