"""Features on disk: float16, memory-mapped, read by utterance id, one store per settings.

A store is a folder of Arrow files (shards). Each shard is written once and completely, and holds some utterances: the log-mel
(frames, bins) as one flat list, and the facts about the audio file. Interrupted work therefore resumes after its last shard, and
an utterance whose file has not changed (size and modification time) is not read again.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy
import pandas
import pyarrow

from emokit.data.audio_io.reading import Reading
from emokit.errors import DataError
from emokit.files import whole_file
from emokit.read_files import in_words

SCHEMA = pyarrow.schema(
    [
        ("utterance_id", pyarrow.string()),
        ("size", pyarrow.int64()),
        ("changed_ns", pyarrow.int64()),
        ("duration_seconds", pyarrow.float64()),
        ("sample_rate", pyarrow.int32()),
        ("num_channels", pyarrow.int32()),
        ("recording", pyarrow.string()),
        ("bad", pyarrow.string()),
        ("detail", pyarrow.string()),
        ("flags", pyarrow.list_(pyarrow.string())),
        ("num_bins", pyarrow.int32()),
        ("log_mel", pyarrow.large_list(pyarrow.float16())),
    ]
)
FACTS_AND_ID = [name for name in SCHEMA.names if name not in ("log_mel", "num_bins")]
_EMPTY = numpy.zeros((0, 0), numpy.float16)
SHARD_ROWS = 512  # utterances per shard: about 17 MB of three-second log-mels, and the most that an interruption loses


def shard_paths(folder: Path) -> list[Path]:
    """The shards of the store in `folder`, in the order in which they were written."""
    return sorted(folder.glob("part-*.arrow"))


def write_shard(folder: Path, readings: list[Reading]) -> None:
    """Add one shard with these readings to the store in `folder`."""
    log_mels = [_EMPTY if reading.log_mel is None else reading.log_mel for reading in readings]
    offsets = numpy.cumsum([0, *(log_mel.size for log_mel in log_mels)])
    flat = pyarrow.array(numpy.concatenate([log_mel.ravel() for log_mel in log_mels]))
    columns = {name: [getattr(reading, name) for reading in readings] for name in FACTS_AND_ID}
    columns |= {
        "num_bins": [log_mel.shape[1] for log_mel in log_mels],
        "log_mel": pyarrow.LargeListArray.from_arrays(pyarrow.array(offsets, pyarrow.int64()), flat),
    }
    batch = pyarrow.record_batch(columns, schema=SCHEMA)
    number = max((int(path.stem.split("-")[1]) for path in shard_paths(folder)), default=-1) + 1
    # Uncompressed, so that the file can be memory-mapped.
    with (
        whole_file(folder / f"part-{number:05d}.arrow") as temporary,
        pyarrow.OSFile(str(temporary), "wb") as sink,
        pyarrow.ipc.new_file(sink, SCHEMA) as writer,
    ):
        writer.write_batch(batch)


def _has(table: pyarrow.Table, name: str) -> bool:
    return table.column_names.count(name) == 1 and bool(table.schema.field(name).type == SCHEMA.field(name).type)


class FeatureStore:
    """The features of many utterances by id. Opening it reads the ids and facts, and memory-maps the features.

    Raises:
        DataError: a shard is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shards = shard_paths(folder)
        self._columns: list[tuple[pyarrow.Array, numpy.ndarray]] = []
        self._positions: dict[str, tuple[int, int]] = {}
        facts, unflagged = [], set()
        for shard, path in enumerate(self.shards):
            try:
                table = pyarrow.ipc.open_file(pyarrow.memory_map(str(path))).read_all().combine_chunks()
            except (OSError, pyarrow.ArrowException) as error:
                raise DataError(
                    f"{path} is damaged ({in_words(error)}); delete it and run `emokit prepare` again."
                ) from error
            wrong = [name for name in SCHEMA.names if name != "flags" and not _has(table, name)]
            if wrong or not len(table):
                fault = f"it has no column {wrong[0]} of {SCHEMA.field(wrong[0]).type}" if wrong else "it has no rows"
                raise DataError(f"{path} is damaged ({fault}); delete it and run `emokit prepare` again.")
            if (
                "flags" not in table.column_names
            ):  # written before audio was checked as it is now: `prepare` reads it again
                empty = pyarrow.array([[]] * len(table), pyarrow.list_(pyarrow.string()))
                table = table.append_column("flags", empty)
                unflagged |= set(table["utterance_id"].to_pylist())
            else:
                unflagged -= set(table["utterance_id"].to_pylist())
            self._columns.append((table["log_mel"].chunk(0), table["num_bins"].to_numpy()))
            # A file that changed was read again later: its last reading counts.
            self._positions |= {name: (shard, row) for row, name in enumerate(table["utterance_id"].to_pylist())}
            facts.append(table.select(FACTS_AND_ID).to_pandas())
        self.facts = (
            pandas.concat(facts).drop_duplicates("utterance_id", keep="last").set_index("utterance_id")
            if facts
            else pandas.DataFrame(columns=FACTS_AND_ID).set_index("utterance_id")
        )
        """One row per utterance: the facts about its audio file."""
        versions = zip(self.facts["size"], self.facts["changed_ns"], strict=True)
        self._versions = {
            name: version for name, version in zip(self.facts.index, versions, strict=True) if name not in unflagged
        }

    def __len__(self) -> int:
        return len(self._positions)

    def __contains__(self, utterance_id: str) -> bool:
        return utterance_id in self._positions

    def __iter__(self) -> Iterator[str]:
        return iter(self._positions)

    def __getitem__(self, utterance_id: str) -> numpy.ndarray:
        """(frames, bins) float16 decibels, a read-only view of the mapped file."""
        try:
            shard, row = self._positions[utterance_id]
        except KeyError as error:
            raise DataError(
                f"{self.folder} has no features of {utterance_id}; run `emokit prepare` again with the same --out."
            ) from error
        column, num_bins = self._columns[shard]
        start, stop = column.offsets[row].as_py(), column.offsets[row + 1].as_py()
        flat = column.values.to_numpy(zero_copy_only=True)[start:stop]
        if not numpy.isfinite(flat).all():
            path, fault = self.shards[shard], f"{utterance_id} has numbers that are not finite"
            raise DataError(f"{path} is damaged ({fault}); delete it and run `emokit prepare` again.")
        return flat.reshape(-1, max(1, int(num_bins[row])))

    def is_current(self, utterance_id: str, size: int, changed_ns: int) -> bool:
        """Whether the features were computed from a file of this size and modification time."""
        return self._versions.get(utterance_id) == (size, changed_ns)
