"""Features of the training utterances played slower or faster."""

from collections.abc import Sequence

import numpy
import pandas

from emokit.audio.feature_cache import AGAIN, Progress, kept
from emokit.audio.settings import FeatureSettings
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.data.prepared import Prepared, features_folder


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
    own = features_folder(prepared.folder, settings).name
    found = []
    for speed in speeds:
        wanted = f"augmentation.speed_factors wants it at speed {speed:g}; {AGAIN}, or leave that speed out"
        store = (
            prepared.features(settings)
            if speed == 1
            else kept(prepared, f"{own}-speed-{speed:g}", LogMel(settings, speed), rows, wanted, progress)
        )
        found.append([store[name] for name in rows["utterance_id"]])
    return found
