"""Log-mels of the training utterances at several speeds."""

from collections.abc import Sequence

import numpy
import pandas

from emokit.audio.feature_cache import AGAIN, cached_features
from emokit.audio.settings import FeatureSettings
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.data.prepared import Prepared, features_folder
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
    name = features_folder(prepared.folder, settings).name
    at_speeds = []
    for factor in speed_factors:
        purpose = f"augmentation.speed_factors needs it at {factor:g}; {AGAIN}, or leave that factor out"
        store = (
            prepared.features(settings)
            if factor == 1
            else cached_features(
                prepared, f"{name}-speed-{factor:g}", LogMel(settings, factor), rows, purpose, progress
            )
        )
        at_speeds.append([store[utterance_id] for utterance_id in rows["utterance_id"]])
    return at_speeds
