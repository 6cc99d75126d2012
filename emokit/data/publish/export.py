"""`emokit export PREPARED`: a prepared folder in the formats of other programs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emokit.data.prepared import Prepared
from emokit.data.publish.data_set import MARKER, SPLIT_NAMES, write_data_set
from emokit.data.publish.folders import CSV, METADATA, audio_root, label_columns, write_audio_folder, write_table
from emokit.data.publish.rows import Published, published
from emokit.data.utterance import SPLITS
from emokit.errors import UsageError
from emokit.files import refuse_inputs
from emokit.locks import new_result


@dataclass(frozen=True)
class Format:
    """A format: the file that marks a folder of it, perhaps in the folder of its first split, and what writes it.

    Attributes:
        names: of the folders beside that file, or that it is in.
    """

    marker: str
    names: tuple[str, ...]
    write: Callable[[Published, Path], int | None]


FORMATS = {
    "datasets": Format(MARKER, tuple(SPLIT_NAMES.values()), write_data_set),
    "csv": Format(CSV, (), write_table),
    "audiofolder": Format(f"{{split}}/{METADATA}", SPLITS, write_audio_folder),
}


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        source: how `emokit prepare` is told to read it.
        num_left_out: the number of utterances that the format cannot have.
    """

    source: tuple[str, ...]
    num_left_out: int = 0


def export(prepared: Prepared, out: Path, form: str, *, force: bool = False) -> Exported:
    """Write a prepared folder into a new folder.

    Args:
        prepared: the folder.
        out: the folder to make.
        form: one of FORMATS.
        force: replace a folder that an earlier export wrote.

    Raises:
        UsageError: `out` is in the prepared folder, or exists.
        DataError: a recording is not the one that was prepared, or the format cannot have it.
        WorkError: the disk is full.
    """
    if out.absolute().is_relative_to(prepared.folder.absolute()):
        raise UsageError(f"{out} is in the prepared folder {prepared.folder}; name a folder outside of it with --out.")
    rows = published(prepared)
    chosen = FORMATS[form]
    if force:  # a recording may be in the folder that an earlier export wrote
        refuse_inputs(out, dict.fromkeys(file.parent for file in rows.files if file), "--out")
    marker = chosen.marker.format(split=rows.splits[0])
    with new_result(out, force=force, what=marker, unfinished="", names=(*chosen.names, chosen.marker)):
        num_left_out = chosen.write(rows, out) or 0
    options = ["--labels", ",".join(prepared.labels)]
    columns = label_columns(rows)
    if form != "datasets" and len(columns) > 1:
        options += ["--columns", f"label={','.join(columns)}"]
    if form == "csv":
        root = audio_root(rows)
        return Exported((f"mine={out / CSV}", *(["--audio-root", str(root)] if root else []), *options))
    return Exported((f"mine=hf:{out}", *options), num_left_out)
