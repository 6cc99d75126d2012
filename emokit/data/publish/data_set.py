"""A prepared folder as a Hugging Face data set: what `save_to_disk` writes, or parquet files for the hub."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from emokit.data.publish.rows import SPAN, Published
from emokit.files import explained_disk_errors, write_json
from emokit.temporary import temporary_path

MARKER = "dataset_dict.json"
SPLIT_NAMES = {"train": "train", "dev": "validation", "test": "test"}
BATCH_ROWS = 64  # few, as each may have a recording
SHARD_BYTES = 500 * 2**20  # as `push_to_hub` cuts


def features(published: Published) -> Any:
    """The features of `datasets`: the label as a class label in the order of the label set, recordings as audio."""
    import datasets

    labels = published.prepared.labels
    by_column = {
        "label": datasets.ClassLabel(names=list(labels)),
        "soft_label": datasets.List(datasets.Value("float64"), length=len(labels)),
        "turn": datasets.Value("int32"),
    }
    columns = {name: by_column.get(name, datasets.Value("string")) for name in _columns(published)}
    return datasets.Features({**({"audio": datasets.Audio()} if published.has_audio else {}), **columns})


def write_data_set(published: Published, folder: Path) -> None:
    """Write a `DatasetDict` as `save_to_disk` does, into a folder that exists; the file MARKER is written last.

    Raises:
        DataError: a recording is not the one that was prepared.
        WorkError: the disk is full.
    """
    import datasets

    datasets.disable_progress_bars()
    written = []
    for split in published.splits:
        stream = temporary_path(folder / f"{split}.arrow")
        try:
            with explained_disk_errors(folder):
                schema = features(published).arrow_schema
                with pyarrow.OSFile(str(stream), "wb") as file, pyarrow.ipc.new_stream(file, schema) as writer:
                    for batch in _batches(published, split, schema):
                        writer.write_table(batch)
                data = datasets.Dataset.from_file(str(stream))
                data.save_to_disk(str(folder / SPLIT_NAMES[split]))
                del data  # it has the stream mapped, which Windows does not remove then
        finally:
            stream.unlink(missing_ok=True)
        written.append(SPLIT_NAMES[split])
    write_json(folder / MARKER, {"splits": written})


def write_parquet(published: Published, folder: Path) -> list[Path]:
    """Write the splits as parquet files of about SHARD_BYTES, with the features of `datasets` in their metadata.

    Returns:
        the files, `data/<split>-<number>-of-<count>.parquet` below the folder.
    """
    schema = features(published).arrow_schema
    paths: list[Path] = []
    for split in published.splits:
        drafts: list[Path] = []
        batches = _batches(published, split, schema)
        while (batch := next(batches, None)) is not None:
            drafts.append(folder / f"{split}-{len(drafts)}")
            with pyarrow.parquet.ParquetWriter(drafts[-1], schema) as writer:
                size = 0
                while batch is not None:
                    writer.write_table(batch, row_group_size=BATCH_ROWS)
                    size += batch.nbytes
                    batch = next(batches, None) if size < SHARD_BYTES else None
        for number, draft in enumerate(drafts):
            path = folder / "data" / f"{SPLIT_NAMES[split]}-{number:05d}-of-{len(drafts):05d}.parquet"
            path.parent.mkdir(exist_ok=True)
            paths.append(draft.replace(path))
    return paths


def _columns(published: Published) -> list[str]:
    """The columns of values: spans are cut out of their files, and splits are files of their own."""
    return [name for name in published.table.columns if name not in (*SPAN.values(), "split")]


def _batches(published: Published, split: str, schema: pyarrow.Schema) -> Iterator[pyarrow.Table]:
    label2id = published.prepared.labels.label2id
    rows: list[dict[str, Any]] = []
    for index, row in published.rows():
        if row["split"] != split:
            continue
        row["label"] = label2id[row["label"]]
        if published.has_audio:
            content = published.recording(index)
            path = published.files[index]
            row["audio"] = {"bytes": content, "path": path.name} if path else None
        rows.append(row)
        if len(rows) == BATCH_ROWS:
            yield pyarrow.Table.from_pylist(rows, schema=schema)
            rows = []
    if rows:
        yield pyarrow.Table.from_pylist(rows, schema=schema)
