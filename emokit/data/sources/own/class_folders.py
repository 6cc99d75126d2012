"""Recordings in folders named by their labels: `happy/a.wav`, with or without train, dev and test above."""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from emokit.data.sources.own.ids import Identified, local_ids
from emokit.data.sources.own.words import read_as, split_of
from emokit.data.sources.scan import files
from emokit.data.sources.tree import Skipped
from emokit.data.utterance import Dropped, Remark, Utterance
from emokit.errors import DataError
from emokit.names import escaped

NO_SPEAKERS = (
    "no speakers are named: each utterance counts as a speaker of its own, so train and test may share speakers"
)
IN_NO_FOLDER = "in no folder of a label"


def walks(options: Mapping[str, Any]) -> bool:
    """No: `read` enters all that is below the root itself."""
    return False


def read(root: Path, options: Mapping[str, Any]) -> Iterator[Utterance | Dropped | Skipped | Remark]:
    """Find the utterances below `root`: the label is the first folder, or the second below train, dev and test.

    Args:
        root: the folder of the folders.
        options: `corpus`, the name.

    Raises:
        DataError: no audio file is in a folder of a label.
    """
    corpus = options["corpus"]
    skipped: list[Skipped] = []
    listed = list(files(root, skipped=skipped))
    splits = _splits(listed)
    depth = 2 if splits else 1
    used = [path for path in listed if len(path.parts) > depth]
    if not used:
        content = f"{len(listed)} audio file{'s' * (len(listed) != 1)}" if listed else "no audio files"
        raise DataError(
            f"{corpus}: {root} holds {content} and none in a folder of a label, such as happy/a.wav; "
            "sort them into such folders, or name a table of labels as NAME=FILE."
        )
    if note := read_as(splits):
        yield Remark(f"of the folders, {note}")
    yield Remark(NO_SPEAKERS)
    if empty := list(_empty(root, used, splits, depth, skipped)):
        yield Remark(f"no audio file in {', '.join(empty)}: no utterance has the label of such a folder")
    for path in listed:
        if len(path.parts) <= depth:
            yield Dropped(path.as_posix(), IN_NO_FOLDER)
    ids = local_ids([Identified(str(path), path=path.as_posix()) for path in used], str(root))
    for local, path in zip(ids, used, strict=True):
        name = escaped(local)
        yield Utterance(
            utterance_id=f"{corpus}/{name}",
            corpus=corpus,
            path=path.as_posix(),
            speaker=name,
            raw_label=escaped(path.parts[depth - 1]),
            split=split_of(path.parts[0]) if splits else None,
        )
    yield from skipped


def _splits(paths: list[PurePosixPath]) -> set[str]:
    """The first folders, if all of them are words for splits and have folders below; else none."""
    words = {path.parts[0] for path in paths if len(path.parts) > 1}
    have_folders = all(len(path.parts) > 2 for path in paths if len(path.parts) > 1)
    return words if words and have_folders and all(map(split_of, words)) else set()


def _empty(
    root: Path, used: list[PurePosixPath], splits: set[str], depth: int, skipped: list[Skipped]
) -> Iterator[str]:
    """The folders of labels without an utterance: a copy that ended early leaves such ones.

    Args:
        root: the folder of the folders.
        used: the paths of the utterances.
        splits: the folders of splits above those of labels, if there are any.
        depth: the number of folders above a file.
        skipped: folders among these are named with their own reason.
    """
    known = {"/".join(path.parts[:depth]) for path in used} | {entry.path.rstrip("/") for entry in skipped}
    for above in [f"{split}/" for split in sorted(splits)] or [""]:
        for entry in sorted((root / above).iterdir()):
            if entry.is_dir() and above + entry.name not in known:
                yield escaped(above + entry.name)
