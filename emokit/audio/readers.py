"""Which models an export predicts with, and what reads audio files for them; without torch and pandas."""

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy

from emokit.audio.recordings import RecordingPredictions
from emokit.audio.settings import AudioSettings
from emokit.engines.protocol import Engine
from emokit.errors import DataError

if TYPE_CHECKING:
    import pandas

    from emokit.data.prepared import Prepared

# Kind of model -> the module whose functions are those of `Reader`.
READERS = {
    "acrnn": "emokit.audio.spectrogram.recordings",
    "functionals": "emokit.audio.spectrogram.recordings",
    "probe": "emokit.audio.waveform.recordings",
    "pretrained": "emokit.audio.waveform.recordings",
}


class Reader(Protocol):
    """Prediction with an engine; `config` has what the export states."""

    def predict_rows(
        self, engine: Engine, config: Any, settings: AudioSettings, prepared: "Prepared", rows: "pandas.DataFrame"
    ) -> numpy.ndarray:
        """(utterances, classes) probabilities of rows of a prepared folder."""
        ...

    def predict_recordings(
        self, engine: Engine, config: Any, paths: Sequence[Path]
    ) -> "Iterator[RecordingPredictions | DataError]":
        """The probabilities of audio files in their order, or the error of each."""
        ...


def reader_of(settings: AudioSettings) -> Reader:
    """The reader of a kind of model, imported on first use."""
    return cast(Reader, importlib.import_module(READERS[settings.model.kind]))


def without_onnx(settings: AudioSettings) -> str | None:
    """Why the model of a run is not predicted with ONNX Runtime; None where it is."""
    kind = settings.model.kind
    if kind not in READERS:
        return f"model.kind {kind} has no ONNX engine"
    if kind in ("functionals", "probe") and settings.data.speaker_normalisation:
        vectors = "functionals" if kind == "functionals" else "layers of a probe"
        return f"{vectors} that are standardised by speaker have no ONNX engine"
    if kind == "probe" and settings.model.functionals:
        return "a probe with functionals has no ONNX engine"
    return None
