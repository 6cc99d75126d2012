"""The recordings of Hugging Face data sets: files of the data set where there are some, else files written from its bytes.

`datasets` stores most recordings as bytes inside of its tables. They are written, as they are, below a folder of the user's
cache that is the root of the corpus from then on:

    EMOKIT_CACHE (else XDG_CACHE_HOME/emokit, else ~/.cache/emokit)/hub/<name>-<key>/<file name>-<hash>.wav

A name contains the hash of the bytes, so that what is there already is not written again.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emokit.data.sources.own.hub_remote import Remote
from emokit.data.sources.own.paths import NOT_THERE, OUT_OF_ROOT, Root
from emokit.data.sources.own.row import Unusable
from emokit.data.sources.scan import AUDIO_SUFFIXES
from emokit.data.utterance import OUTSIDE
from emokit.errors import DataError
from emokit.files import explained_disk_errors, read_json, write_json
from emokit.names import escaped, unescaped
from emokit.runtime import cache_folder as cache_folder
from emokit.temporary import remove_temporary, temporary_path

SOURCE = "source.json"
LONGEST_STEM = 80


def new_root(label: str, folder: Path | None, identity: str) -> Path:
    """The root of a data set whose recordings are written from its bytes; the file in it says which folder they are from.

    Args:
        label: the name of the data set, for people.
        folder: of the data set; None for one on the hub.
        identity: of one on the hub.
    """
    key = hashlib.sha256((str(folder) if folder else identity).encode(errors="surrogateescape")).hexdigest()[:12]
    root = cache_folder() / "hub" / f"{safe_name(label)}-{key}"
    content = {"folder": escaped(str(folder)) if folder else None, "hub": None if folder else identity}
    if not (root / SOURCE).is_file() or read_json(root / SOURCE) != content:
        write_json(root / SOURCE, content)
    remove_temporary(root)
    return root


def folder_of(root: Path) -> Path:
    """The folder of the data set whose recordings are below a root.

    Raises:
        DataError: the root has no such note.
    """
    content = read_json(root / SOURCE)
    folder = content.get("folder") if isinstance(content, dict) else None
    if not isinstance(folder, str):
        raise DataError(f"{root / SOURCE} names no folder; delete {root} and run the command again.")
    return Path(unescaped(folder))


def safe_name(text: str) -> str:
    """A text as the name of a file on every system: letters, digits, `_`, `.` and `-`; others become `_`."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", text).strip("._-")
    return name[:LONGEST_STEM].rstrip("._-") or "recording"


def suffix_of(name: str) -> str:
    """The suffix of a name, if it is one of audio; else none, as what a file holds is recognised by its content."""
    suffix = Path(name).suffix.lower()
    return suffix if suffix in AUDIO_SUFFIXES else ""


def holds_bytes(value: Any) -> bool:
    """Whether a value of a column of audio is, or has in it, the bytes of its recording."""
    return isinstance(value, bytes) or (isinstance(value, Mapping) and value.get("bytes") is not None)


class Recordings:
    """Gives the recordings of a data set their paths below the root of the corpus."""

    def __init__(self, root: Path, folder: Path | None, remote: Remote | None) -> None:
        """Begin.

        Args:
            root: of the corpus: the folder of the data set, or one of `new_root`.
            folder: of the data set; None for one on the hub.
            remote: the data set on the hub.
        """
        self._root, self._folder, self._remote = root, folder, remote
        self._files = Root(folder) if folder else None

    def place(self, value: Any) -> tuple[str, str]:
        """The path of a recording below the root, and the name that the data set gives it.

        Args:
            value: of a column of audio, or a path.

        Raises:
            Unusable: it leads out of the data set, or is no file.
        """
        if isinstance(value, bytes):
            return self._written(value, ""), ""
        name = str((value.get("path") if isinstance(value, Mapping) else value) or "")
        if holds_bytes(value):
            return self._written(value["bytes"], name), name
        if self._files is None:
            return self._written(self._fetched(name), name), name.partition("::")[0].rpartition("://")[2]
        path, fault = self._files.relative(name)
        if fault:
            raise Unusable(fault, name)
        if self._root == self._folder:
            return path, path
        return self._written((self._files.folder / path).read_bytes(), path), path

    def _fetched(self, name: str) -> bytes:
        """The bytes of a file that a data set on the hub names: one of its own, or one that `datasets` downloaded."""
        import datasets
        from datasets.utils.file_utils import xopen
        from huggingface_hub import constants, errors

        if self._remote and "://" in name and self._remote.owns(name):
            with xopen(name, "rb") as file:
                return bytes(file.read())
        if self._remote and "://" not in name and not OUTSIDE.search(name):
            try:
                return self._remote.download(self._remote.address + name).read_bytes()
            except errors.LocalEntryNotFoundError as error:
                raise DataError(
                    f"{name} of hf:{self._remote.name} cannot be downloaded, as the hub cannot be reached; run the command again "
                    "when it can be: what was downloaded is kept."
                ) from error
            except errors.EntryNotFoundError as error:
                raise Unusable(NOT_THERE, name) from error
        path = Path(os.path.normpath(name))
        caches = (datasets.config.HF_DATASETS_CACHE, datasets.config.DOWNLOADED_DATASETS_PATH, constants.HF_HUB_CACHE)
        if not any(path.is_relative_to(Path(cache)) for cache in caches):
            raise Unusable(OUT_OF_ROOT, name)
        return path.read_bytes()

    def _written(self, content: bytes, name: str) -> str:
        """Write a recording, if it is not there yet."""
        if self._root == self._folder:
            raise Unusable("bytes of a recording, where the first recording is a file")
        digest = hashlib.sha256(content).hexdigest()[:16]
        stem = safe_name(Path(name.replace("\\", "/")).stem)
        path = f"{stem}-{digest}{suffix_of(name)}"
        file = self._root / path
        if not file.is_file() or file.stat().st_size != len(content):
            _write(file, content)
        return path


def _write(file: Path, content: bytes) -> None:
    """Write a file whole or not at all; not waiting for the disk, as `whole_file` does, which takes ten times as long.

    What a power failure leaves has another size, or another hash than `prepare` stored, and the data set has it still.
    """
    temporary = temporary_path(file)
    with explained_disk_errors(file):
        try:
            temporary.write_bytes(content)
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
