"""From log-mels, sound files or a prepared split to probabilities; the windows of a long utterance are averaged."""

import contextlib
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch

from emokit import predictions, runs
from emokit.audio.functionals.model import FunctionalsForAudioClassification
from emokit.audio.settings import DataSettings, FeatureSettings
from emokit.audio.spectrogram.acrnn import AcrnnForAudioClassification
from emokit.audio.spectrogram.batches import averaged, starts
from emokit.audio.spectrogram.log_mel import LogMel, cut
from emokit.audio.spectrogram.normalise import (
    SMALLEST_DEVIATION_DB,
    Statistics,
    own_statistics,
    standardised,
    statistics_of,
)
from emokit.audio.waveform import predict
from emokit.audio.waveform.batches import read_processor, waveforms_of
from emokit.audio.waveform.encoder import SpeechForAudioClassification
from emokit.data.audio_io.read import read_audio, resample
from emokit.data.prepared import open_prepared
from emokit.data.sources.scan import files as sound_files
from emokit.data.utterance import SPLITS
from emokit.errors import DataError, UsageError

Spectral = AcrnnForAudioClassification | FunctionalsForAudioClassification
AudioModel = Spectral | SpeechForAudioClassification

BATCH_WINDOWS = 64


@dataclass(frozen=True)
class WindowPredictions:
    """What a model says of a recording, window by window."""

    seconds: numpy.ndarray
    """(windows, 2): where each starts and ends."""
    by_window: numpy.ndarray
    """(windows, classes) float64; each row sums to one."""

    @property
    def probabilities(self) -> numpy.ndarray:
        """(classes,), the mean over the windows."""
        mean: numpy.ndarray = self.by_window.mean(axis=0)
        return mean


def probabilities(
    model: torch.nn.Module,
    log_mels: Sequence[numpy.ndarray],
    window_frames: int,
    device: torch.device,
    overlap: float = 0.0,
    statistics: numpy.ndarray | None = None,
) -> numpy.ndarray:
    """Seven probabilities for each utterance.

    Args:
        model: log-mels (windows, frames, mels) in decibels -> an object with `logits` (windows, classes).
        log_mels: per utterance (frames, mels) decibels, of any length.
        window_frames: how many frames the model was trained on.
        device: where the model is.
        overlap: share of a window that the next one repeats.
        statistics: what each utterance is standardised with, as `normalise.statistics_of` gives it.

    Returns:
        (utterances, classes) float64, the mean over each utterance's windows; each row sums to one.
    """
    pieces, found = by_window(model, log_mels, window_frames, device, overlap, statistics)
    return averaged([row for row, _ in pieces], found, len(log_mels))


def by_window(
    model: torch.nn.Module,
    log_mels: Sequence[numpy.ndarray],
    window_frames: int,
    device: torch.device,
    overlap: float = 0.0,
    statistics: numpy.ndarray | None = None,
) -> tuple[list[tuple[int, int]], numpy.ndarray]:
    """As `probabilities`, before the mean: (utterance, first frame) of each window, and (windows, classes) float64."""
    pieces, windows = windows_of(log_mels, window_frames, overlap, statistics)
    if not pieces:
        raise DataError("There is no utterance to predict; name at least one.")
    with torch.inference_mode():
        found = [model(input_features=some.to(device)).logits.cpu().double().softmax(dim=1).numpy() for some in windows]
    return pieces, numpy.concatenate(found)


def windows_of(
    log_mels: Sequence[numpy.ndarray], window_frames: int, overlap: float, statistics: numpy.ndarray | None
) -> tuple[list[tuple[int, int]], Iterator[torch.Tensor]]:
    """(utterance, first frame) of each window, and batches of them (windows, frames, mels) as the model takes them.

    Args:
        log_mels, window_frames, overlap, statistics: as `probabilities` takes them.
    """
    pieces = [
        (row, start) for row, log_mel in enumerate(log_mels) for start in starts(len(log_mel), window_frames, overlap)
    ]

    def batches() -> Iterator[torch.Tensor]:
        for first in range(0, len(pieces), BATCH_WINDOWS):
            batch = pieces[first : first + BATCH_WINDOWS]
            windows = numpy.stack([cut(log_mels[row], window_frames, start) for row, start in batch])
            rows = [row for row, _ in batch]
            windows = standardised(windows.astype(numpy.float32), None if statistics is None else statistics[rows])
            yield torch.from_numpy(windows)

    return pieces, batches()


def load_model(run: Path, device: torch.device) -> AudioModel:
    """The best epoch's model of a complete run.

    Raises:
        DataError: the run is not complete or its model is damaged.
    """
    runs.check_complete(run)
    return read_model(run, device)


def read_model(run: Path, device: torch.device) -> AudioModel:
    """The model that lies in a run folder.

    Raises:
        DataError: it is damaged.
    """
    folder = run / runs.MODEL
    of = runs.read_settings(run).get("model", {})
    kind: type[AudioModel] = SpeechForAudioClassification if of.get("name") is not None else AcrnnForAudioClassification
    if of.get("kind") == "functionals":
        kind = FunctionalsForAudioClassification
    try:
        model: AudioModel = kind.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    except Exception as error:  # transformers and safetensors raise many kinds for a damaged folder
        raise DataError(f"{folder} holds no whole model ({error}); train the run again with --force.") from error
    if isinstance(model, SpeechForAudioClassification):
        model.ears = read_processor(folder, str(folder))
    return model.to(device).eval()


def find_recordings(paths: Sequence[Path]) -> list[Path]:
    """The files named, and of the folders named every sound file below them, in alphabetical order.

    Raises:
        DataError: one of them is not there, or a folder holds no sound.
    """
    found = []
    for path in paths:
        inside = [path / inner for inner in sound_files(path)] if path.is_dir() else [path]
        if not path.exists():
            raise DataError(f"{path} is not there; name a sound file or a folder of them.")
        if not inside:
            raise DataError(f"{path} holds no sound file; name another folder.")
        found += inside
    return found


def predict_files(
    model: AudioModel, paths: Sequence[Path], device: torch.device
) -> Iterator[tuple[Path, WindowPredictions | DataError]]:
    """Sound files in order, each with what is heard in it or with what is wrong: one does not stop the others.

    A model that was trained with `data.speaker_normalisation` takes all of them for one speaker's.
    """
    by_speaker = not isinstance(model, SpeechForAudioClassification) and model.config.normalisation == "speaker"
    speaker = _statistics_of_speaker(model, paths) if by_speaker else None
    for path in paths:
        try:
            yield path, hear(model, path, device, speaker)
        except DataError as error:
            yield path, error


def hear(
    model: AudioModel, path: Path, device: torch.device, speaker: numpy.ndarray | None = None
) -> WindowPredictions:
    """What a model says of a sound file of any length, rate and channels.

    Args:
        model: as `load_model` gives it.
        path: the file.
        device: where the model is.
        speaker: (1, 2, mels) statistics of the file's speaker, where the model wants them; else those of the file.

    Raises:
        DataError: it is missing, silent or cannot be decoded.
    """
    if isinstance(model, SpeechForAudioClassification):
        waveform = _waveform(path, model.ears.sample_rate)
        pieces, found = predict.by_window(model, [waveform])
        return WindowPredictions(numpy.array([span for _, *span in pieces]) / model.ears.sample_rate, found)
    of = model.config
    features = FeatureSettings.make(of.features, "the model's config.json")
    waveform = _waveform(path, features.sample_rate)
    log_mel = _extractor(features)(waveform)
    own = own_statistics([log_mel], [0]) if speaker is None and of.normalisation != "train" else speaker
    places, found = by_window(model, [log_mel], of.window_frames, device, of.window_overlap, own)
    samples = numpy.array([(start, start + of.window_frames) for _, start in places]) * features.hop_length
    return WindowPredictions(numpy.minimum(samples, len(waveform)) / features.sample_rate, found)


def _waveform(path: Path, rate: int) -> numpy.ndarray:
    sound = read_audio(path)
    return resample(sound.waveform, sound.sample_rate, rate)


def _log_mel(model: Spectral, path: Path) -> numpy.ndarray:
    settings = FeatureSettings.make(model.config.features, "the model's config.json")
    return _extractor(settings)(_waveform(path, settings.sample_rate))


def _statistics_of_speaker(model: Spectral, paths: Sequence[Path]) -> numpy.ndarray | None:
    """(1, 2, mels) over all files that can be read; None where there is none."""
    statistics = Statistics()
    for path in paths:
        with contextlib.suppress(DataError):  # told where it is predicted
            statistics.add(_log_mel(model, path))
    return statistics.found(SMALLEST_DEVIATION_DB)[None] if statistics.frames else None


@functools.lru_cache(maxsize=4)
def _extractor(settings: FeatureSettings) -> LogMel:
    return LogMel(settings)


def predict_split(model: AudioModel, run: Path, data: Path, split: str, out: Path, device: torch.device) -> int:
    """Write the predictions of a prepared split as parquet; returns how many utterances they are of.

    Raises:
        UsageError: the split is unknown.
        DataError: the prepared folder is not complete, or has other features or no utterance of the split.
    """
    if split not in SPLITS:
        raise UsageError(f"--split {split} is unknown; choose one of {', '.join(SPLITS)}.")
    prepared = open_prepared(data)
    corpora = runs.read_settings(run)["data"]["corpora"]
    table = prepared.table
    rows = table[(table["split"] == split) & table["path"].notna() & (table["corpus"].isin(corpora or table["corpus"]))]
    if rows.empty:
        raise DataError(f"{data} has no {split} utterances of the run's corpora; choose another --split.")
    if isinstance(model, SpeechForAudioClassification):
        said = predict.probabilities(model, waveforms_of(prepared, rows, model.ears.sample_rate))
    else:
        store = prepared.features(FeatureSettings.make(model.config.features, "the model's config.json"))
        log_mels, of = [store[name] for name in rows["utterance_id"]], model.config
        normalised = DataSettings.make(runs.read_settings(run)["data"], "the run's settings")
        own = statistics_of(normalised, rows, log_mels)
        said = probabilities(model, log_mels, of.window_frames, device, of.window_overlap, own)
    found = predictions.make(
        rows,
        said,
        model=runs.read_settings(run)["name"],
        fingerprint=prepared.fingerprint,
    )
    predictions.write(found, out)
    return len(rows)
