"""From log-mels, sound files or a prepared split to probabilities; the windows of a long utterance are averaged."""

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy
import torch

from emokit import predictions, runs
from emokit.audio.features import LogMel, cut
from emokit.audio.model import AcrnnForAudioClassification
from emokit.audio.settings import FeatureSettings
from emokit.audio.windows import starts
from emokit.data.prepared import open_prepared
from emokit.data.scan import files as sound_files
from emokit.data.sound import read_sound, resample
from emokit.data.utterance import SPLITS
from emokit.errors import DataError, UsageError

BATCH_WINDOWS = 64


def probabilities(
    model: torch.nn.Module,
    log_mels: Sequence[numpy.ndarray],
    window_frames: int,
    device: torch.device,
    overlap: float = 0.0,
) -> numpy.ndarray:
    """Seven probabilities for each utterance.

    Args:
        model: log-mels (windows, frames, mels) in decibels -> an object with `logits` (windows, classes).
        log_mels: per utterance (frames, mels) decibels, of any length.
        window_frames: how many frames the model was trained on.
        device: where the model is.
        overlap: share of a window that the next one repeats.

    Returns:
        (utterances, classes) float64, the mean over each utterance's windows; each row sums to one.
    """
    pieces = [
        (row, start) for row, log_mel in enumerate(log_mels) for start in starts(len(log_mel), window_frames, overlap)
    ]
    sums, counts = None, numpy.zeros(len(log_mels))
    with torch.inference_mode():
        for first in range(0, len(pieces), BATCH_WINDOWS):
            batch = pieces[first : first + BATCH_WINDOWS]
            windows = numpy.stack([cut(log_mels[row], window_frames, start) for row, start in batch])
            features = torch.from_numpy(windows.astype(numpy.float32)).to(device)
            found = model(input_features=features).logits.double().softmax(dim=1).cpu().numpy()
            sums = numpy.zeros((len(log_mels), found.shape[1])) if sums is None else sums
            rows = [row for row, _ in batch]
            numpy.add.at(sums, rows, found)
            numpy.add.at(counts, rows, 1)
    if sums is None:
        raise DataError("There is no utterance to predict; name at least one.")
    return sums / counts[:, None]


def load_model(run: Path, device: torch.device) -> AcrnnForAudioClassification:
    """The best epoch's model of a complete run.

    Raises:
        DataError: the run is not complete or its model is damaged.
    """
    runs.check_complete(run)
    return read_model(run, device)


def read_model(run: Path, device: torch.device) -> AcrnnForAudioClassification:
    """The model that lies in a run folder.

    Raises:
        DataError: it is damaged.
    """
    folder = run / runs.MODEL
    try:
        model = AcrnnForAudioClassification.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    except Exception as error:  # transformers and safetensors raise many kinds for a damaged folder
        raise DataError(f"{folder} holds no whole model ({error}); train the run again with --force.") from error
    return model.to(device).eval()


def find_sounds(paths: Sequence[Path]) -> list[Path]:
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
    model: AcrnnForAudioClassification, paths: Sequence[Path], device: torch.device
) -> Iterator[tuple[Path, numpy.ndarray | DataError]]:
    """Sound files in order, each with its probabilities (classes,) or with what is wrong: one does not stop the others."""
    for path in paths:
        try:
            yield path, predict_file(model, path, device)
        except DataError as error:
            yield path, error


def predict_file(model: AcrnnForAudioClassification, path: Path, device: torch.device) -> numpy.ndarray:
    """The probabilities (classes,) of a sound file of any length, rate and channels.

    Raises:
        DataError: it is missing, silent or cannot be decoded.
    """
    settings = FeatureSettings.make(model.config.features, "the model's config.json")
    sound = read_sound(path)
    log_mel = _extractor(settings)(resample(sound.waveform, sound.sample_rate, settings.sample_rate))
    return probabilities(model, [log_mel], model.config.window_frames, device, model.config.windows_overlap)[0]


@functools.lru_cache(maxsize=4)
def _extractor(settings: FeatureSettings) -> LogMel:
    return LogMel(settings)


def predict_split(
    model: AcrnnForAudioClassification, run: Path, data: Path, split: str, out: Path, device: torch.device
) -> int:
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
    store = prepared.features(FeatureSettings.make(model.config.features, "the model's config.json"))
    log_mels = [store[name] for name in rows["utterance_id"]]
    found = predictions.make(
        rows,
        probabilities(model, log_mels, model.config.window_frames, device, model.config.windows_overlap),
        model=runs.read_settings(run)["name"],
        fingerprint=prepared.fingerprint,
    )
    predictions.write(found, out)
    return len(rows)
