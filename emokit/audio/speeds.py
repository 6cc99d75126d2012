"""Features of the training utterances played slower or faster, computed when a training first wants them and then kept."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy
import pandas

from emokit.audio.features import LogMel
from emokit.audio.settings import FeatureSettings
from emokit.data.decode import find_file, read_files
from emokit.data.prepared import SETTINGS, Prepared, features_folder
from emokit.data.reading import Reading
from emokit.data.store import SHARD_ROWS, FeatureStore, write_shard
from emokit.errors import DataError
from emokit.runtime import num_workers
from emokit.settings import read_yaml_mapping

Progress = Callable[[int, int], None]


def versions(
    prepared: Prepared,
    settings: FeatureSettings,
    rows: pandas.DataFrame,
    speeds: Sequence[float],
    progress: Progress | None = None,
) -> list[list[numpy.ndarray]]:
    """Per speed, the log-mels (frames, mels) of each row.

    Raises:
        DataError: the sound is no longer where it was prepared from, or cannot be read.
    """
    found = []
    for speed in speeds:
        store = prepared.features(settings) if speed == 1 else _at_speed(prepared, settings, rows, speed, progress)
        found.append([store[name] for name in rows["utterance_id"]])
    return found


def _at_speed(
    prepared: Prepared, settings: FeatureSettings, rows: pandas.DataFrame, speed: float, progress: Progress | None
) -> FeatureStore:
    folder = features_folder(prepared.folder, settings)
    folder = folder.with_name(f"{folder.name}-speed-{speed:g}")
    folder.mkdir(exist_ok=True)
    store = FeatureStore(folder)
    roots = read_yaml_mapping(prepared.folder / SETTINGS)["roots"]
    files = []
    for name, corpus, path in zip(rows["utterance_id"], rows["corpus"], rows["path"], strict=True):
        if name not in store:
            sound = Path(roots[corpus]) / path
            if not sound.exists():
                raise DataError(
                    f"{sound} is not there, and augmentation.speeds wants it at speed {speed:g}; "
                    "prepare the corpus again from where it lies now, or leave that speed out."
                )
            files.append(find_file(name, sound))
    readings: list[Reading] = []
    for done, reading in enumerate(read_files(files, LogMel(settings, speed), num_workers()), start=1):
        readings.append(reading)
        if progress:
            progress(done, len(files))
        if len(readings) == SHARD_ROWS or done == len(files):
            write_shard(folder, readings)
            readings = []
    return FeatureStore(folder)
