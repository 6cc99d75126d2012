"""Export of a run of sound to ONNX: log-mels or waveforms in, seven logits out."""

from pathlib import Path
from typing import Any

import numpy
import torch

from emokit.audio.predict import load_model
from emokit.audio.waveform.encoder import SpeechForAudioClassification
from emokit.training.onnx import Inputs, check_packages, write_onnx

NUM_SAMPLES = (
    (16_000, 9_000, 12_345),
    (7_777,),
)  # of the waveforms compared: several lengths in a batch, and one alone


def export_onnx(run: Path, out: Path, *, force: bool = False) -> float:
    """Write a run's model as ONNX, with what its input is made with and the order of its labels, and compare it.

    An ACRNN takes windows (windows, frames, mels) of decibels; a pretrained encoder takes what its feature extractor gives,
    which is written beside it.

    Returns:
        the largest difference of a logit between the two.

    Raises:
        UsageError: the folder exists, or the ONNX packages are not installed.
        DataError: the run is not complete or its model is damaged.
        WorkError: the two differ by more than `onnx.TOLERANCE`.
    """
    check_packages()
    model = load_model(run, torch.device("cpu"))
    of, random = model.config, numpy.random.default_rng(0)
    if isinstance(model, SpeechForAudioClassification):
        sounds = [[random.normal(0, 0.1, length) for length in lengths] for lengths in NUM_SAMPLES]
        batches: list[Inputs] = [model.ears(waveforms) for waveforms in sounds]
        # Whisper hears a fixed length; waveforms may be of any.
        lengths: dict[int, str] = {} if model.ears.longest_seconds else {1: "samples"}
        about: dict[str, Any] = {
            name: getattr(of, name) for name in ("sample_rate", "window_seconds", "window_overlap")
        }
        dynamic = {name: {0: "batch", **lengths} for name in batches[0]}
        save = model.ears.extractor.save_pretrained
        return write_onnx(model, batches, dynamic, out, about, save_beside=save, force=force)
    shape = (of.window_frames, of.n_mels)
    batches = [{"input_features": _decibels(random.normal(-40, 15, (count, *shape)))} for count in (3, 1)]
    about = {name: getattr(of, name) for name in ("window_frames", "window_overlap", "normalisation", "features")}
    return write_onnx(model, batches, {"input_features": {0: "batch"}}, out, about, force=force)


def _decibels(values: numpy.ndarray) -> torch.Tensor:
    return torch.from_numpy(values.astype(numpy.float32))
