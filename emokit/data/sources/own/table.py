"""A user's own tables: each row is an utterance, with a label and a path, a text or both.

`describe` looks at the columns when the command is read; `read` yields the utterances. A row that cannot be used is dropped under
its number; where none can be used, the sentence says what most of them lack.
"""

import dataclasses
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from emokit.data.catalogue import TABLES, Corpus
from emokit.data.sources.own.columns import Chosen, choose
from emokit.data.sources.own.ids import Identified, local_ids
from emokit.data.sources.own.paths import NOT_THERE, OUT_OF_ROOT, Root
from emokit.data.sources.own.row import (
    NO_LABEL,
    OTHER_SPLIT,
    Fields,
    Unusable,
    counts_votes,
    fields_of,
    text_of,
    utterance_of,
)
from emokit.data.sources.own.tabular import Tabular, open_table
from emokit.data.sources.own.words import EXPECTED, read_as, split_in
from emokit.data.sources.scan import AUDIO_SUFFIXES
from emokit.data.sources.tree import Skipped
from emokit.data.utterance import Dropped, Remark, Utterance
from emokit.errors import DataError, UsageError
from emokit.names import escaped

NO_SPEAKERS = "no speaker column: each utterance counts as a speaker of its own, so train and test may share speakers"
UNNAMED = "an audio file that the table does not name"
FEWEST_ROWS, MOST_LETTERS = 20, 40  # of a table whose labels are checked; of a label in a message
# Columns that are not used where no row has a value in them.
OPTIONAL = ("speaker", "split", "fold", "dialogue", "turn", "gender", "language", "sentence", "start", "end")


def describe(corpus: Corpus) -> Corpus:
    """The entry of a user's tables with what their columns say: which are used, and whether they name speakers.

    Args:
        corpus: with `tables`, and `columns` as the user named them, in its options.

    Raises:
        UsageError: a named column is not there, or there are no labels, or neither paths nor texts; some of several tables name
            a split and others do not.
        DataError: a table cannot be read, or has no rows.
    """
    paths = [Path(table) for table in corpus.options[TABLES]]
    _splits_of(paths)
    given = corpus.options.get("columns", {})
    tables = [open_table(path) for path in paths]
    columns = tuple(dict.fromkeys(name for table in tables for name in table.columns))
    chosen = choose(columns if len(tables) > 1 else tables[0].columns, given, _named(paths))
    for table in tables:
        _check_types(table, chosen)
    with_values: set[str] = set()
    num_rows = 0
    for table in tables:
        # Of parquet, only the columns that are used are read: another one may hold the recordings.
        for row in open_table(table.path, chosen.names).rows if table.nested else table.rows:
            num_rows += 1
            for key in OPTIONAL:
                if key not in with_values and key in chosen.others and text_of(row.cells.get(chosen.others[key])):
                    with_values.add(key)
    if not num_rows:
        raise DataError(f"{_named(paths)} has no rows; write one utterance per row.")
    others = {key: name for key, name in chosen.others.items() if key not in OPTIONAL or key in with_values}
    options = {
        "corpus": corpus.name,
        # Written texts are repeated by accident, the sentences of speakers by design.
        "repeated_texts": "keep" if "path" in others else "drop",
        **corpus.options,
        "columns": dataclasses.replace(chosen, others=others).as_options(),
    }
    return corpus.model_copy(update={"options": options, "has_speakers": "speaker" in others})


def walks(options: Mapping[str, Any]) -> bool:
    """No: `read` enters what is beside the recordings, and the folder of a table may hold anything."""
    return False


def sources(root: Path, options: Mapping[str, Any]) -> list[Path]:
    """The tables, and the recordings that they name."""
    tables = [Path(table) for table in options[TABLES]]
    name = Chosen.of(options["columns"]).others.get("path")
    if name is None:
        return tables
    where = Root(root)
    cells = (text_of(row.cells.get(name)) for path in tables for row in open_table(path, [name]).rows)
    paths = {where.relative(cell)[0] for cell in cells if cell}
    return [*tables, *(root / path for path in sorted(paths) if path)]


def read(root: Path, options: Mapping[str, Any]) -> Iterator[Utterance | Dropped | Skipped | Remark]:
    """Find the utterances of the tables.

    Args:
        root: the folder that paths are relative to.
        options: of the entry that `describe` returns.

    Raises:
        DataError: a table cannot be read, ids repeat, or no row can be used.
    """
    chosen, corpus = Chosen.of(options["columns"]), options["corpus"]
    paths = [Path(table) for table in options[TABLES]]
    splits = _splits_of(paths)
    where = Root(root)
    usable: list[tuple[Identified, Fields]] = []
    faults: dict[str, list[str]] = defaultdict(list)
    words: set[str] = set()
    has_counts = False
    for path in paths:
        table = open_table(path, chosen.names)
        yield from _remarks(table, chosen)
        for row in table.rows:
            name = f"{path.name}, row {row.number}"
            has_counts = has_counts or counts_votes(row.cells, chosen)
            try:
                if row.fault:
                    raise Unusable(row.fault)
                if "split" in chosen.others:
                    words.add(text_of(row.cells.get(chosen.others["split"])))
                fields = fields_of(row.cells, chosen, splits[path])
                relative, fault = where.relative(fields.path) if fields.path else ("", "")
                if fault:
                    raise Unusable(fault, fields.path)
            except Unusable as error:
                faults[error.reason].append(error.detail)
                yield Dropped(name, error.reason, error.detail)
                continue
            span = "" if fields.start is fields.end is None else f"_{fields.start or 0:g}-{_end(fields.end)}"
            own_id = fields.utterance_id.removeprefix(f"{corpus}/")
            stem = path.stem if len(paths) > 1 else ""
            usable.append((Identified(name, stem, row.number, own_id, relative, span), fields))
    if not usable:
        raise DataError(_none_usable(_named(paths), where, chosen, faults))
    _check_labels(usable, chosen, _named(paths))
    if has_counts:
        yield Remark(
            f"the numbers in {', '.join(chosen.label)} count as votes for the labels that the columns are named by; "
            "if they are codes, write the names of labels into the cells"
        )
    if note := read_as(words):
        yield Remark(f"in the column {chosen.others['split']}, {note}")
    if len(paths) > 1 and all(splits.values()):
        yield Remark(f"the split is that of the table: {', '.join(f'{splits[path]} of {path.name}' for path in paths)}")
    num_nameless = sum(not fields.speaker for _, fields in usable)
    if "speaker" not in chosen.others:
        yield Remark(NO_SPEAKERS)
    elif num_nameless:
        yield Remark(f"{num_nameless} of {len(usable)} utterances have no speaker: each counts as a speaker of its own")
    ids = local_ids([identified for identified, _ in usable], _named(paths))
    for local, (identified, fields) in zip(ids, usable, strict=True):
        yield utterance_of(corpus, escaped(local), identified.path or None, fields)
    yield from _unnamed(root, {identified.path for identified, _ in usable})


def _check_types(table: Tabular, chosen: Chosen) -> None:
    """Refuse a column of bytes or of several values, but for a list of labels."""
    wrong = next((name for name in chosen.others.values() if name in table.nested), None)
    if wrong is not None:
        raise UsageError(
            f"{table.path} has its column {wrong} as {table.nested[wrong]}, where text was expected; name the folder of a "
            "data set with recordings in it as hf:DIR, or another column with --columns."
        )


def _check_labels(usable: Sequence[tuple[Identified, Fields]], chosen: Chosen, source: str) -> None:
    """Refuse a column that has another value in most rows, such as a text or a score."""
    labels = dict.fromkeys(fields.raw_label for _, fields in usable)
    if len(usable) >= FEWEST_ROWS and len(labels) > len(usable) / 2:
        shown = ", ".join(
            label if len(label) <= MOST_LETTERS else f"{label[:MOST_LETTERS]}…" for label in list(labels)[:3]
        )
        raise DataError(
            f"{source} has {len(labels)} different labels in {len(usable)} rows of its column {', '.join(chosen.label)}, such as "
            f"{shown}; name the column of the labels with --columns label=NAME."
        )


def _remarks(table: Tabular, chosen: Chosen) -> Iterator[Remark]:
    if table.remark:
        yield Remark(table.remark)
    yield Remark(f"{table.path.name}, {chosen.described(table.columns)}")


def _unnamed(root: Path, used: set[str]) -> Iterator[Skipped]:
    """The audio files in the folders of the recordings that no row names."""
    folders = {str(PurePosixPath(path).parent) for path in used if path}
    for folder in sorted(folders):
        prefix = "" if folder == "." else f"{folder}/"
        with os.scandir(root / folder) as entries:
            names = sorted(entry.name for entry in entries)
        for name in names:
            is_audio = os.path.splitext(name)[1].lower() in AUDIO_SUFFIXES  # noqa: PTH122 - of a name
            if is_audio and prefix + name not in used:
                yield Skipped(prefix + name, UNNAMED)


def _splits_of(paths: Sequence[Path]) -> dict[Path, str | None]:
    """Table -> the split that its name has; none for a single table, which may be called anything.

    Raises:
        UsageError: a table is named twice, or some of several tables name a split and others do not.
    """
    files = [path.resolve() for path in paths]
    if twice := next((path for path, file in zip(paths, files, strict=True) if files.count(file) > 1), None):
        raise UsageError(f"{twice} is named twice among the tables; name each table once.")
    splits = {path: split_in(path.stem) if len(paths) > 1 else None for path in paths}
    without = [path.name for path, split in splits.items() if split is None]
    if without and len(without) < len(paths):
        raise UsageError(
            f"{without[0]} has no split in its name and {len(paths) - len(without)} of the tables beside it have; expected "
            f"{EXPECTED}: rename it, or give the split as a column and all tables other names."
        )
    return splits


def _named(paths: Sequence[Path]) -> str:
    return ", ".join(str(path) for path in paths)


def _end(seconds: float | None) -> str:
    return "end" if seconds is None else f"{seconds:g}"


def _none_usable(source: str, root: Root, chosen: Chosen, faults: Mapping[str, Sequence[str]]) -> str:
    """The error for tables without a usable row: what most of the rows lack."""
    reason = max(faults, key=lambda reason: len(faults[reason]))
    number, first = len(faults[reason]), next(filter(None, faults[reason]), "")
    rows = "1 row" if number == 1 else f"{number} rows"
    if reason == NOT_THERE:
        near = root.hint(first)
        hint = f", though there is {near}" if near else ""
        return (
            f"{source}: none of its paths ({rows}) is that of a file below {root.folder}, the first is {first}{hint}; "
            "name the folder that the paths are relative to with --audio-root."
        )
    if reason == OUT_OF_ROOT:
        return (
            f"{source}: its paths ({rows}) lead out of {root.folder}, the first is {first}; "
            "name the folder that holds all recordings with --audio-root, and write paths relative to it."
        )
    if reason == OTHER_SPLIT:
        shown = ", ".join(sorted(Counter(faults[reason]))[:3])
        return (
            f"{source} has the splits {shown} in its column {chosen.others['split']}, expected {EXPECTED}; "
            "rename them, or leave the column out with --columns split=."
        )
    if reason == NO_LABEL:
        return (
            f"{source} has no value in its column {', '.join(chosen.label)} ({rows}); "
            "name the column of the labels with --columns label=NAME."
        )
    return f"{source}: none of its rows can be used ({rows}: {reason}); correct the table, or name other columns with --columns."
