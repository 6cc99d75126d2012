"""Prediction of audio files and prepared rows by models that take windows of log-mels; the same for every engine, without torch.

A `config` here has `window_frames`, `window_overlap`, `normalisation` and `features`: the model's, or what its export states.
"""

import contextlib
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy

from emokit.audio.recordings import RecordingPredictions, read_flagged, read_waveform
from emokit.audio.settings import AudioSettings, FeatureSettings
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.audio.spectrogram.normalise import SMALLEST_DEVIATION_DB, Statistics, group_statistics, statistics_of
from emokit.audio.spectrogram.predict import predict_log_mels, predict_windows
from emokit.data.audio_io.plausible import checked_features
from emokit.engines.protocol import Engine
from emokit.errors import DataError

if TYPE_CHECKING:
    import pandas

    from emokit.data.prepared import Prepared


def features_of(config: Any) -> FeatureSettings:
    """The settings of the features that a model was trained on."""
    return FeatureSettings.make(config.features, "The model's config.json")


def predict_rows(
    engine: Engine, config: Any, settings: AudioSettings, prepared: "Prepared", rows: "pandas.DataFrame"
) -> numpy.ndarray:
    """(utterances, classes) probabilities of rows of a prepared folder."""
    from emokit.audio.spectrogram.speeds import versions

    (log_mels,) = versions(prepared, features_of(config), rows, [1])
    statistics = statistics_of(settings.data, rows, log_mels)
    return predict_log_mels(engine, log_mels, config.window_frames, config.window_overlap, statistics)


def predict_recordings(
    engine: Engine, config: Any, paths: Sequence[Path]
) -> Iterator[RecordingPredictions | DataError]:
    """The probabilities of audio files in their order, or the error of each; by speaker, all files count as one speaker's."""
    speaker = speaker_statistics(config, paths)
    for path in paths:
        try:
            yield predict_recording(engine, config, path, speaker)
        except DataError as error:
            yield error


def predict_recording(
    engine: Engine, config: Any, path: Path, statistics: numpy.ndarray | None = None
) -> RecordingPredictions:
    """The probabilities of an audio file of any length, rate and number of channels.

    Args:
        engine: takes windows of log-mels.
        config: of the model.
        path: the file.
        statistics: (1, 2, mels) of the file's speaker; None uses the file's own where the model does not use train's.

    Raises:
        DataError: the file is missing, silent or cannot be decoded.
    """
    log_mel, flags, num_samples = read_log_mel(config, path)
    statistics = own_statistics(config, log_mel, statistics)
    places, by_window = predict_windows(engine, [log_mel], config.window_frames, config.window_overlap, statistics)
    return RecordingPredictions(window_seconds(config, places, num_samples), by_window, flags)


def read_log_mel(config: Any, path: Path) -> tuple[numpy.ndarray, tuple[str, ...], int]:
    """An audio file as a model of windows takes it: its log-mel (frames, mels) in decibels, its flags, its number of samples.

    Raises:
        DataError: the file is missing, silent or cannot be decoded.
    """
    features = features_of(config)
    waveform, flags = read_flagged(path, features.sample_rate)
    return checked_features(_extractor(features), waveform, path), tuple(map(str, flags)), len(waveform)


def own_statistics(config: Any, log_mel: numpy.ndarray, given: numpy.ndarray | None = None) -> numpy.ndarray | None:
    """(1, 2, mels): what is given, else the log-mel's own where the model does not use the training split's."""
    if given is not None or config.normalisation == "train":
        return given
    return group_statistics([log_mel], [0])


def window_seconds(config: Any, places: Sequence[tuple[int, int]], num_samples: int) -> numpy.ndarray:
    """(windows, 2): where each window of a recording starts and ends, in seconds.

    Args:
        config: of the model.
        places: (utterance, first frame) of each window.
        num_samples: of the recording, at the features' rate.
    """
    features, frames = features_of(config), config.window_frames
    starts = numpy.array([(start, start + frames) for _, start in places]) * features.hop_length
    seconds: numpy.ndarray = numpy.minimum(starts, num_samples) / features.sample_rate
    return seconds


def speaker_statistics(config: Any, paths: Sequence[Path]) -> numpy.ndarray | None:
    """(1, 2, mels) mean and deviation over all files that can be read; None where no file can, or none are used."""
    if config.normalisation != "speaker":
        return None
    features, statistics = features_of(config), Statistics()
    for path in paths:
        with contextlib.suppress(DataError):  # reported when the file is predicted
            waveform = read_waveform(path, features.sample_rate)
            statistics.add(checked_features(_extractor(features), waveform, path))
    return statistics.result(SMALLEST_DEVIATION_DB)[None] if statistics.frames else None


@functools.lru_cache(maxsize=4)
def _extractor(settings: FeatureSettings) -> LogMel:
    return LogMel(settings)
