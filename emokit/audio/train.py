"""Train an audio model from a prepared folder into a run folder; test is scored once, at the end."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import pandas
import torch
from accelerate import Accelerator

from emokit import card, metrics, predictions, runs
from emokit.audio import baseline
from emokit.audio.model import AcrnnConfig, AcrnnForAudioClassification
from emokit.audio.predict import probabilities
from emokit.audio.settings import AudioSettings
from emokit.audio.windows import TrainingBatches, mean_and_deviation
from emokit.data.prepared import LEDGER, Prepared
from emokit.errors import DataError, UsageError
from emokit.files import write_json, write_text
from emokit.labels import LABELS, NUM_LABELS, TARGETS
from emokit.runtime import seed_everything
from emokit.training import checkpoint
from emokit.training.hardware import new_accelerator
from emokit.training.loop import DevScores, Epoch, fit

HELD_OUT = ("dev", "test")


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
        fingerprint=prepared.fingerprint,
        resume=resume,
        force=force,
    )
    write_json(run / LEDGER, prepared.ledger)
    model = new_model(settings, parts["train"])
    last = _train_epochs(settings, parts, run, model, accelerator, on_epoch)
    best = (
        AcrnnForAudioClassification.from_pretrained(run / runs.MODEL, local_files_only=True)
        .to(accelerator.device)
        .eval()
    )
    return _score(settings, prepared, parts, run, best, accelerator.device, last)


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
        features=settings.features.as_dict(),
        **settings.model.as_dict(),
    )
    model = AcrnnForAudioClassification(config)
    model.standardise_with(*mean_and_deviation(train_part.log_mels))
    # Convolutions over bf16 numbers run several times as fast when a place's channels lie together in memory.
    return model.to(memory_format=torch.channels_last)


def class_weights(targets: numpy.ndarray) -> torch.Tensor:
    """(classes,) weights inverse to the frequency in training, mean 1 over the training utterances; 1 for absent classes."""
    counts = numpy.bincount(targets, minlength=NUM_LABELS)
    present = counts > 0
    weights = numpy.where(present, len(targets) / (present.sum() * numpy.maximum(counts, 1)), 1.0)
    return torch.tensor(weights, dtype=torch.float32)


def _train_epochs(
    settings: AudioSettings,
    parts: dict[str, Part],
    run: Path,
    model: AcrnnForAudioClassification,
    accelerator: Accelerator,
    on_epoch: Callable[[Epoch], None] | None,
) -> dict[str, int]:
    """Ask the loop for its epochs; log each, keep the best model and the state to go on from."""
    from torch.utils.tensorboard import SummaryWriter

    recipe, dev = settings.training, parts["dev"]
    batches = TrainingBatches(
        parts["train"].log_mels,
        parts["train"].targets,
        window_frames=model.config.window_frames,
        batch_size=recipe.batch_size,
        mixup_alpha=recipe.mixup_alpha,
        seed=recipe.seed,
    )

    def evaluate(current: torch.nn.Module) -> DevScores:
        return dev_scores(
            probabilities(current, dev.log_mels, model.config.window_frames, accelerator.device), dev.targets
        )

    state = checkpoint.read(run / runs.CHECKPOINT)
    weights = class_weights(parts["train"].targets) if recipe.class_weights == "inverse" else None
    done = dict(state["progress"]) if state else {}
    with SummaryWriter(str(run / runs.TENSORBOARD), purge_step=done.get("epoch", 0) + 1) as board:
        for epoch in fit(model, batches, len(batches), evaluate, recipe, accelerator, weights, state):
            runs.append_log(run, epoch.as_log())
            for name, value in epoch.as_log().items():
                if name not in ("epoch", "best"):
                    board.add_scalar(name, value, epoch.number)
            if epoch.is_best:
                runs.write_model(run, model.save_pretrained)
            checkpoint.write(run / runs.CHECKPOINT, epoch.state)
            done = epoch.state["progress"]
            if on_epoch:
                on_epoch(epoch)
    return {"epochs": done["epoch"], "best_epoch": done["best_epoch"]}


def dev_scores(probability: numpy.ndarray, targets: numpy.ndarray) -> DevScores:
    """Score probabilities (utterances, classes) against targets (utterances,) as the loop wants it."""
    guesses = probability.argmax(axis=1)
    truth = numpy.clip(probability[numpy.arange(len(targets)), targets], metrics.SMALLEST_PROBABILITY, None)
    plain = metrics.plain_scores(targets, guesses)
    return DevScores(
        loss=float(-numpy.log(truth).mean()),
        uar=plain["uar"],
        accuracy=plain["accuracy"],
        weighted_f1=plain["weighted_f1"],
        num_classes_predicted=len(numpy.unique(guesses)),
    )


def _score(
    settings: AudioSettings,
    prepared: Prepared,
    parts: dict[str, Part],
    run: Path,
    model: AcrnnForAudioClassification,
    device: torch.device,
    epochs: dict[str, int],
) -> dict[str, Any]:
    """Predict dev and test with the best epoch, score both beside their baselines, and write what completes the run."""
    summaries = {split: baseline.summary(part.log_mels) for split, part in parts.items()}
    simple = baseline.fit_baseline(summaries["train"], parts["train"].targets, summaries["dev"], parts["dev"].targets)
    scored = {}
    for split in HELD_OUT:
        part = parts[split]
        found = predictions.make(
            part.table,
            probabilities(model, part.log_mels, model.config.window_frames, device),
            model=settings.name,
            fingerprint=prepared.fingerprint,
        )
        predictions.write(found, run / "predictions" / f"{split}.parquet")
        simple_scores = metrics.plain_scores(part.targets, simple.predict(summaries[split]))
        scored[split] = metrics.score(found) | {
            "baselines": {
                "majority": metrics.majority_baseline(parts["train"].table["label"], found),
                "simple": {**simple_scores, "description": baseline.DESCRIPTION},
            }
        }
    result = {
        "name": settings.name,
        "kind": settings.kind,
        "model": model.config.model_type,
        "labels": list(LABELS),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        **epochs,
        "splits": scored,
    }
    text = card.model_card(result, settings.as_dict(), runs.read_environment(run), prepared.ledger)
    write_text(run / runs.CARD, text)
    write_json(run / runs.METRICS, result)
    return result
