"""Hugging Face data sets: `hf:DIR`, as `save_to_disk` or another program wrote it, and `hf:NAME[:CONFIG][@REVISION]` of the hub.

Columns are used by their usual names, or as `--columns` names them. A class label has its name; several are votes. The splits of
the data set are the official ones, unless it has none but `train`, or a column of splits. Audio is not decoded by `datasets`:
emokit reads the files, or the bytes that `hub_recordings` writes into a cache. No code of a data set is run.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from emokit.data.catalogue import Corpus, own_corpus
from emokit.data.sources.own import hub_remote, words
from emokit.data.sources.own.columns import NAMES, Chosen, choose
from emokit.data.sources.own.hub_open import FAULT, HUB, Opened, Split, open_dataset
from emokit.data.sources.own.hub_recordings import SOURCE, Recordings, folder_of, holds_bytes, new_root, safe_name
from emokit.data.sources.own.hub_remote import Remote
from emokit.data.sources.own.hub_values import cell, check_usable, only_audio, shares
from emokit.data.sources.own.ids import Identified, local_ids
from emokit.data.sources.own.row import Fields, Unusable, fields_of, utterance_of
from emokit.data.sources.own.table import NO_SPEAKERS
from emokit.data.sources.tree import Skipped
from emokit.data.utterance import Dropped, Remark, Utterance
from emokit.errors import DataError, UsageError
from emokit.files import absolute
from emokit.names import escaped

PAGE = "https://huggingface.co/datasets/"
FILES, CACHED = "files", "cached"  # where the recordings are: in the folder, or below a root of `new_root`
ANNOTATIONS = re.compile(r".+\.(?:csv|tsv|jsonl?|parquet|arrow|md|txt)", re.IGNORECASE)
OTHER_SPLIT = "a split that is none of train, dev and test"
# The fields that an utterance and a row have in common.


def describe(name: str | None, source: str, columns: Mapping[str, str]) -> Corpus:
    """The corpus that a data set is; its columns and its first row are read.

    Args:
        name: of the corpus; None for the last part of the source.
        source: a folder, or `NAME[:CONFIG][@REVISION]`; with or without `hf:` before it.
        columns: what a column holds -> its name, as `columns.choose` takes it.

    Raises:
        UsageError: a column or the configuration is missing or cannot be used.
        DataError: the data set is missing or damaged, or has no rows.
    """
    source = source.removeprefix(HUB)
    folder, remote, config = _located(source)
    shown = HUB + source
    opened = open_dataset(folder, remote, config)
    names = _columns(opened)
    first = next((row for split in opened.splits for row in split.rows()), None)
    if first is None:
        raise DataError(f"{shown} has no rows; name a data set that has some.")
    features = _features(opened)
    recordings = only_audio(features)
    if recordings and recordings not in columns.values():
        columns = {"path": recordings, **columns}
    chosen = choose(names, columns, shown)
    check_usable(chosen, features, shown)
    title = remote.name if remote else folder.name if folder else ""
    label = name or safe_name(title.rpartition("/")[2])
    path = chosen.others.get("path")
    is_cached = path is not None and (remote is not None or _has_bytes(opened, first, path))
    if remote:
        root = new_root(label, None, f"{remote.name}@{remote.commit}:{config or ''}")
    elif folder and is_cached:
        root = new_root(label, folder, "")
    else:
        root = folder or Path()
    entry = {
        "reader": "hub",
        "title": f"Hugging Face data set {title}",
        "homepage": PAGE + title if remote else "",
        "licence": (remote and remote.licence) or "not stated",
        "root": root,
        "has_speakers": "speaker" in chosen.others,
        "options": {
            "columns": chosen.as_options(),
            "recordings": (CACHED if is_cached else FILES) if path else None,
            "config": config,
            "hub": remote.name if remote else None,
            "revision": remote.commit if remote else None,
            "repeated_texts": "keep" if path else "drop",
        },
    }
    return own_corpus(label, entry, shown)


def sources(root: Path, options: Mapping[str, Any]) -> list[Path]:
    """What is read: a folder, and the note on it beside the recordings, which is gone where they are."""
    if options["hub"]:
        return [root / SOURCE]  # its commit is among the options
    return [root] if options["recordings"] != CACHED else [folder_of(root), root / SOURCE]


def walks(options: Mapping[str, Any]) -> bool:
    """Whether there are other files below the root to be named: only where recordings are files in it."""
    return bool(options["recordings"] == FILES)


def read(root: Path, options: Mapping[str, Any]) -> Iterator[Utterance | Dropped | Skipped | Remark]:
    """Read the rows of a data set; recordings that are bytes in it are written below `root`.

    Args:
        root: of the corpus, as `describe` chose it.
        options: as `describe` wrote them.

    Raises:
        DataError: the data set is damaged, or ids repeat, or no row can be used.
    """
    remote = Remote(options["hub"], options["revision"]) if options["hub"] else None
    folder = None if remote else folder_of(root) if options["recordings"] == CACHED else root
    shown = f"{HUB}{remote.name if remote else folder}"
    opened = open_dataset(folder, remote, options["config"])
    chosen, recordings = Chosen.of(options["columns"]), Recordings(root, folder, remote)
    yield Remark(chosen.described(_columns(opened)))
    path = chosen.others.get("path")
    if path and path == only_audio(_features(opened)) and path.lower() not in NAMES["path"]:
        yield Remark(f"its recordings are in the column {path}, the only one that has some")
    if "speaker" not in chosen.others:
        yield Remark(NO_SPEAKERS)
    if counted := words.read_as(split.name for split in opened.splits):
        yield Remark(f"of its splits, {counted}")
    official = _official(opened)
    if not official and len(opened.splits) > 1:
        yield Remark(f"its splits {', '.join(split.name for split in opened.splits)} are taken together and split anew")
    usable: list[tuple[Identified, str | None, Fields]] = []
    faults: Counter[str] = Counter()
    for split in opened.splits:
        if official and split.name not in official:
            yield Skipped(f"split {split.name}", OTHER_SPLIT)
            continue
        for index, row in enumerate(split.rows()):
            place = f"{split.name}, index {index}"
            try:
                fields, path, name = _read(row, split, chosen, official.get(split.name), recordings)
            except Unusable as error:
                faults[error.reason] += 1
                yield Dropped(place, error.reason, error.detail)
                continue
            span = "" if fields.start is fields.end is None else f"_{fields.start or 0:g}-{fields.end or 'end'}"
            usable.append((Identified(place, split.name, index, fields.utterance_id, name, span), path, fields))
    if not usable:
        reason, number = faults.most_common(1)[0] if faults else ("no row is in train, dev or test", 0)
        raise DataError(
            f"{shown}: none of its rows can be used ({number} rows: {reason}); name other columns with --columns."
        )
    ids = local_ids(_numbered_where_needed([row for row, _, _ in usable]), shown)
    for local, (_, path, fields) in zip(ids, usable, strict=True):
        yield utterance_of(options["corpus"], escaped(local), path, fields)


def _read(
    row: Mapping[str, Any], split: Split, chosen: Chosen, official: str | None, recordings: Recordings
) -> tuple[Fields, str | None, str]:
    """The fields of a row, the path of its recording below the root, and the name that the data set gives it.

    Raises:
        Unusable: the row cannot be an utterance.
    """
    if row.get(FAULT):
        raise Unusable(row[FAULT])
    cells = {name: cell(row.get(name), split.features.get(name)) for name in chosen.names}
    column = chosen.others.get("path")
    recording = row.get(column) if column else None
    has_recording = _has_recording(recording)
    if column:
        cells[column] = column if has_recording else None  # its name is not known yet
    fields = fields_of(cells, chosen, official)
    if weights := shares(row, chosen, split.features):
        fields = replace(fields, votes=weights)
    if not has_recording:
        return fields, None, ""
    path, name = recordings.place(recording)
    return fields, path, name


def _numbered_where_needed(rows: list[Identified]) -> list[Identified]:
    """The rows, with the names of their recordings only where these tell all of them apart: in tables they often do not."""
    named = [(row.path, row.span) for row in rows]
    if all(row.path for row in rows) and len(set(named)) == len(rows):
        return rows
    return [Identified(row.where, row.table, row.number, row.own) for row in rows]


def _located(source: str) -> tuple[Path | None, Remote | None, str | None]:
    """The folder or the data set on the hub that a source names, and its configuration."""
    folder = Path(source).expanduser()
    if folder.is_dir() and source:  # Path("") is the working folder
        return absolute(folder), None, None
    before, _, config = source.rpartition(":")
    if before and Path(before).expanduser().is_dir():
        return absolute(Path(before).expanduser()), None, config
    if folder.exists() and source:
        raise UsageError(
            f"{source} is a file; name the folder that it is in, or prepare it as a table with NAME={source}."
        )
    name, named_config, revision = hub_remote.parse(source)
    return None, hub_remote.find(name, revision), named_config


def _has_bytes(opened: Opened, first: Mapping[str, Any], path: str) -> bool:
    """Whether the first recording of a data set is bytes inside of its tables; rows before it may have only texts."""
    rows = chain([first], (row for split in opened.splits for row in split.rows()))
    return next((holds_bytes(row[path]) for row in rows if _has_recording(row.get(path))), False)


def _has_recording(value: Any) -> bool:
    return holds_bytes(value) or bool(value.get("path") if isinstance(value, Mapping) else value)


def _columns(opened: Opened) -> list[str]:
    return list(dict.fromkeys(column for split in opened.splits for column in split.columns))


def _features(opened: Opened) -> dict[str, Any]:
    return {name: feature for split in opened.splits for name, feature in split.features.items()}


def _official(opened: Opened) -> dict[str, str]:
    """Split of the data set -> train, dev or test; {} where it has none but train, which is what has no split is called."""
    known = {split.name: words.split_of(split.name) for split in opened.splits}
    official = {name: split for name, split in known.items() if split is not None}
    return official if set(official.values()) - {"train"} else {}
