"""Train an audio model from a prepared folder into a run folder; test is scored once, at the end."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import pandas
import torch

from emokit import predictions, runs
from emokit.audio import baseline
from emokit.audio.augment import Augment
from emokit.audio.features import LogMel
from emokit.audio.functionals import FunctionalsRegression
from emokit.audio.kept import Progress, features_of
from emokit.audio.learner import Learner, of_waveforms
from emokit.audio.model import AcrnnConfig, AcrnnForAudioClassification
from emokit.audio.normalise import DECLARED, Statistics, statistics_of
from emokit.audio.predict import probabilities, read_model, windows_of
from emokit.audio.pretrained import pretrained
from emokit.audio.settings import AudioSettings, FeatureSettings
from emokit.audio.speeds import versions
from emokit.audio.windows import TrainingBatches, on_device
from emokit.data.prepared import Prepared
from emokit.errors import DataError, UsageError
from emokit.experiment import HELD_OUT, Baseline, begin, class_weights, complete, train_epochs
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
    statistics: numpy.ndarray | None
    """(utterances, 2, mels): what each is standardised with; None where the training split's statistics serve all."""

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
    compile: bool = False,
    resume: bool = False,
    force: bool = False,
    on_epoch: Callable[[Epoch], None] | None = None,
    progress: Progress | None = None,
    held_out: tuple[str, ...] = HELD_OUT,
) -> dict[str, Any]:
    """Train, predict dev and test, score, and complete the run folder.

    Args:
        settings: the experiment.
        prepared: the data.
        run: the run folder to make, or to go on with where `resume` is set and it was begun.
        device: as `runtime.choose_device` takes it.
        precision: as `hardware.choose_precision` takes it; predictions are made in float32 whatever it is.
        compile: have torch compile the model for training.
        resume: go on after the last whole epoch.
        force: replace a run folder that exists.
        on_epoch: called after each epoch, for showing it.
        progress: called with (files read, files to read) where other speeds have to be computed first.
        held_out: the splits to read and score; a sweep leaves test alone.

    Returns:
        what `metrics.json` holds; nothing in the other processes of a training by several.

    Raises:
        UsageError: the run folder exists, the batch is larger than the training split, …
        DataError: a split is empty or its features are not there.
        WorkError: the training collapsed or the disk is full.
    """
    accelerator = new_accelerator(device, precision, compile=compile)
    parts = read_parts(settings, prepared, held_out)
    # Before the folder is made: an encoder that is not to be had leaves nothing behind.
    encoder = pretrained(settings) if settings.model.name else None
    recipe = settings.training
    ledger = begin(run, settings, prepared, parts["train"].table["corpus"], accelerator, resume=resume, force=force)
    with accelerator.main_process_first():  # it computes what has to be computed first, for all of them
        learner = (
            of_spectrograms(settings, prepared, parts, accelerator.device, progress)
            if encoder is None
            else of_waveforms(settings, encoder, prepared, tables_of(parts), accelerator.device, progress)
        )
    weights = class_weights(parts["train"].targets, recipe.class_weights)
    epochs = train_epochs(
        run,
        learner.model,
        learner.batches,
        len(learner.batches),
        lambda current: learner.predict(current, "dev"),
        parts["dev"].targets,
        recipe,
        accelerator,
        weights,
        on_epoch,
        groups=learner.groups,
        save_beside=learner.save_beside,
    )
    if not accelerator.is_main_process:
        return {}
    best = read_model(run, accelerator.device)
    simple = fit_simple(settings, prepared, parts)
    if settings.model.functionals and isinstance(best, AcrnnForAudioClassification):
        best.add(copy.deepcopy(simple).to(accelerator.device))
        runs.write_model(run, best.save_pretrained)
    found = {
        split: predictions.make(
            parts[split].table, learner.predict(best, split), model=settings.name, fingerprint=prepared.fingerprint
        )
        for split in held_out
    }
    about = {
        "name": settings.name,
        "kind": settings.kind,
        "model": learner.kind,
        "parameters": sum(parameter.numel() for parameter in best.parameters()),
        **epochs,
        **({"declared": DECLARED} if settings.data.speaker_normalisation else {}),
    }
    return complete(
        run, about, ledger, found, parts["train"].table["label"], _baseline(settings, prepared, parts, simple)
    )


def of_spectrograms(
    settings: AudioSettings,
    prepared: Prepared,
    parts: dict[str, Part],
    device: torch.device,
    progress: Progress | None = None,
) -> Learner:
    """A new ACRNN and the log-mels of every split."""
    model = new_model(settings, parts["train"])

    def predict(current: torch.nn.Module, split: str) -> numpy.ndarray:
        part, frames, overlap = parts[split], model.config.window_frames, settings.data.windows_overlap
        return probabilities(current, part.log_mels, frames, device, overlap, part.statistics)

    batches = new_batches(settings, prepared, parts["train"], device, progress)
    return Learner(model.config.model_type, model, batches, predict)


def tables_of(parts: dict[str, Part]) -> dict[str, pandas.DataFrame]:
    """The rows of each split."""
    return {split: part.table for split, part in parts.items()}


def new_batches(
    settings: AudioSettings, prepared: Prepared, part: Part, device: torch.device, progress: Progress | None = None
) -> TrainingBatches:
    """The training split's batches, augmented as the settings say; features stay on a GPU where they fit."""
    features, recipe = settings.features, settings.training
    white = LogMel(features).filters.sum(axis=0)  # what noise of equal power at all frequencies has in each mel bin
    augment = Augment(settings.augmentation, features.sample_rate / features.hop_length, white)
    at_speeds = versions(prepared, features, part.table, settings.augmentation.speeds, progress)
    statistics = [
        part.statistics if speed == 1 else statistics_of(settings.data, part.table, log_mels)
        for speed, log_mels in zip(settings.augmentation.speeds, at_speeds, strict=True)
    ]
    return TrainingBatches(
        on_device(at_speeds, device),
        part.targets,
        augment,
        statistics,
        window_frames=features.num_frames(settings.data.window_seconds),
        batch_size=recipe.batch_size,
        mixup_alpha=recipe.mixup_alpha,
        balanced=recipe.class_weights == "sampler",
        seed=recipe.seed,
    )


def fit_simple(settings: AudioSettings, prepared: Prepared, parts: dict[str, Part]) -> FunctionalsRegression:
    """The simple model, fitted on the windows of train, its strength chosen on dev."""
    of, train_part = _features(settings, prepared), parts["train"]
    model = FunctionalsRegression(of.num_mels, is_standardised=train_part.statistics is not None)
    pieces, windows = windows_of(
        train_part.log_mels,
        of.num_frames(settings.data.window_seconds),
        settings.data.windows_overlap,
        train_part.statistics,
    )
    targets = train_part.targets[[row for row, _ in pieces]]
    predict_dev = partial(_simple_probabilities, settings, prepared, parts["dev"])
    baseline.fit(model, windows, targets, predict_dev, parts["dev"].targets)
    return model


def _simple_probabilities(
    settings: AudioSettings, prepared: Prepared, part: Part, model: FunctionalsRegression
) -> numpy.ndarray:
    frames = _features(settings, prepared).num_frames(settings.data.window_seconds)
    overlap, statistics = settings.data.windows_overlap, part.statistics
    return probabilities(model, part.log_mels, frames, torch.device("cpu"), overlap, statistics)


def _baseline(
    settings: AudioSettings, prepared: Prepared, parts: dict[str, Part], simple: FunctionalsRegression
) -> Baseline:
    """What the simple model guesses of the splits that are held out."""
    held_out = {split: part for split, part in parts.items() if split != "train"}
    guesses = {
        split: _simple_probabilities(settings, prepared, part, simple).argmax(axis=1)
        for split, part in held_out.items()
    }
    return Baseline(baseline.DESCRIPTION, guesses)


def _features(settings: AudioSettings, prepared: Prepared) -> FeatureSettings:
    """What spectrograms are made with; a pretrained encoder hears the sound itself, and its baseline takes what there is."""
    return features_of(prepared) if settings.model.name else settings.features


def read_parts(settings: AudioSettings, prepared: Prepared, held_out: tuple[str, ...] = HELD_OUT) -> dict[str, Part]:
    """The training split and those held out, of the corpora that the settings name.

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
    store = prepared.features(_features(settings, prepared))
    parts = {}
    for split in ("train", *held_out):
        rows = table[table["split"] == split].reset_index(drop=True)
        if rows.empty:
            raise DataError(
                f"{prepared.folder} has no {split} utterances with sound of {', '.join(corpora or there)}; "
                f"prepare a corpus with at least 3 speakers, or put one into {split} with --split CORPUS={split}."
            )
        log_mels = [store[name] for name in rows["utterance_id"]]
        parts[split] = Part(rows, log_mels, statistics_of(settings.data, rows, log_mels))
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
        normalisation=settings.data.normalisation,
        features=settings.features.as_dict(),
        **settings.model.model_dump(exclude={"name", "revision", "frozen", "functionals"}),
    )
    model = AcrnnForAudioClassification(config)
    if train_part.statistics is None:
        of_train = Statistics()
        for log_mel in train_part.log_mels:
            of_train.add(log_mel)
        model.standardise_with(*torch.from_numpy(of_train.found()))
    # Convolutions over bf16 numbers run several times as fast when a place's channels lie together in memory.
    return model.to(memory_format=torch.channels_last)
