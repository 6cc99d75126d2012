"""Model families: one for each value of `model.kind`, behind one protocol."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy
import torch

from emokit.audio.recordings import RecordingEmbedding as RecordingEmbedding
from emokit.audio.recordings import RecordingPredictions as RecordingPredictions
from emokit.audio.settings import AudioSettings
from emokit.errors import DataError
from emokit.labels import LabelSet
from emokit.modality.protocol import Progress

if TYPE_CHECKING:
    import pandas
    from transformers import PreTrainedModel

    from emokit.audio.splits import SplitData
    from emokit.data.prepared import Prepared
    from emokit.training.objective import Batch
    from emokit.training.onnx import Inputs
    from emokit.training.plain_model import PlainModel


FAMILIES = {
    "acrnn": "emokit.audio.spectrogram.family:AcrnnFamily",
    "functionals": "emokit.audio.functionals.family:FunctionalsFamily",
    "probe": "emokit.audio.probe.family:ProbeFamily",
    "pretrained": "emokit.audio.waveform.family:PretrainedFamily",
}


class Batches(Protocol):
    """The training batches of each epoch, equally many in each."""

    def __len__(self) -> int: ...

    def __call__(self, epoch: int) -> Iterable[Batch]:
        """The batches of an epoch, from 1; the same number gives the same batches."""


@dataclass(frozen=True)
class TrainableModel:
    """A model before its training, and what the loop needs beside it."""

    model: PlainModel | PreTrainedModel
    batches: Batches
    predict: Callable[[Any, str], numpy.ndarray]
    """(model, split) -> (utterances, classes) probabilities."""
    groups: list[dict[str, Any]] | None = None
    """The optimiser's parameter groups; None for the loop's default."""
    save_beside: Callable[[Path], Any] | None = None
    """Writes what belongs to the model, such as its processor, into the model's folder."""


@dataclass(frozen=True)
class FittedModel:
    """A model that was fitted without epochs."""

    model: PlainModel | PreTrainedModel
    probabilities: Mapping[str, numpy.ndarray]
    """split -> (utterances, classes) of the held-out splits."""
    save_beside: Callable[[Path], Any] | None = None
    """As in `TrainableModel`."""


@dataclass(frozen=True)
class OnnxInputs:
    """Inputs that a model is exported and compared with, as `onnx.write_onnx` takes them."""

    batches: Sequence[Inputs]
    dynamic: Mapping[str, Mapping[int, str]]
    about: Mapping[str, Any]
    save_beside: Callable[[Path], Any] | None = None


class ModelFamily(Protocol):
    """Training, prediction and export of one `model.kind`.

    Attributes:
        has_epochs: whether it is trained by the loop; else `fit` fits it at once.
    """

    has_epochs: bool

    def plan(self, settings: AudioSettings, train: pandas.DataFrame) -> dict[str, Any]:
        """What a training would do: `steps_per_epoch`, and for batches by length the share of padding.

        Raises:
            UsageError, DataError: a pretrained encoder is not available, or does not suit the settings.
        """
        ...

    def compute_features(
        self, settings: AudioSettings, prepared: Prepared, rows: pandas.DataFrame, progress: Progress | None = None
    ) -> None:
        """Compute the cached features that trainings on these rows share.

        Raises:
            DataError: the recordings are no longer where they were prepared from, or cannot be read.
        """
        ...

    def new_model(self, settings: AudioSettings, train: SplitData, labels: LabelSet) -> PlainModel | PreTrainedModel:
        """An untrained model with seeded weights; nothing is written.

        Raises:
            UsageError, DataError: a pretrained encoder is not available, or does not suit the settings.
        """
        ...

    def trainable(
        self,
        settings: AudioSettings,
        model: Any,
        prepared: Prepared,
        splits: Mapping[str, SplitData],
        device: torch.device,
        progress: Progress | None = None,
    ) -> TrainableModel:
        """The model with its batches; features that are not cached yet are computed."""
        ...

    def fit(
        self,
        settings: AudioSettings,
        model: Any,
        prepared: Prepared,
        splits: Mapping[str, SplitData],
        device: torch.device,
        progress: Progress | None = None,
    ) -> FittedModel:
        """The model fitted on train, of a family without epochs."""
        ...

    def load_model(self, folder: Path) -> PlainModel | PreTrainedModel:
        """The model in a folder, on the CPU, in evaluation mode.

        Raises:
            DataError: it is damaged.
        """
        ...

    def config_of(self, settings: AudioSettings) -> dict[str, Any]:
        """Name -> value of what the config of a run's model states of the run's settings."""
        ...

    def predict_rows(
        self, model: Any, settings: AudioSettings, prepared: Prepared, rows: pandas.DataFrame
    ) -> numpy.ndarray:
        """(utterances, classes) probabilities of rows of a prepared folder."""
        ...

    def predict_recordings(self, model: Any, paths: Sequence[Path]) -> Iterator[RecordingPredictions | DataError]:
        """The probabilities of audio files in their order; what is wrong with one does not stop the others."""
        ...

    def embed_recordings(
        self, model: Any, paths: Sequence[Path], steps: int
    ) -> Iterator[RecordingEmbedding | DataError]:
        """What the head takes of audio files, at most `steps` vectors each; order and errors as in `predict_recordings`."""
        ...

    def onnx_inputs(self, model: Any) -> OnnxInputs:
        """Inputs that the model is exported and compared with."""
        ...


def family(kind: str) -> ModelFamily:
    """The family of a `model.kind`, imported on first use."""
    module, _, name = FAMILIES[kind].partition(":")
    return cast(ModelFamily, getattr(importlib.import_module(module), name)())
