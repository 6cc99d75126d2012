"""The layers of a frozen encoder, pooled over time and stored beside the prepared folder: computed once for all trainings.

The store's name has the hash of the encoder's weights and its windows; an entry belongs to the hash of its recording.
"""

from weakref import WeakKeyDictionary

import numpy
import pandas

from emokit.audio.feature_cache import AGAIN, WaveformExtractor, cached_features
from emokit.audio.waveform.encoder import EncoderModel
from emokit.audio.waveform.predict import layer_statistics
from emokit.data.prepared import Prepared
from emokit.modality.protocol import Progress
from emokit.training.encoder_hash import encoder_hash, used_config

VERSION = 1  # of the computation: it is raised whenever the values change
UNUSED_WEIGHTS = ("masked_spec_embed",)  # only in training; random where a checkpoint lacks it


def layers_of(
    model: EncoderModel, prepared: Prepared, rows: pandas.DataFrame, progress: Progress | None = None
) -> list[numpy.ndarray]:
    """Mean and deviation of every layer over the frames of each window of each row.

    Args:
        model: an encoder that is not trained, with its `processor`.
        prepared: the data.
        rows: the utterances.
        progress: called with (recordings read, recordings to read).

    Returns:
        per row (windows, layers, 2, dim) float16, memory-mapped: the mean, then the deviation.

    Raises:
        DataError: a recording is no longer where it was prepared from, is another one, or cannot be read.
    """
    rate = model.processor.sample_rate
    purpose = f"a frozen encoder needs it once; {AGAIN}"

    def pooled(waveforms: list[numpy.ndarray]) -> list[numpy.ndarray]:
        spans, statistics = layer_statistics(model, waveforms)
        owners = numpy.array([row for row, _, _ in spans])
        return [
            statistics[owners == row].reshape(-1, 2 * statistics.shape[-1]).astype(numpy.float16)
            for row in range(len(waveforms))
        ]

    store = cached_features(
        prepared, f"layers-{_key_of(model)}", WaveformExtractor(rate), rows, purpose, progress, transform=pooled
    )
    return [
        entry.reshape(-1, model.num_states, 2, entry.shape[1] // 2)
        for entry in (store[utterance_id] for utterance_id in rows["utterance_id"])
    ]


_KEYS: "WeakKeyDictionary[EncoderModel, str]" = WeakKeyDictionary()


def _key_of(model: EncoderModel) -> str:
    """The key of an encoder that is not trained: its weights, gigabytes perhaps, are read once and not for every split."""
    if model not in _KEYS:
        _KEYS[model] = key(model)
    return _KEYS[model]


def key(model: EncoderModel) -> str:
    """Identifies the encoder by its weights, its processor and its windows, not by its name or folder."""
    config = model.config
    about = [VERSION, config.window_seconds, config.window_overlap, used_config(config.encoder)]
    return encoder_hash([*about, model.processor.extractor.to_dict()], model.encoder.state_dict(), UNUSED_WEIGHTS)
