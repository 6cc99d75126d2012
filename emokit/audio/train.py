"""Train an audio model from a prepared folder into a run folder; test is scored once, at the end."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import pandas
import torch

from emokit import predictions, runs
from emokit.audio import baseline
from emokit.audio.augment import Augment
from emokit.audio.features import LogMel
from emokit.audio.model import AcrnnConfig, AcrnnForAudioClassification
from emokit.audio.predict import probabilities, read_model
from emokit.audio.settings import AudioSettings
from emokit.audio.speeds import Progress, versions
from emokit.audio.windows import TrainingBatches, mean_and_deviation
from emokit.data.prepared import Prepared
from emokit.errors import DataError, UsageError
from emokit.experiment import HELD_OUT, Baseline, class_weights, complete, train_epochs
from emokit.files import write_json
from emokit.labels import LABELS, TARGETS
from emokit.runtime import seed_everything
from emokit.training.hardware import new_accelerator
from emokit.training.loop import Epoch


@dataclass(frozen=True)
class Part:
    """One split of the data: its rows and their features, in the same order."""

    table: pandas.DataFrame
    log_mels: list[numpy.ndarray]
    """Per utterance (frames, mels) float16 decibels, mapped from disk."""

    @property
    def targets(self) -> numpy.ndarray:
        """(utterances,) class numbers."""
        return self.table["label"].map(TARGETS).to_numpy(numpy.int64)


def train(
    settings: AudioSettings,
    prepared: Prepared,
    run: Path,
    *,
    device: str = "auto",
    precision: str = "auto",
    resume: bool = False,
    force: bool = False,
    on_epoch: Callable[[Epoch], None] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train, predict dev and test, score, and complete the run folder.

    Args:
        settings: the experiment.
        prepared: the data.
        run: the run folder to make, or to go on with where `resume` is set and it was begun.
        device: as `runtime.choose_device` takes it.
        precision: as `hardware.choose_precision` takes it; predictions are made in float32 whatever it is.
        resume: go on after the last whole epoch.
        force: replace a run folder that exists.
        on_epoch: called after each epoch, for showing it.
        progress: called with (files read, files to read) where other speeds have to be computed first.

    Returns:
        what `metrics.json` holds.

    Raises:
        UsageError: the run folder exists, the batch is larger than the training split, …
        DataError: a split is empty or its features are not there.
        WorkError: the training collapsed or the disk is full.
    """
    accelerator = new_accelerator(device, precision)
    parts = read_parts(settings, prepared)
    if resume and runs.is_complete(run):
        raise UsageError(f"{run} is complete; read it with `emokit report {run}`, or name another --run.")
    seed = settings.training.seed
    runs.start(
        run,
        settings,
        seed=seed,
        device=str(accelerator.device),
        data=prepared.folder,
        fingerprint=prepared.fingerprint,
        resume=resume,
        force=force,
    )
    ledger = prepared.ledger_of(parts["train"].table["corpus"].unique())
    write_json(run / runs.LEDGER, ledger)
    model = new_model(settings, parts["train"])
    recipe, frames = settings.training, model.config.window_frames
    batches = new_batches(settings, prepared, parts["train"], progress)
    weights = class_weights(parts["train"].targets, recipe.class_weights)

    def predict(current: torch.nn.Module, split: str = "dev") -> numpy.ndarray:
        overlap = settings.data.windows_overlap
        return probabilities(current, parts[split].log_mels, frames, accelerator.device, overlap)

    epochs = train_epochs(
        run, model, batches, len(batches), predict, parts["dev"].targets, recipe, accelerator, weights, on_epoch
    )
    best = read_model(run, accelerator.device)
    found = {
        split: predictions.make(
            parts[split].table, predict(best, split), model=settings.name, fingerprint=prepared.fingerprint
        )
        for split in HELD_OUT
    }
    about = {
        "name": settings.name,
        "kind": settings.kind,
        "model": best.config.model_type,
        "parameters": sum(parameter.numel() for parameter in best.parameters()),
        **epochs,
    }
    return complete(run, about, ledger, found, parts["train"].table["label"], _baseline(parts))


def new_batches(
    settings: AudioSettings, prepared: Prepared, part: Part, progress: Progress | None = None
) -> TrainingBatches:
    """The training split's batches, augmented as the settings say."""
    features, recipe = settings.features, settings.training
    white = LogMel(features).filters.sum(axis=0)  # what noise of equal power at all frequencies has in each mel bin
    augment = Augment(settings.augmentation, features.sample_rate / features.hop_length, white)
    return TrainingBatches(
        versions(prepared, features, part.table, settings.augmentation.speeds, progress),
        part.targets,
        augment,
        window_frames=features.num_frames(settings.data.window_seconds),
        batch_size=recipe.batch_size,
        mixup_alpha=recipe.mixup_alpha,
        balanced=recipe.class_weights == "sampler",
        seed=recipe.seed,
    )


def _baseline(parts: dict[str, Part]) -> Baseline:
    """The simple model, fitted on train, its strength chosen on dev."""
    summaries = {split: baseline.summary(part.log_mels) for split, part in parts.items()}
    simple = baseline.fit_baseline(summaries["train"], parts["train"].targets, summaries["dev"], parts["dev"].targets)
    return Baseline(baseline.DESCRIPTION, {split: simple.predict(summaries[split]) for split in HELD_OUT})


def read_parts(settings: AudioSettings, prepared: Prepared) -> dict[str, Part]:
    """The three splits of the corpora that the settings name.

    Raises:
        UsageError: a corpus is not in the prepared folder, or training has fewer utterances than a batch.
        DataError: a split has no utterance, or training lacks a class.
    """
    table = prepared.table[prepared.table["path"].notna()]
    corpora = settings.data.corpora
    there = sorted(table["corpus"].unique())
    for corpus in corpora or ():
        if corpus not in there:
            raise UsageError(
                f"data.corpora names {corpus} and {prepared.folder} has {', '.join(there)}; prepare it too."
            )
    if corpora:
        table = table[table["corpus"].isin(corpora)]
    store = prepared.features(settings.features)
    parts = {}
    for split in ("train", *HELD_OUT):
        rows = table[table["split"] == split].reset_index(drop=True)
        if rows.empty:
            raise DataError(
                f"{prepared.folder} has no {split} utterances with sound of {', '.join(corpora or there)}; "
                f"prepare a corpus with at least 3 speakers, or put one into {split} with --split CORPUS={split}."
            )
        parts[split] = Part(rows, [store[name] for name in rows["utterance_id"]])
    found = set(parts["train"].table["label"])
    missing = [label for label in LABELS if label in set(table["label"]) and label not in found]
    if missing:
        raise DataError(
            f"The train split has no utterance labelled {missing[0]}, which dev or test have; "
            "prepare more corpora or another split seed."
        )
    if len(parts["train"].table) < settings.training.batch_size:
        raise UsageError(
            f"training.batch_size is {settings.training.batch_size} and the train split has "
            f"{len(parts['train'].table)} utterances; lower it with --batch-size."
        )
    return parts


def new_model(settings: AudioSettings, train_part: Part) -> AcrnnForAudioClassification:
    """An untrained model with seeded weights that knows the training split's mean and deviation."""
    seed_everything(settings.training.seed)
    config = AcrnnConfig(
        num_mels=settings.features.num_mels,
        window_frames=settings.features.num_frames(settings.data.window_seconds),
        windows_overlap=settings.data.windows_overlap,
        features=settings.features.as_dict(),
        **settings.model.as_dict(),
    )
    model = AcrnnForAudioClassification(config)
    model.standardise_with(*mean_and_deviation(train_part.log_mels))
    # Convolutions over bf16 numbers run several times as fast when a place's channels lie together in memory.
    return model.to(memory_format=torch.channels_last)
