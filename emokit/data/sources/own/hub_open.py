"""Hugging Face data sets on disk and on the hub, opened: their columns, and their rows split by split, as plain values."""

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emokit.data.sources.own import tabular
from emokit.data.sources.own.hub_folders import check_contents, check_folder
from emokit.data.sources.own.hub_remote import Remote
from emokit.errors import DataError, EmokitError, UsageError

HUB = "hf:"
# What `datasets` may read a folder or a repository as. Of its other readers some load formats that can run code.
READABLE = ("arrow", "audiofolder", "csv", "json", "parquet")
SAVED = ("dataset_dict.json", "state.json")
METADATA = "metadata.csv"
FILE_NAME = "file_name"
FAULT = ""  # in place of a column: why a row cannot be read
STREAMED_BYTES = 2 * 2**30
"""Data sets on the hub that are larger are streamed; smaller ones are downloaded into the cache of `datasets`."""
BATCH_ROWS = 64  # few, as each may have the bytes of a recording


@dataclass(frozen=True)
class Split:
    """The rows of one split.

    Attributes:
        features: column -> its feature of `datasets`; {} where every cell is text.
        source: gives the rows.
        origin: the data set, for messages.
    """

    name: str
    columns: tuple[str, ...]
    features: Mapping[str, Any]
    source: Callable[[], Iterator[dict[str, Any]]]
    origin: str = ""

    def rows(self) -> Iterator[dict[str, Any]]:
        """Column -> value; audio is not decoded: `{"bytes": …, "path": …}`.

        Raises:
            DataError: the data are damaged.
        """
        with readable(self.origin):
            yield from self.source()


@dataclass(frozen=True)
class Opened:
    """An opened data set: its splits in their order, and the name of the file format."""

    splits: tuple[Split, ...]
    kind: str


def open_dataset(folder: Path | None, remote: Remote | None, config: str | None = None) -> Opened:
    """Open a data set in a folder, or one on the hub.

    Raises:
        UsageError: it has several configurations and none was named, or is in a format that is not read.
        DataError: it is missing, damaged, or names files outside of its folder.
    """
    import datasets

    datasets.disable_progress_bars()
    datasets.utils.logging.set_verbosity_error()
    name = str(folder) if folder else f"{HUB}{remote.name}" if remote else ""
    with readable(name):
        if folder:
            check_folder(folder)
        if folder and any((folder / file).is_file() for file in SAVED):
            return _opened(name, _splits(_saved(folder)), "arrow")
        # A copy of the data as Arrow is made of downloaded data sets only; the builder of a folder needs a place for its lock.
        with tempfile.TemporaryDirectory() as scratch:
            builder = _builder(name, folder, remote, config, scratch)
            if builder.name not in READABLE:
                raise UsageError(
                    f"{name} is a data set of the kind {builder.name}, and {', '.join(READABLE)} are read; "
                    "load it with `datasets`, and save it with `save_to_disk`."
                )
            files = {str(split): list(map(str, paths)) for split, paths in (builder.config.data_files or {}).items()}
            if folder:
                _check_inside(folder, files)
                check_contents(path for paths in files.values() for path in paths)
            if builder.name == "csv":
                return _opened(name, _tables(files, remote), "csv")
            if folder and builder.name == "audiofolder" and _has_metadata(folder, files):
                return _opened(name, _audio_folder(files), "audiofolder")
            if remote and remote.num_bytes <= STREAMED_BYTES:
                builder.download_and_prepare()
                return _opened(name, _splits(builder.as_dataset()), builder.name)
            return _opened(name, _splits(builder.as_streaming_dataset()), builder.name)


def _opened(name: str, splits: Iterable[Split], kind: str) -> Opened:
    return Opened(tuple(replace(split, origin=name) for split in splits), kind)


@contextlib.contextmanager
def readable(name: str) -> Iterator[None]:
    """Turn whatever `datasets`, pyarrow and fsspec raise for a damaged data set into one sentence."""
    try:
        yield
    except (EmokitError, MemoryError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        advice = "run the command again" if name.startswith(HUB) else "save it again with `save_to_disk`"
        raise DataError(f"{name} is no readable data set ({reason}); {advice}.") from error


def _builder(name: str, folder: Path | None, remote: Remote | None, config: str | None, scratch: str) -> Any:
    import datasets

    place = {"cache_dir": scratch} if folder or (remote and remote.num_bytes > STREAMED_BYTES) else {}
    revision = {"revision": remote.commit} if remote else {}
    path = str(folder) if folder else remote.name if remote else ""
    try:
        return datasets.load_dataset_builder(path, config, **place, **revision)
    except datasets.exceptions.DataFilesNotFoundError as error:
        raise DataError(
            f"{name} has no files of a data set; expected parquet, arrow, CSV or JSON Lines files, or what `save_to_disk` "
            "wrote: name another folder."
        ) from error
    except ValueError as error:
        configs = re.search(r"available configs: (\[[^\]]*\])", str(error)) or re.search(
            r"Available: (\[[^\]]*\])", str(error)
        )
        if not configs:
            raise
        names = configs[1].strip("[]").replace("'", "")
        asked = f"no configuration {config}" if config else "several configurations"
        raise UsageError(
            f"{name} has {asked}, it has {names}; name one of them after a colon, such as {name}:{names.split(', ')[0]}."
        ) from error


def _saved(folder: Path) -> dict[str, Any]:
    """The splits that `save_to_disk` wrote into a folder; one without rows has no file, which `datasets` fails on."""
    import datasets

    index = folder / SAVED[0]
    names = json.loads(index.read_text(encoding="utf-8"))["splits"] if index.is_file() else [""]
    splits = {}
    for name in names:
        path = folder / _beside(index, name)
        if not (path / SAVED[1]).is_file():
            raise DataError(
                f"{index} names the split {name}, and {path / SAVED[1]} is not there; copy the whole data set, or save it again."
            )
        files = json.loads((path / SAVED[1]).read_text(encoding="utf-8"))["_data_files"]
        if shards := [path / _beside(path / SAVED[1], file["filename"]) for file in files]:
            check_contents(shards)
            data = datasets.Dataset.load_from_disk(str(path))
            splits[name or str(data.split or "train")] = data
    return splits


def _beside(index: Path, name: str) -> str:
    """A name in one of the files of a saved data set, if it is one of a file or folder beside it."""
    if Path(name).name != name:
        raise DataError(f"{index} names {name}, and what it names is beside it; save the data set again.")
    return name


def _splits(data: Mapping[str, Any]) -> Iterator[Split]:
    import datasets

    for name, rows in data.items():
        batches = rows.with_format("arrow")
        features = rows.features
        if features is None:
            first = next(iter(batches.iter(batch_size=1)), None)
            features = datasets.Features.from_arrow_schema(first.schema) if first is not None else {}

        def source(batches: Any = batches) -> Iterator[dict[str, Any]]:
            for batch in batches.iter(batch_size=BATCH_ROWS):
                yield from batch.to_pylist()

        yield Split(str(name), tuple(features), features, source)


def _tables(files: Mapping[str, list[str]], remote: Remote | None) -> Iterator[Split]:
    """The splits of CSV files: all cells are text, so that a speaker 03 stays 03, and a text NA is one."""
    for split, paths in files.items():
        tables = [tabular.open_table(remote.download(path) if remote else Path(path)) for path in paths]

        def source(tables: list[tabular.Tabular] = tables) -> Iterator[dict[str, Any]]:
            for table in tables:
                yield from map(_cells, table.rows)

        yield Split(split, _columns(tables), {}, source)


def _audio_folder(files: dict[str, list[str]]) -> Iterator[Split]:
    """The splits of a folder of recordings with `metadata.csv`, whose column `file_name` is relative to it.

    A `metadata.csv` above the folders of the splits is among the files of each; its rows belong to the splits of their files.
    """
    split_of = {os.path.normpath(path): split for split, paths in files.items() for path in paths}
    owner = {path: split for split in reversed(files) for path in files[split] if Path(path).name == METADATA}
    for split, paths in files.items():
        tables = {path: tabular.open_table(Path(path)) for path in paths if path in owner}

        def source(split: str = split, tables: Mapping[str, tabular.Tabular] = tables) -> Iterator[dict[str, Any]]:
            for path, table in tables.items():
                for row in table.rows:
                    cells = _cells(row)
                    file = os.path.normpath(Path(path).parent / str(cells.get(FILE_NAME) or ""))
                    if split_of.get(file, owner[path]) == split:
                        yield {**cells, FILE_NAME: file} if file in split_of else cells

        yield Split(split, _columns(list(tables.values())), {}, source)


def _columns(tables: list[tabular.Tabular]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(column for table in tables for column in table.columns))


def _cells(row: tabular.Row) -> dict[str, Any]:
    return {FAULT: row.fault, **row.cells}


def _has_metadata(folder: Path, files: dict[str, list[str]]) -> bool:
    """Whether there is a `metadata.csv`; one above the folders of the splits, which `datasets` passes over, is added."""
    above = str(folder / METADATA)
    if (folder / METADATA).is_file():
        for split, paths in files.items():
            files[split] = paths if above in paths else [*paths, above]
    return any(Path(path).name == METADATA for paths in files.values() for path in paths)


def _check_inside(folder: Path, files: Mapping[str, list[str]]) -> None:
    """Refuse a README.md whose `data_files` lead out of the folder."""
    for path in (path for paths in files.values() for path in paths):
        bases = (folder, folder.resolve())
        if "://" in path or not any(Path(os.path.normpath(path)).is_relative_to(base) for base in bases):
            raise DataError(
                f"{folder} names {path} as one of its files, which is outside of it; correct its README.md."
            )
