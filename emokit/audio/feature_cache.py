"""What is computed of the utterances' sound when a training first wants it, and then kept beside the prepared features."""

import contextlib
import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy
import pandas
from filelock import FileLock

from emokit.audio.settings import FeatureSettings
from emokit.data.audio_io.decode import Extractor, find_file, read_files
from emokit.data.audio_io.reading import Reading
from emokit.data.prepared import FEATURES, SETTINGS, Prepared
from emokit.data.store import SHARD_ROWS, FeatureStore, write_shard
from emokit.errors import DataError, WorkError
from emokit.files import explained_disk_errors
from emokit.runtime import num_processors
from emokit.settings import read_yaml_mapping

Progress = Callable[[int, int], None]

AGAIN = "prepare the corpus again from where it lies now"
LOCK = "lock"


@dataclass(frozen=True)
class Raw:
    """The extractor that leaves a waveform as it is, for keeping it; at another speed it has more or fewer samples."""

    rate: int
    speed: float = 1.0

    @property
    def sample_rate(self) -> int:
        """The sample rate that waveforms must have, in Hz."""
        return round(self.rate / self.speed)

    def __call__(self, waveform: numpy.ndarray) -> numpy.ndarray:
        """(samples,) -> (samples, 1)."""
        return waveform[:, None]


def features_of(prepared: Prepared) -> FeatureSettings:
    """The settings of the features that a prepared folder has."""
    path = prepared.folder / SETTINGS
    return FeatureSettings.make(read_yaml_mapping(path).get("features") or {}, str(path))


def kept(
    prepared: Prepared,
    name: str,
    extractor: Extractor,
    rows: pandas.DataFrame,
    wanted: str,
    progress: Progress | None = None,
) -> FeatureStore:
    """What `extractor` makes of each row, read from the store `name` and where it lacks any, computed into it.

    Args:
        prepared: the data.
        name: of the store's folder; it must differ whenever the extractor does.
        extractor: waveform -> features, as `data.decode` takes it.
        rows: the utterances.
        wanted: what the sound is wanted for and what to do without it, for the sentence where it is gone.
        progress: called with (files read, files to read).

    Raises:
        DataError: the sound is no longer where it was prepared from, or cannot be read.
    """
    folder = prepared.folder / FEATURES / name
    with explained_disk_errors(folder):
        folder.mkdir(exist_ok=True)
    if _missing(prepared, folder, rows):
        # Folds, a sweep's trials or two commands at once want the same: one computes it, the others wait and find it there.
        with _locked(folder):
            _compute(folder, extractor, _missing(prepared, folder, rows), wanted, progress)
    return FeatureStore(folder)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a store's lock, which anybody who may write into the folder may take."""
    lock = FileLock(folder / LOCK, mode=0o666)
    with explained_disk_errors(folder):
        try:
            lock.acquire()
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP):
                raise
            raise WorkError(
                f"{folder} lies on a disk that cannot lock files ({error.strerror}), without which two trainings write the same "
                "features; prepare into a folder on another disk."
            ) from error
    try:
        yield
    finally:
        lock.release()


def _missing(prepared: Prepared, folder: Path, rows: pandas.DataFrame) -> dict[str, Path]:
    """Utterance id -> file, of the rows that a store has nothing of."""
    there = FeatureStore(folder).facts["recording"].to_dict()
    # Known by its sound and not by its id alone: another take may since have been prepared under the same id.
    prepared_as = prepared.features(features_of(prepared)).facts["recording"].to_dict()
    roots = read_yaml_mapping(prepared.folder / SETTINGS)["roots"]
    return {
        utterance_id: Path(roots[corpus]) / inner
        for utterance_id, corpus, inner in zip(rows["utterance_id"], rows["corpus"], rows["path"], strict=True)
        if there.get(utterance_id) != prepared_as[utterance_id]
    }


def _compute(
    folder: Path,
    extractor: Extractor,
    paths: dict[str, Path],
    wanted: str,
    progress: Progress | None,
) -> None:
    """Read these files and write what the extractor makes of them."""
    for path in paths.values():
        if not path.exists():
            raise DataError(f"{path} is not there, and {wanted}.")
    readings: list[Reading] = []
    files = [find_file(utterance_id, path) for utterance_id, path in paths.items()]
    for done, reading in enumerate(read_files(files, extractor, num_processors()), start=1):
        if reading.bad:
            path = paths[reading.utterance_id]
            raise DataError(
                f"{path} is {reading.bad} ({reading.detail}), and was not when it was prepared; prepare it again."
            )
        readings.append(reading)
        if progress:
            progress(done, len(files))
        if len(readings) == SHARD_ROWS or done == len(files):
            write_shard(folder, readings)
            readings = []
