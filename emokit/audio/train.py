"""Train an audio model from a prepared folder into a run folder; test is scored once, at the end."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy
from accelerate import Accelerator

from emokit import predictions, runs
from emokit.audio.family import ModelFamily, family
from emokit.audio.functionals import fit as functionals
from emokit.audio.linear.splits import DECLARED as DEV_DECLARED
from emokit.audio.settings import AudioSettings
from emokit.audio.spectrogram.normalise import DECLARED
from emokit.audio.splits import SplitData, features_of, read_splits
from emokit.data.prepared import Prepared
from emokit.data.utterance import HELD_OUT
from emokit.modality.protocol import Modality, Progress
from emokit.training.hardware import new_accelerator
from emokit.training.loop import DevMetrics, Epoch
from emokit.training.objective import CrossEntropy
from emokit.training.run import (
    NOT_TRAINED,
    Baseline,
    OnBatch,
    begin,
    check_begin,
    class_weights,
    complete,
    dev_metrics,
    save_model,
    train_epochs,
)


def train(
    modality: Modality,
    settings: AudioSettings,
    prepared: Prepared,
    run: Path,
    *,
    device: str = "auto",
    precision: str = "auto",
    compile: bool = False,
    resume: bool = False,
    force: bool = False,
    held_out: tuple[str, ...] = HELD_OUT,
    on_epoch: Callable[[Epoch], None] | None = None,
    on_batch: OnBatch | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train, predict and score the held-out splits, and complete the run folder; arguments as `Modality.train` takes them.

    Returns:
        what `metrics.json` holds; {} in all but the main process.

    Raises:
        UsageError: the run folder exists, the batch is larger than the training split, …
        DataError: a split is empty or its features are missing.
        WorkError: the training collapsed or the disk is full.
    """
    accelerator = new_accelerator(device, precision, compile=compile)
    check_begin(run, settings, prepared, accelerator, resume=resume, force=force)
    splits = read_splits(settings, prepared, held_out, progress)
    model_family = family(settings.model.kind)
    # Before the folder is made: an encoder that is not available leaves nothing behind.
    model = model_family.new_model(settings, splits["train"], prepared.labels)
    ledger = begin(run, settings, prepared, splits["train"].table["corpus"], accelerator, resume=resume, force=force)
    epochs: Mapping[str, int] = NOT_TRAINED
    predict: Callable[[Any, str], numpy.ndarray] | None = None
    if model_family.has_epochs:
        epochs, predict = _fit(
            model_family, settings, model, prepared, splits, run, accelerator, on_epoch, on_batch, progress, resume
        )
    if not accelerator.is_main_process:
        return {}
    if predict is None:
        fitted = model_family.fit(settings, model, prepared, splits, accelerator.device, progress)
        trained: Any = fitted.model
        save_model(run, fitted.model, fitted.save_beside)
        probabilities = dict(fitted.probabilities)
    else:
        # Read back, so that the scores are those of the model as it is stored.
        trained = model_family.load_model(run / runs.MODEL).to(accelerator.device)
        probabilities = {split: predict(trained, split) for split in held_out}
    baseline = None
    if settings.model.kind != "functionals":  # they are the baseline, and no model is compared with itself
        _, of_baseline = functionals.fit_splits(settings, features_of(settings, prepared), splits)
        simple = {split: of_baseline[split].argmax(axis=1) for split in held_out}
        baseline = Baseline(modality.simple_baseline, simple)
    predicted = {
        split: predictions.make(
            splits[split].table,
            probabilities[split],
            labels=prepared.labels,
            model=settings.name,
            fingerprint=prepared.fingerprint,
        )
        for split in held_out
    }
    encoder = getattr(trained.config, "encoder", None)
    declared = "; ".join(
        sentence
        for sentence, applies in (
            (DECLARED, settings.data.speaker_normalisation),
            (DEV_DECLARED, settings.data.train_on_dev),
        )
        if applies
    )
    about = {
        "name": settings.name,
        "modality": settings.modality,
        "model": encoder["model_type"] if encoder else trained.config.model_type,
        "parameters": sum(parameter.numel() for parameter in trained.parameters()),
        **epochs,
        **({"declared": declared} if declared else {}),
    }
    labels, card = splits["train"].table["label"], modality.card(settings.as_dict())
    return complete(run, about, ledger, predicted, labels, baseline, card)


def _fit(
    model_family: ModelFamily,
    settings: AudioSettings,
    model: Any,
    prepared: Prepared,
    splits: Mapping[str, SplitData],
    run: Path,
    accelerator: Accelerator,
    on_epoch: Callable[[Epoch], None] | None,
    on_batch: OnBatch | None,
    progress: Progress | None,
    resume: bool,
) -> tuple[dict[str, int], Callable[[Any, str], numpy.ndarray]]:
    """Train; returns `epochs` and `best_epoch`, and what predicts a split."""
    training, device = settings.training, accelerator.device
    with accelerator.main_process_first():  # the main process computes missing features for all of them
        trainable = model_family.trainable(settings, model, prepared, splits, device, progress)
    dev_targets = splits["dev"].targets

    def evaluate(current: Any) -> DevMetrics:
        return dev_metrics(trainable.predict(current, "dev"), dev_targets)

    weights = class_weights(splits["train"].shares, training.class_balancing)
    epochs = train_epochs(
        run,
        trainable.model,
        trainable.batches,
        len(trainable.batches),
        evaluate,
        training,
        accelerator,
        CrossEntropy(training.label_smoothing, weights),
        on_epoch,
        on_batch=on_batch,
        groups=trainable.groups,
        save_beside=trainable.save_beside,
        resume=resume,
    )
    return epochs, trainable.predict
