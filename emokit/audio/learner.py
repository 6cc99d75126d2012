"""What is trained and on what: an ACRNN on spectrograms, or a pretrained encoder on waveforms. The loop is the same."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy
import pandas
import torch
from transformers import PreTrainedModel

from emokit.audio.feature_cache import Progress
from emokit.audio.settings import AudioSettings
from emokit.audio.spectrogram.speeds import versions
from emokit.audio.waveform.batches import WaveformBatches, waveforms_of
from emokit.audio.waveform.encoder import SpeechForAudioClassification
from emokit.audio.waveform.predict import probabilities
from emokit.audio.waveform.pretrained import find_processor, layer_groups
from emokit.data.prepared import Prepared
from emokit.labels import TARGETS
from emokit.training.batches import LengthBatches
from emokit.training.loop import Batch


class Batches(Protocol):
    """What gives each epoch its batches, equally many in each."""

    def __len__(self) -> int: ...

    def __call__(self, epoch: int) -> Iterable[Batch]:
        """The batches of an epoch, counted from one; the same number gives the same batches."""


@dataclass(frozen=True)
class TrainableModel:
    """A model before its training, and what `experiment.train_epochs` wants beside it."""

    kind: str
    """What the model is called: `acrnn`, `wav2vec2`, `wavlm`, …"""
    model: PreTrainedModel
    batches: Batches
    predict: Callable[[Any, str], numpy.ndarray]
    """(model, split) -> (utterances, classes) probabilities."""
    groups: list[dict[str, Any]] | None = None
    """The optimiser's parameter groups; None for the loop's own."""
    save_beside: Callable[[Path], Any] | None = None
    """Writes into the model's folder what belongs to it."""


def of_waveforms(
    settings: AudioSettings,
    model: SpeechForAudioClassification,
    prepared: Prepared,
    tables: Mapping[str, pandas.DataFrame],
    device: torch.device,
    progress: Progress | None = None,
) -> TrainableModel:
    """A pretrained encoder and the sound of every split.

    Args:
        settings: the experiment.
        model: as `pretrained.pretrained` made it.
        prepared: the data.
        tables: split -> its rows.
        device: where it is trained.
        progress: called with (files read, files to read) where the sound has to be read first.

    Raises:
        DataError: the sound is no longer where it was prepared from, or cannot be read.
    """
    recipe, ears, train = settings.training, model.ears, tables["train"]
    together = pandas.concat(tables.values())
    found = dict(
        zip(
            together["utterance_id"], waveforms_of(prepared, together, ears.sample_rate, progress=progress), strict=True
        )
    )
    heard = {split: [found[name] for name in rows["utterance_id"]] for split, rows in tables.items()}
    at_speeds = [
        heard["train"] if speed == 1 else waveforms_of(prepared, train, ears.sample_rate, speed, progress)
        for speed in settings.augmentation.speed_factors
    ]
    batches = WaveformBatches(
        at_speeds,
        train["label"].map(TARGETS).to_numpy(numpy.int64),
        ears,
        settings.augmentation,
        window_seconds=settings.data.window_seconds,
        batch_size=recipe.batch_size,
        max_seconds_per_batch=recipe.max_seconds_per_batch,
        mixup_alpha=recipe.mixup_alpha,
        balanced=recipe.class_balancing == "sampler",
        seed=recipe.seed,
    )

    def predict(current: SpeechForAudioClassification, split: str) -> numpy.ndarray:
        return probabilities(current, heard[split])

    groups = layer_groups(model, recipe)
    return TrainableModel(
        model.config.encoder["model_type"], model.to(device), batches, predict, groups, ears.extractor.save_pretrained
    )


def read_ahead(
    settings: AudioSettings, prepared: Prepared, rows: pandas.DataFrame, progress: Progress | None = None
) -> None:
    """Compute all that trainings on these rows want of their sound, so that several at once find it there.

    Raises:
        DataError: the sound is no longer where it was prepared from, or cannot be read.
    """
    rows, speeds = rows[rows["path"].notna()], settings.augmentation.speed_factors
    if settings.model.kind == "functionals":
        return
    if settings.model.name is None:
        versions(prepared, settings.features, rows, speeds, progress)
        return
    _, ears = find_processor(settings)
    for speed in sorted({1.0, *speeds}):
        waveforms_of(prepared, rows, ears.sample_rate, speed, progress)


def survey(settings: AudioSettings, train: pandas.DataFrame) -> dict[str, Any]:
    """What a training would do: its steps an epoch, and of a pretrained encoder the share of padding.

    Raises:
        UsageError, DataError: the pretrained encoder is not to be had, or does not suit the settings.
    """
    recipe = settings.training
    if settings.model.kind == "functionals":
        return {"steps_per_epoch": 0}
    if settings.model.name is None:
        return {"steps_per_epoch": -(-(len(train) // recipe.batch_size) // recipe.gradient_accumulation_steps)}
    _, ears = find_processor(settings)
    longest = train["duration_seconds"].to_numpy(float) / min(settings.augmentation.speed_factors)
    seconds = longest.clip(max=settings.data.window_seconds)
    batches = LengthBatches(
        ears.lengths(numpy.ceil(seconds * ears.sample_rate).astype(numpy.int64)),
        train["label"].map(TARGETS).to_numpy(numpy.int64),
        batch_size=recipe.batch_size,
        budget=round(recipe.max_seconds_per_batch * ears.sample_rate),
        seed=recipe.seed,
        balanced=recipe.class_balancing == "sampler",
    )
    steps = -(-len(batches) // recipe.gradient_accumulation_steps)
    return {"steps_per_epoch": steps, "padding_share": round(batches.padding_share(), 4)}
