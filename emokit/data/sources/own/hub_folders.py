"""Folders that are named as data sets and are none: refused before the library `datasets` looks through all that is below."""

import os
from collections.abc import Iterable
from pathlib import Path

from emokit.data.sources.tree import refuse_system
from emokit.data.utterance import TABLE
from emokit.errors import DataError, UsageError

# Below a data set of recordings there may be a folder per speaker and session.
MOST_FOLDERS, MOST_DEPTH = 10_000, 10
METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
POINTER, MOST_POINTER_BYTES = b"version https://git-lfs", 1024


def check_folder(folder: Path) -> None:
    """Refuse a folder that emokit prepared, one with more folders below it than a data set has, such as a whole disk, and one
    whose metadata are in files of two formats, of which only one would be read.

    Raises:
        UsageError: it is one of them.
    """
    if (folder / TABLE).is_file() and (folder / "settings.yaml").is_file():
        raise UsageError(
            f"{folder} is a folder that `emokit prepare` made; train on it with --data {folder}, or prepare what "
            f"`emokit export {folder} --format datasets` writes."
        )
    refuse_system(folder)
    metadata: dict[str, str] = {}
    num_folders, waiting = 0, [(str(folder), 0)]
    while waiting:
        path, depth = waiting.pop()
        try:
            with os.scandir(path) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError:  # without permission, or gone since
            continue
        below = [entry.path for entry in listed if entry.is_dir(follow_symlinks=False)]
        metadata |= {
            entry.name: entry.path for entry in listed if entry.name in METADATA and entry.name not in metadata
        }
        if len(metadata) > 1:
            first, second = list(metadata.values())[:2]
            raise UsageError(
                f"{folder} has the metadata files {first} and {second}, of which only one would be read; put all into one "
                "format and delete the other."
            )
        num_folders += len(below)
        waiting += [(inner, depth + 1) for inner in below]
        if num_folders > MOST_FOLDERS or depth > MOST_DEPTH:
            many = f"more than {MOST_FOLDERS}" if num_folders > MOST_FOLDERS else f"{MOST_DEPTH + 1} levels of"
            raise UsageError(
                f"{folder} has {many} folders below it, which no data set has; name the folder that its files are in."
            )


def check_contents(paths: Iterable[str | Path]) -> None:
    """Refuse files of data that were not downloaded: Git leaves a line with their hash in place of them.

    Raises:
        DataError: names the first of them.
    """
    for path in map(Path, paths):
        if path.is_file() and path.stat().st_size < MOST_POINTER_BYTES and path.read_bytes().startswith(POINTER):
            raise DataError(
                f"{path} is a pointer of Git LFS in place of the file; fetch the files with `git lfs pull` in its folder."
            )
