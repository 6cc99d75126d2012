"""Train an audio model from a prepared folder into a run folder; test is scored once, at the end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import torch
from accelerate import Accelerator

from emokit import predictions, runs
from emokit.audio.feature_cache import Progress
from emokit.audio.functionals import fit
from emokit.audio.learner import TrainableModel, of_waveforms
from emokit.audio.predict import AudioModel, probabilities, read_model
from emokit.audio.settings import AudioSettings
from emokit.audio.spectrogram.acrnn import AcrnnConfig, AcrnnForAudioClassification
from emokit.audio.spectrogram.augment import Augment
from emokit.audio.spectrogram.batches import TrainingBatches, on_device
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.audio.spectrogram.normalise import DECLARED, Statistics, statistics_of
from emokit.audio.spectrogram.speeds import versions
from emokit.audio.splits import SplitData, features_wanted, read_splits, tables_of
from emokit.audio.waveform.encoder import SpeechForAudioClassification
from emokit.audio.waveform.pretrained import pretrained
from emokit.data.prepared import Prepared
from emokit.runtime import seed_everything
from emokit.training.hardware import new_accelerator
from emokit.training.loop import Epoch
from emokit.training.run import HELD_OUT, NOT_TRAINED, Baseline, begin, class_weights, complete, train_epochs


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
    parts = read_splits(settings, prepared, held_out)
    # Before the folder is made: an encoder that is not to be had leaves nothing behind.
    encoder = pretrained(settings) if settings.model.name else None
    ledger = begin(run, settings, prepared, parts["train"].table["corpus"], accelerator, resume=resume, force=force)
    learner, epochs = None, NOT_TRAINED
    if settings.model.kind != "functionals":
        learner, epochs = _fit(settings, prepared, parts, run, encoder, accelerator, on_epoch, progress)
    if not accelerator.is_main_process:
        return {}
    simple = fit.fit_baseline(settings, features_wanted(settings, prepared), parts)
    said = {split: fit.said_of(parts[split], simple) for split in held_out}
    predicted = {split: probable.argmax(axis=1) for split, probable in said.items()}
    if learner is None:
        best: AudioModel = simple
        runs.write_model(run, simple.save_pretrained)
    else:
        best = read_model(run, accelerator.device)
        said = {split: learner.predict(best, split) for split in held_out}
    found = {
        split: predictions.make(parts[split].table, probable, model=settings.name, fingerprint=prepared.fingerprint)
        for split, probable in said.items()
    }
    about = {
        "name": settings.name,
        "modality": settings.modality,
        "model": learner.kind if learner else simple.config.model_type,
        "parameters": sum(parameter.numel() for parameter in best.parameters()),
        **epochs,
        **({"declared": DECLARED} if settings.data.speaker_normalisation else {}),
    }
    labels = parts["train"].table["label"]
    return complete(run, about, ledger, found, labels, Baseline(fit.DESCRIPTION, predicted))


def _fit(
    settings: AudioSettings,
    prepared: Prepared,
    parts: dict[str, SplitData],
    run: Path,
    encoder: SpeechForAudioClassification | None,
    accelerator: Accelerator,
    on_epoch: Callable[[Epoch], None] | None,
    progress: Progress | None,
) -> tuple[TrainableModel, dict[str, int]]:
    """Train; returns what was trained on what, and `epochs` and `best_epoch`."""
    recipe = settings.training
    with accelerator.main_process_first():  # it computes what has to be computed first, for all of them
        learner = (
            of_spectrograms(settings, prepared, parts, accelerator.device, progress)
            if encoder is None
            else of_waveforms(settings, encoder, prepared, tables_of(parts), accelerator.device, progress)
        )
    epochs = train_epochs(
        run,
        learner.model,
        learner.batches,
        len(learner.batches),
        lambda current: learner.predict(current, "dev"),
        parts["dev"].targets,
        recipe,
        accelerator,
        class_weights(parts["train"].targets, recipe.class_balancing),
        on_epoch,
        groups=learner.groups,
        save_beside=learner.save_beside,
    )
    return learner, epochs


def of_spectrograms(
    settings: AudioSettings,
    prepared: Prepared,
    parts: dict[str, SplitData],
    device: torch.device,
    progress: Progress | None = None,
) -> TrainableModel:
    """A new ACRNN and the log-mels of every split."""
    model = new_model(settings, parts["train"])

    def predict(current: torch.nn.Module, split: str) -> numpy.ndarray:
        part, frames, overlap = parts[split], model.config.window_frames, settings.data.window_overlap
        return probabilities(current, part.log_mels, frames, device, overlap, part.statistics)

    batches = new_batches(settings, prepared, parts["train"], device, progress)
    return TrainableModel(model.config.model_type, model, batches, predict)


def new_batches(
    settings: AudioSettings, prepared: Prepared, part: SplitData, device: torch.device, progress: Progress | None = None
) -> TrainingBatches:
    """The training split's batches, augmented as the settings say; features stay on a GPU where they fit."""
    features, recipe = settings.features, settings.training
    white = LogMel(features).filters.sum(axis=0)  # what noise of equal power at all frequencies has in each mel bin
    augment = Augment(settings.augmentation, features.sample_rate / features.hop_length, white)
    at_speeds = versions(prepared, features, part.table, settings.augmentation.speed_factors, progress)
    statistics = [
        part.statistics if speed == 1 else statistics_of(settings.data, part.table, log_mels)
        for speed, log_mels in zip(settings.augmentation.speed_factors, at_speeds, strict=True)
    ]
    return TrainingBatches(
        on_device(at_speeds, device),
        part.targets,
        augment,
        statistics,
        window_frames=features.num_frames(settings.data.window_seconds),
        batch_size=recipe.batch_size,
        mixup_alpha=recipe.mixup_alpha,
        balanced=recipe.class_balancing == "sampler",
        seed=recipe.seed,
    )


def new_model(settings: AudioSettings, train_part: SplitData) -> AcrnnForAudioClassification:
    """An untrained model with seeded weights that knows the training split's mean and deviation."""
    seed_everything(settings.training.seed)
    config = AcrnnConfig(
        n_mels=settings.features.n_mels,
        window_frames=settings.features.num_frames(settings.data.window_seconds),
        window_overlap=settings.data.window_overlap,
        normalisation=settings.data.normalisation,
        features=settings.features.as_dict(),
        **settings.model.model_dump(exclude={"kind", "name", "revision", "frozen"}),
    )
    model = AcrnnForAudioClassification(config)
    if train_part.statistics is None:
        of_train = Statistics()
        for log_mel in train_part.log_mels:
            of_train.add(log_mel)
        model.standardise_with(*torch.from_numpy(of_train.found()))
    # Convolutions over bf16 numbers run several times as fast when a place's channels lie together in memory.
    return model.to(memory_format=torch.channels_last)
