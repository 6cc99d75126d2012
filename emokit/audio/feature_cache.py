"""The feature cache: features that are computed when a training first needs them, stored beside the prepared ones."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy
import pandas

from emokit.audio.recordings import read_flagged as read_flagged
from emokit.audio.recordings import read_waveform as read_waveform
from emokit.audio.settings import FeatureSettings
from emokit.data.audio_io.decode import Extractor, find_file, read_file, read_files
from emokit.data.audio_io.reading import Reading
from emokit.data.prepared import FEATURES, SETTINGS, Prepared
from emokit.data.recordings import Recordings
from emokit.data.store import SHARD_ROWS, FeatureStore, write_shard
from emokit.errors import DataError
from emokit.files import explained_disk_errors, kind_of, not_a
from emokit.locks import awaited
from emokit.modality.protocol import Progress
from emokit.runtime import num_processors

AGAIN = "prepare the corpus again from its present folder"
MOST_VALUES = 2**24  # of waveforms that are transformed together: 17 minutes at 16 kHz, 64 MiB

Transform = Callable[[list[numpy.ndarray]], list[numpy.ndarray]]
"""Waveforms (samples,) float32 -> the features (frames, bins) float16 of each."""


@dataclass(frozen=True)
class WaveformExtractor:
    """The extractor that returns the waveform; a speed factor gives it more or fewer samples."""

    rate: int
    speed: float = 1.0

    @property
    def sample_rate(self) -> int:
        """The sample rate that waveforms must have, in Hz."""
        return round(self.rate / self.speed)

    def __call__(self, waveform: numpy.ndarray) -> numpy.ndarray:
        """(samples,) -> (samples, 1)."""
        return waveform[:, None]


def prepared_features(prepared: Prepared) -> FeatureSettings:
    """The settings of the features in a prepared folder."""
    return FeatureSettings.make(prepared.feature_settings, str(prepared.folder / SETTINGS))


def cached_features(
    prepared: Prepared,
    name: str,
    extractor: Extractor,
    rows: pandas.DataFrame,
    purpose: str,
    progress: Progress | None = None,
    transform: Transform | None = None,
) -> FeatureStore:
    """The features of each row, read from the store `name`; those that it lacks are computed and added.

    Args:
        prepared: the data.
        name: of the store's folder; it must differ whenever the extractor does.
        extractor: waveform -> features, as `data.audio_io.decode` takes it.
        rows: the utterances.
        purpose: what the recordings are needed for and how to do without them, for the error where one is missing.
        progress: called with (files read, files to read).
        transform: makes features of waveforms, many at once, in this process; the extractor then is a `WaveformExtractor`.

    Raises:
        DataError: a recording is no longer where it was prepared from, is another one, or cannot be read.
    """
    folder = prepared.folder / FEATURES / name
    recordings = prepared.recordings
    missing = _missing(prepared, name, rows, recordings)
    for path in missing.values():
        if kind_of(path) != "file":
            raise DataError(f"{path} {not_a('file', path)}, and {purpose}.")
    with explained_disk_errors(folder):
        folder.mkdir(exist_ok=True)
    if missing:
        # Folds, a sweep's trials or two commands may need the same features: one computes them, the others wait.
        with awaited(folder):
            missing = _missing(prepared, name, rows, recordings)
            _compute(folder, extractor, missing, recordings, progress, transform)
    return prepared.store(name)


def _missing(prepared: Prepared, name: str, rows: pandas.DataFrame, recordings: Recordings) -> dict[str, Path]:
    """Utterance id -> file, of the rows that a store lacks."""
    cached = prepared.store(name).facts["recording"].to_dict()
    # Compared by recording and not by id alone: another recording may have been prepared under the same id since.
    return {
        utterance_id: recordings.path(corpus, path)
        for utterance_id, corpus, path in zip(rows["utterance_id"], rows["corpus"], rows["path"], strict=True)
        if cached.get(utterance_id, "") != recordings.hashes.get(utterance_id)
    }


def _compute(
    folder: Path,
    extractor: Extractor,
    paths: dict[str, Path],
    recordings: Recordings,
    progress: Progress | None,
    transform: Transform | None,
) -> None:
    """Read these files and write their features into the store."""
    readings: list[Reading] = []
    files = [
        find_file(utterance_id, path, recordings.segments.get(utterance_id)) for utterance_id, path in paths.items()
    ]
    read: Iterable[Reading] = read_files(files, extractor, num_processors())
    if transform is not None:  # waveforms keep their precision: float16 has noise that quiet frequencies do not hide
        read = (read_file(file, extractor, numpy.float32) for file in files)
    num_values = 0
    for done, reading in enumerate(read, start=1):
        path = paths[reading.utterance_id]
        if reading.bad:
            raise DataError(
                f"{path} is {reading.bad} ({reading.detail}), and was not when it was prepared; prepare it again."
            )
        recordings.check(reading.utterance_id, path, reading.recording)
        readings.append(reading)
        if progress:
            progress(done, len(files))
        num_values += 0 if reading.log_mel is None else reading.log_mel.size
        if len(readings) == SHARD_ROWS or (transform and num_values > MOST_VALUES) or done == len(files):
            if transform is not None:
                transformed = transform([reading.log_mel[:, 0] for reading in readings if reading.log_mel is not None])
                readings = [
                    replace(reading, log_mel=features) for reading, features in zip(readings, transformed, strict=True)
                ]
            write_shard(folder, readings)
            readings, num_values = [], 0
