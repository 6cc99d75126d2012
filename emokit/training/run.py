"""Training into a run folder, the same for every modality: epochs and checkpoints, then scores beside baselines."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import pandas
import torch
from accelerate import Accelerator

from emokit import metrics, model_card, predictions, runs
from emokit.data.prepared import Prepared, genders
from emokit.errors import UsageError
from emokit.files import write_json, write_text
from emokit.locks import release, released_on_error
from emokit.model_card import CardFacts
from emokit.predictions import Predictions
from emokit.schema.base import validated
from emokit.schema.metrics import Metrics
from emokit.settings import inputs_of
from emokit.training import checkpoint, trackers
from emokit.training.loop import DevMetrics, Epoch, TrainingProgress, fit
from emokit.training.objective import Objective
from emokit.training.settings import TrainingSettings

NOT_TRAINED = {"epochs": 0, "best_epoch": 0}  # for models that are fitted without epochs
OnBatch = Callable[[int, int, int], None]
"""(epoch, batches done, batches of an epoch)"""
EFFECTIVE_BETA = 0.999  # of the effective number (1 - beta^n) / (1 - beta): beyond a few thousand, more adds little


@dataclass(frozen=True)
class Baseline:
    """The predictions of a simple model, for comparison with the trained model."""

    description: str
    """Describes the model in one line."""
    predicted: Mapping[str, numpy.ndarray]
    """split -> (utterances,) predicted targets, in the order of the split's predictions."""


def check_begin(
    run: Path, settings: Any, prepared: Prepared, accelerator: Accelerator, *, resume: bool, force: bool
) -> None:
    """Refuse what `begin` refuses, before features of hours of audio are computed for it; arguments as those of `begin`."""
    runs.check_flags(resume=resume, force=force)
    trackers.check_packages(settings.training.report_to)
    if not accelerator.is_main_process:  # the main process may have made the folder by now
        return
    if resume and runs.is_complete(run):
        runs.check_complete(run)
        runs.tidy(run)
        raise UsageError(f"{run} is complete; read it with `emokit report {run}`, or name another --run.")
    runs.check_startable(run, resume=resume, force=force, inputs=inputs_of(settings, prepared.folder))
    if resume and (run / runs.ENVIRONMENT).exists():
        runs.check_same(run, settings, prepared.fingerprint)


def begin(
    run: Path,
    settings: Any,
    prepared: Prepared,
    corpora: pandas.Series,
    accelerator: Accelerator,
    *,
    resume: bool,
    force: bool,
) -> dict[str, Any]:
    """Make the run folder, or check that an interrupted one fits.

    Args:
        run: the folder; the main process makes it, and the others wait.
        settings: of the modality.
        prepared: the data.
        corpora: (utterances,) the corpus of each training utterance.
        accelerator: of this process.
        resume, force: as `runs.start` takes them.

    Returns:
        the ledger of those corpora.

    Raises:
        UsageError: the folder exists, is complete already, or had other settings.
        DataError: it had other data, or its files are damaged.
    """
    check_begin(run, settings, prepared, accelerator, resume=resume, force=force)
    ledger = prepared.ledger_of(corpora.unique())
    if accelerator.is_main_process:
        runs.start(
            run,
            settings,
            seed=settings.training.seed,
            device=str(accelerator.device),
            data=prepared.folder,
            fingerprint=prepared.fingerprint,
            resume=resume,
            force=force,
        )
        write_json(run / runs.LEDGER, ledger)
    accelerator.wait_for_everyone()
    return ledger


def train_epochs(
    run: Path,
    model: torch.nn.Module,
    batches: Callable[[int], Any],
    steps_per_epoch: int,
    evaluate: Callable[[torch.nn.Module], DevMetrics],
    settings: TrainingSettings,
    accelerator: Accelerator,
    objective: Objective,
    on_epoch: Callable[[Epoch], None] | None = None,
    *,
    on_batch: OnBatch | None = None,
    groups: list[dict[str, Any]] | None = None,
    save_beside: Callable[[Path], Any] | None = None,
    resume: bool = True,
) -> dict[str, int]:
    """Run the loop into a run folder: write each epoch's checkpoint, log it, and save the best model at the end.

    Args:
        run: the run folder, made by `begin`.
        model: trained in place; it has the saved weights afterwards.
        batches, steps_per_epoch, evaluate, settings, accelerator, objective, groups: as `training.loop.fit` takes them.
        on_epoch: called after each epoch.
        on_batch: called at the start of each epoch and after each of its batches.
        save_beside: writes further files into the model's folder, such as a tokenizer.
        resume: resume from the checkpoint, if there is one; False for a run that was not started with --resume.

    Returns:
        `epochs` and `best_epoch`.

    Raises:
        DataError: the checkpoint is damaged, or of a training with other settings or data.
    """
    with released_on_error(run):
        key = runs.key(run)
        state = checkpoint.read(run / runs.CHECKPOINT, key) if resume else None
        with checkpoint.restoring():
            progress = vars(TrainingProgress.restored(state["progress"]) if state else TrainingProgress())
        if on_batch and accelerator.is_main_process:
            batches = partial(_counted, batches, steps_per_epoch, on_batch)
        epochs = fit(model, batches, steps_per_epoch, evaluate, settings, accelerator, objective, state, groups)
        if not accelerator.is_main_process:
            for _ in epochs:
                pass  # only the main process writes logs and checkpoints
            return progress
        last_line = state.get("log") if state else None
        runs.align_log(run, progress["epoch"], last_line)
        with trackers.tracking(run, settings.report_to, progress["epoch"], last_line) as track:
            for epoch in epochs:
                line = epoch.as_log()
                if epoch.is_best:
                    checkpoint.write(run / runs.BEST, {"model": checkpoint.trained_state(epoch.model)}, key)
                # The checkpoint first, with the line: a kill between the two neither repeats an epoch nor loses its line.
                timeless = {name: value for name, value in line.items() if name != "seconds"}
                checkpoint.write(run / runs.CHECKPOINT, {**epoch.state, "log": timeless}, key)
                runs.append_log(run, line)
                track(line)
                progress = epoch.state["progress"]
                if on_epoch:
                    on_epoch(epoch)
        best = checkpoint.read(run / runs.BEST, key)
        if best is not None:
            unwrapped = accelerator.unwrap_model(model, keep_fp32_wrapper=False, keep_torch_compile=False)
            with checkpoint.restoring():
                checkpoint.load_trained(unwrapped, best["model"])
            save_model(run, unwrapped, save_beside)
        return {"epochs": progress["epoch"], "best_epoch": progress["best_epoch"]}


def _counted(batches: Callable[[int], Any], size: int, on_batch: OnBatch, epoch: int) -> Iterator[Any]:
    """An epoch's batches, each reported when the loop takes the next one."""
    on_batch(epoch, 0, size)
    for number, batch in enumerate(batches(epoch), start=1):
        yield batch
        on_batch(epoch, number, size)


def save_model(run: Path, model: Any, save_beside: Callable[[Path], Any] | None = None) -> None:
    """Write a model into `model/` with `save_pretrained`, and further files with `save_beside`."""

    def save(folder: Path) -> None:
        model.save_pretrained(folder)
        if save_beside:
            save_beside(folder)

    runs.write_model(run, save)


def complete(
    run: Path,
    about: Mapping[str, Any],
    ledger: Mapping[str, Any],
    predicted: Mapping[str, Predictions],
    train_labels: Any,
    baseline: Baseline | None,
    card: CardFacts,
) -> dict[str, Any]:
    """Complete a run: write predictions, the model card, and last `metrics.json` with scores beside their baselines.

    Args:
        run: the run folder.
        about: `name`, `modality`, `model`, `parameters`, `epochs`, `best_epoch`.
        ledger: of the training corpora.
        predicted: split -> its predictions; a trial of a sweep has dev only.
        train_labels: (utterances,) pandas Series of the training labels, for the majority class.
        baseline: the simple model's predictions; None where the trained model is that model, which is not compared with itself.
        card: facts of the modality for the model card.

    Returns:
        the content of `metrics.json`; it does not depend on time or speed.
    """
    splits: dict[str, Any] = {}
    environment = runs.read_environment(run)
    gender_of = genders(environment.get("data"))
    for split, split_predictions in predicted.items():
        predictions.write(split_predictions, run / runs.PREDICTIONS / f"{split}.parquet")
        baselines = {"majority": metrics.majority_baseline(train_labels, split_predictions)}
        if baseline:
            simple = metrics.baseline_scores(split_predictions, baseline.predicted[split])
            baselines["simple"] = {**simple, "description": baseline.description}
        splits[split] = metrics.score(split_predictions) | {
            "per_gender": metrics.per_gender(split_predictions, gender_of),
            "baselines": baselines,
        }
    labels = next(iter(predicted.values())).labels
    result = {**about, "labels": list(labels), "splits": splits}
    settings = runs.read_settings(run)
    text = model_card.model_card(result, settings, environment, ledger, card)
    write_text(run / runs.CARD, text)
    # Before the last file: what a kill leaves undone, --resume does.
    trackers.finish(run, settings.get("training", {}).get("report_to", ()), result)
    write_json(run / runs.METRICS, validated(Metrics, result))
    release(run)
    return result


def dev_metrics(probabilities: numpy.ndarray, targets: numpy.ndarray) -> DevMetrics:
    """Score probabilities (utterances, classes) against targets (utterances,) for the loop."""
    predicted = probabilities.argmax(axis=1)
    truth = numpy.clip(probabilities[numpy.arange(len(targets)), targets], metrics.SMALLEST_PROBABILITY, None)
    plain = metrics.plain_scores(targets, predicted, probabilities.shape[1])
    return DevMetrics(
        loss=float(-numpy.log(truth).mean()),
        uar=plain["uar"],
        accuracy=plain["accuracy"],
        weighted_f1=plain["weighted_f1"],
        num_classes_predicted=len(numpy.unique(predicted)),
    )


def class_weights(shares: numpy.ndarray, balancing: str) -> torch.Tensor | None:
    """(classes,) weights of the loss for `training.class_balancing`, with mean 1 over the training utterances.

    Absent classes have weight 1. None for a loss without weights.
    """
    if balancing in ("none", "sampler"):
        return None
    counts = shares.sum(axis=0, dtype=numpy.float64)
    size = counts if balancing == "inverse" else (1 - EFFECTIVE_BETA**counts) / (1 - EFFECTIVE_BETA)
    weights = numpy.where(counts > 0, 1 / numpy.maximum(size, 1), 0)
    weights = weights * len(shares) / (weights * counts).sum()
    return torch.tensor(numpy.where(counts > 0, weights, 1.0), dtype=torch.float32)
