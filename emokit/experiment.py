"""What every wing does around the one loop: epochs into the run folder, then dev and test scored once, beside baselines."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import pandas
import torch
from accelerate import Accelerator
from transformers import PreTrainedModel

from emokit import card, metrics, predictions, runs
from emokit.data.prepared import Prepared, genders
from emokit.errors import UsageError
from emokit.files import write_json, write_text
from emokit.labels import LABELS, NUM_LABELS
from emokit.predictions import Predictions
from emokit.training import checkpoint
from emokit.training.loop import DevScores, Epoch, fit
from emokit.training.settings import TrainingSettings

HELD_OUT = ("dev", "test")
NOT_TRAINED = {"epochs": 0, "best_epoch": 0}  # of a model that is fitted at once


@dataclass(frozen=True)
class Baseline:
    """What a simple model says, for standing beside the trained one."""

    description: str
    """What it is, in a line."""
    guesses: Mapping[str, numpy.ndarray]
    """split -> (utterances,) class numbers, in the order of the split's predictions."""


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
    """Make the run folder, or see that a begun one fits.

    Args:
        run: the folder; of several processes the first one makes it, and the others wait.
        settings: the experiment, audio or text.
        prepared: the data.
        corpora: (utterances,) the corpus of each that is trained on.
        accelerator: of this process.
        resume, force: as `runs.start` takes them.

    Returns:
        the ledger of those corpora.

    Raises:
        UsageError: the folder exists, is complete already, or had other settings.
        DataError: it had other data, or its files are damaged.
    """
    if resume and runs.is_complete(run):
        raise UsageError(f"{run} is complete; read it with `emokit report {run}`, or name another --run.")
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
    model: PreTrainedModel,
    batches: Callable[[int], Any],
    steps_per_epoch: int,
    predict_dev: Callable[[torch.nn.Module], numpy.ndarray],
    dev_targets: numpy.ndarray,
    settings: TrainingSettings,
    accelerator: Accelerator,
    weights: torch.Tensor | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
    *,
    groups: list[dict[str, Any]] | None = None,
    save_beside: Callable[[Path], Any] | None = None,
) -> dict[str, int]:
    """Ask the loop for its epochs; log each, keep the best model and the state to go on from.

    Args:
        run: the run folder, begun by `runs.start`; where it has a checkpoint, training goes on after it.
        model: what is trained.
        batches, steps_per_epoch, settings, accelerator, weights, groups: as `training.loop.fit` takes them.
        predict_dev: the model -> (utterances, classes) probabilities of dev.
        dev_targets: (utterances,) class numbers.
        on_epoch: called after each epoch, for showing it.
        save_beside: writes into the model's folder what belongs to it, such as a tokenizer.

    Returns:
        `epochs` and `best_epoch`.
    """
    from torch.utils.tensorboard import SummaryWriter

    def evaluate(current: torch.nn.Module) -> DevScores:
        return dev_scores(predict_dev(current), dev_targets)

    state = checkpoint.read(run / runs.CHECKPOINT)
    done = dict(state["progress"]) if state else {"epoch": 0, "best_epoch": 0}
    epochs = fit(model, batches, steps_per_epoch, evaluate, settings, accelerator, weights, state, groups)
    if not accelerator.is_main_process:
        for _ in epochs:
            pass  # the first process keeps the books
        return done
    with SummaryWriter(str(run / runs.TENSORBOARD), purge_step=done["epoch"] + 1) as board:
        for epoch in epochs:
            runs.append_log(run, epoch.as_log())
            for name, value in epoch.as_log().items():
                if name not in ("epoch", "best"):
                    board.add_scalar(name, value, epoch.number)
            if epoch.is_best:
                runs.write_model(run, partial(_save, epoch.model, save_beside))
            checkpoint.write(run / runs.CHECKPOINT, epoch.state)
            done = epoch.state["progress"]
            if on_epoch:
                on_epoch(epoch)
    return {"epochs": done["epoch"], "best_epoch": done["best_epoch"]}


def _save(model: Any, save_beside: Callable[[Path], Any] | None, folder: Path) -> None:
    model.save_pretrained(folder)
    if save_beside:
        save_beside(folder)


def complete(
    run: Path,
    about: Mapping[str, Any],
    ledger: Mapping[str, Any],
    found: Mapping[str, Predictions],
    train_labels: Any,
    baseline: Baseline,
) -> dict[str, Any]:
    """Write what completes a run: predictions, scores beside their baselines, the model card, and last `metrics.json`.

    Args:
        run: the run folder.
        about: `name`, `kind`, `model`, `parameters`, `epochs`, `best_epoch`.
        ledger: of the corpora that it was made of.
        found: the predictions of dev and of test; of a sweep's trial those of dev alone.
        train_labels: (utterances,) pandas Series of the labels that were trained on, for the majority class.
        baseline: the simple model's guesses.

    Returns:
        what `metrics.json` holds; nothing of it depends on when or how fast it was made.
    """
    scored = {}
    environment = runs.read_environment(run)
    sexes = genders(environment.get("data"))
    for split, predicted in found.items():
        predictions.write(predicted, run / "predictions" / f"{split}.parquet")
        simple = metrics.baseline_scores(predicted, baseline.guesses[split])
        scored[split] = metrics.score(predicted) | {
            "per_gender": metrics.per_gender(predicted, sexes),
            "baselines": {
                "majority": metrics.majority_baseline(train_labels, predicted),
                "simple": {**simple, "description": baseline.description},
            },
        }
    result = {**about, "labels": list(LABELS), "splits": scored}
    text = card.model_card(result, runs.read_settings(run), environment, ledger)
    write_text(run / runs.CARD, text)
    write_json(run / runs.METRICS, result)
    return result


def dev_scores(probabilities: numpy.ndarray, targets: numpy.ndarray) -> DevScores:
    """Score probabilities (utterances, classes) against targets (utterances,) as the loop wants it."""
    guesses = probabilities.argmax(axis=1)
    truth = numpy.clip(probabilities[numpy.arange(len(targets)), targets], metrics.SMALLEST_PROBABILITY, None)
    plain = metrics.plain_scores(targets, guesses)
    return DevScores(
        loss=float(-numpy.log(truth).mean()),
        uar=plain["uar"],
        accuracy=plain["accuracy"],
        weighted_f1=plain["weighted_f1"],
        num_classes_predicted=len(numpy.unique(guesses)),
    )


EFFECTIVE_BETA = 0.999  # of the effective number (1 - beta^n) / (1 - beta): beyond a few thousand, more adds little


def class_weights(targets: numpy.ndarray, balancing: str) -> torch.Tensor | None:
    """(classes,) weights of the loss for `training.class_weights`, mean 1 over the training utterances; 1 for absent classes.

    None where the loss is not weighted.
    """
    if balancing in ("none", "sampler"):
        return None
    counts = numpy.bincount(targets, minlength=NUM_LABELS)
    size = counts if balancing == "inverse" else (1 - EFFECTIVE_BETA**counts) / (1 - EFFECTIVE_BETA)
    weights = numpy.where(counts > 0, 1 / numpy.maximum(size, 1), 0)
    weights = weights * len(targets) / (weights * counts).sum()
    return torch.tensor(numpy.where(counts > 0, weights, 1.0), dtype=torch.float32)
