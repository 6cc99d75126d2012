"""A toy modality: emotion from the duration of a recording; this folder and one line in the registry are all of it."""

from pathlib import Path

from pydantic import Field

from emokit.modality.protocol import Modality, Option, Plan
from emokit.model_card import CardFacts
from emokit.settings import Settings
from emokit.training.settings import TrainingSettings


class DataSettings(Settings):
    """The utterances that are used."""

    corpora: tuple[str, ...] | None = None
    """Corpora to use; null uses all."""


class ModelSettings(Settings):
    """The model."""

    hidden_size: int = Field(4, ge=1)
    """Width of the hidden layer."""


class ToyTrainingSettings(TrainingSettings):
    """Settings of any training, with the toy's defaults."""

    max_epochs: int = Field(20, ge=1)
    """Maximum number of epochs."""
    lr: float = Field(0.1, gt=0)
    """Maximum learning rate."""
    collapse_patience: int = Field(20, ge=1)
    """Epochs with one predicted class before training stops."""


class ToySettings(Settings):
    """All settings of a toy training."""

    name: str = "toy"
    """Name of the experiment."""
    modality: str = "toy"
    """The modality that the settings belong to."""
    data: DataSettings = DataSettings()
    model: ModelSettings = ModelSettings()
    training: ToyTrainingSettings = ToyTrainingSettings()


class ToyModality(Modality):
    """Emotion from duration."""

    name = "toy"
    summary = "Train a toy on durations."
    medium = "in durations"
    simple_baseline = "the shortest class"
    options = (
        Option("seconds", "Toy runs only: durations in seconds.", ("predict",), list, role="inputs"),
        Option("doubled", "Toy runs only: double each duration.", ("train", "predict")),
    )

    def settings(self):
        return ToySettings

    def train(self, settings, prepared, run, **options):
        from tests.end_to_end.toy.train import train

        return train(self, settings, prepared, run, **options)

    def plan(self, settings, prepared, **options):
        return Plan(prepared.table["split"].value_counts().to_dict(), {"steps_per_epoch": 1})

    def load(self, run: Path | None, device: str = "auto", **options):
        from tests.end_to_end.toy.train import ToyPredictor

        return ToyPredictor(run, **options)

    def export(self, run, out, *, force=False, **options):
        import torch

        from emokit.training.onnx import write_onnx
        from tests.end_to_end.toy.train import ToyPredictor

        batches = [{"seconds": torch.rand(count, 1)} for count in (3, 2)]
        return write_onnx(ToyPredictor(run).model, batches, {"seconds": {0: "batch"}}, out, {}, force=force)

    def card(self, settings):
        return CardFacts("the duration of an utterance", "--seconds 1.5", "RUN is this folder.", tags=("toy",))


TOY = ToyModality()
