"""Log-mels of any settings and speed: those that were prepared, and others, computed once and stored beside them."""

from collections.abc import Sequence

import numpy
import pandas

from emokit.audio.feature_cache import AGAIN, cached_features, prepared_features
from emokit.audio.settings import FeatureSettings
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.data.prepared import Prepared, features_folder
from emokit.data.store import FeatureStore
from emokit.modality.protocol import Progress


def versions(
    prepared: Prepared,
    settings: FeatureSettings,
    rows: pandas.DataFrame,
    speed_factors: Sequence[float],
    progress: Progress | None = None,
) -> list[list[numpy.ndarray]]:
    """Per speed factor, the log-mels (frames, mels) of each row.

    Raises:
        DataError: a recording is no longer where it was prepared from, is another one, or cannot be read.
    """
    at_speeds = []
    for factor in speed_factors:
        store = log_mels(prepared, settings, rows, factor, progress)
        at_speeds.append([store[utterance_id] for utterance_id in rows["utterance_id"]])
    return at_speeds


def log_mels(
    prepared: Prepared,
    settings: FeatureSettings,
    rows: pandas.DataFrame,
    speed: float = 1,
    progress: Progress | None = None,
) -> FeatureStore:
    """The log-mels of each row: the prepared ones where they have these settings, else those of the feature cache.

    Raises:
        DataError: a recording is no longer where it was prepared from, or cannot be read.
    """
    if speed == 1 and settings == prepared_features(prepared):
        return prepared.features(settings)
    name = features_folder(prepared.folder, settings).name
    if speed == 1:
        purpose = f"its prepared log-mels have other settings than these; {AGAIN}"
        return cached_features(prepared, name, LogMel(settings), rows, purpose, progress)
    purpose = f"augmentation.speed_factors needs it at {speed:g}; {AGAIN}, or leave that factor out"
    return cached_features(prepared, f"{name}-speed-{speed:g}", LogMel(settings, speed), rows, purpose, progress)
