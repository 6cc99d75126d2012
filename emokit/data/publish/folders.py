"""A prepared folder as a CSV beside recordings that stay where they are, or as a folder of recordings with `metadata.jsonl`.

Not `metadata.csv`: `datasets` guesses the types of its columns, so that a speaker 03 becomes 3 and a text NA nothing, and it
refuses splits whose guesses differ.
"""

import json
import os
from pathlib import Path
from typing import Any

import pandas

from emokit.data.publish.rows import SPAN, Published
from emokit.data.sources.own.hub_recordings import safe_name
from emokit.data.sources.own.hub_values import SHARES
from emokit.errors import DataError
from emokit.files import whole_file, write_csv, write_text

CSV = "utterances.csv"
METADATA = "metadata.jsonl"


def audio_root(published: Published) -> Path | None:
    """The folder that the paths in the CSV are relative to: the innermost one that has all recordings below it."""
    roots = published.recordings.roots
    table = published.prepared.table
    used = {roots[corpus] for corpus in table["corpus"][table["path"].notna()].unique() if corpus in roots}
    if not published.has_audio or not used:
        return None
    try:
        return Path(os.path.commonpath(used))
    except ValueError as error:  # two drives
        raise DataError(
            f"The recordings of {published.prepared.folder} are on several drives, so no path leads from one folder to all of "
            "them; use --format audiofolder, which copies them."
        ) from error


def write_table(published: Published, folder: Path) -> None:
    """Write `utterances.csv`; its paths are relative to `audio_root`.

    Raises:
        DataError: the name of a recording is not UTF-8.
    """
    root = audio_root(published)
    lines = []
    columns = [*(["path"] if root else []), *_columns(published)]
    for index, row in published.rows():
        file = published.files[index]
        path = _utf8(os.path.relpath(file, root)).replace(os.sep, "/") if file and root else None
        cells = {"path": path, **row, **_votes(published, row)}
        lines.append([cells[name] for name in columns])
    write_csv(folder / CSV, columns, lines)


def write_audio_folder(published: Published, folder: Path) -> int:
    """Copy the recordings to `<split>/<utterance id>.wav`, and write `<split>/metadata.jsonl`, of train last.

    Returns:
        the number of utterances without a recording, which such a folder cannot have.

    Raises:
        DataError: no utterance has a recording, or one is not the recording that was prepared, or is in a format that
            `datasets` takes for none of audio.
    """
    from datasets.packaged_modules.audiofolder.audiofolder import AudioFolder

    if not published.has_audio:
        raise DataError(
            f"{published.prepared.folder} has only texts, and an audiofolder has a recording per row; use --format "
            "datasets or csv."
        )
    columns = [name for name in _columns(published) if name not in SPAN.values()]
    names: set[str] = set()
    lines: dict[str, list[dict[str, Any]]] = {split: [] for split in reversed(published.splits)}
    as_text = {name for name in columns if published.table.get(name, pandas.Series(dtype=float)).isna().any()}
    for index, row in published.rows():
        file, content = published.files[index], published.recording(index)
        if file is None or content is None:
            continue
        suffix = file.suffix.lower() if all(row.get(name) is None for name in SPAN.values()) else ".wav"
        if suffix not in AudioFolder.EXTENSIONS:
            raise DataError(
                f"{file} has the ending {suffix or '(none)'}, which `datasets` does not take for audio; use --format datasets."
            )
        name = _unused(safe_name(row["utterance_id"]), suffix, names)
        names.add(name.lower())
        with whole_file(folder / row["split"] / name) as temporary:
            temporary.write_bytes(content)
        cells = {**row, **_votes(published, row)}
        # Of empty values the type could not be told, so a column with some is one of texts.
        values = {key: _text(cells[key]) if key in as_text else cells[key] for key in columns}
        lines[row["split"]].append({"file_name": name, **values})
    for split in lines:
        metadata = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines[split])
        write_text(folder / split / METADATA, metadata)
    return len(published.files) - len(names)


def _unused(stem: str, suffix: str, names: set[str]) -> str:
    """A name that no other recording has: two ids can have the same letters, and on some systems case does not count."""
    number = 1
    name = f"{stem}{suffix}"
    while name.lower() in names:
        number += 1
        name = f"{stem}-{number}{suffix}"
    return name


def label_columns(published: Published) -> list[str]:
    """The columns of the labels: one, or, where there are soft labels, which a CSV has no lists for, one per label."""
    return list(published.prepared.labels) if SHARES in published.table else ["label"]


def _columns(published: Published) -> list[str]:
    """The columns of a CSV."""
    soft = [] if SHARES not in published.table else label_columns(published)
    columns = [*(name for name in published.table.columns if name != SHARES), *soft]
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice:
        raise DataError(
            f"{published.prepared.folder} has soft labels and the label {twice}, which is the name of another column in a CSV; "
            "use --format datasets."
        )
    return columns


def _votes(published: Published, row: dict[str, Any]) -> dict[str, float]:
    """Label -> its share of a row, in a folder with soft labels."""
    if SHARES not in published.table:
        return {}
    labels = published.prepared.labels
    shares = [float(label == row["label"]) for label in labels] if row[SHARES] is None else map(float, row[SHARES])
    return dict(zip(labels, shares, strict=True))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _utf8(path: str) -> str:
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"{path.encode(errors='backslashreplace').decode()} is not UTF-8, which a CSV is; rename the file, or use "
            "--format datasets."
        ) from error
    return path
