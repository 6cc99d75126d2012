"""The family of functionals: fitted at once, without epochs."""

from collections.abc import Mapping
from typing import Any

import pandas
import torch

from emokit.audio.family import TrainableModel
from emokit.audio.functionals.fit import new_model
from emokit.audio.functionals.model import FunctionalsForAudioClassification
from emokit.audio.settings import AudioSettings
from emokit.audio.spectrogram.family import SpectrogramFamily
from emokit.audio.splits import SplitData
from emokit.data.prepared import Prepared
from emokit.labels import LabelSet
from emokit.modality.protocol import Progress


class FunctionalsFamily(SpectrogramFamily):
    """Functionals of windows of log-mels with logistic regression; `functionals.fit` fits it."""

    has_epochs = False
    model_class = FunctionalsForAudioClassification

    def plan(self, settings: AudioSettings, train: pandas.DataFrame) -> dict[str, Any]:
        """As `ModelFamily.plan`."""
        return {"steps_per_epoch": 0}

    def compute_features(
        self, settings: AudioSettings, prepared: Prepared, rows: pandas.DataFrame, progress: Progress | None = None
    ) -> None:
        """As `ModelFamily.compute_features`: log-mels are all it needs."""

    def new_model(
        self, settings: AudioSettings, train: SplitData, labels: LabelSet
    ) -> FunctionalsForAudioClassification:
        """As `ModelFamily.new_model`."""
        return new_model(settings, settings.features, labels)

    def trainable(
        self,
        settings: AudioSettings,
        model: Any,
        prepared: Prepared,
        splits: Mapping[str, SplitData],
        device: torch.device,
        progress: Progress | None = None,
    ) -> TrainableModel:
        """Refused: there are no epochs.

        Raises:
            TypeError: always.
        """
        raise TypeError("functionals are fitted at once, not trained in epochs")
