"""The one training loop, in plain sight: a generator that yields an epoch at a time.

Whoever reads it prints, saves and prunes; pruning is not asking for the next epoch. It knows nothing of sound or text: batches
are keyword arguments of the model and their soft targets, and `evaluate` says how the model does on dev.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn
from torch.optim.swa_utils import AveragedModel

from emokit.errors import Collapsed
from emokit.runtime import derived_seed, seed_everything
from emokit.training.memory import SMALLER_MODEL, explained, smaller_batches
from emokit.training.processes import from_first, own_share, share_batch_norms
from emokit.training.settings import TrainingSettings

SMALLEST_FALL = 1e-4  # of the dev loss, as a share, to count as learning: what torch's own plateau schedule asks for
CHECK_EVERY = 50  # batches between looks at whether the loss still is a number

Batch = dict[str, torch.Tensor]
"""The model's keyword arguments, and `targets` (utterances, classes): the share of each class in each utterance."""


@dataclass(frozen=True)
class DevScores:
    """How the model does on dev after an epoch."""

    loss: float
    """Mean negative log-likelihood, in nats."""
    uar: float
    accuracy: float
    weighted_f1: float
    num_classes_predicted: int
    """How many of the classes were predicted at least once."""


@dataclass
class Progress:
    """Where the loop stands between two epochs, apart from weights and optimiser."""

    epoch: int = 0
    best_epoch: int = 0
    best_uar: float = -1.0
    best_loss: float = math.inf
    one_class_epochs: int = 0
    lowest_loss: float = math.inf
    stalled_epochs: int = 0
    plateau_factor: float = 1.0

    def take(self, scores: DevScores, settings: TrainingSettings) -> bool:
        """Enter an epoch's scores; returns whether to keep it: the best so far (UAR first, then loss), or the last so far."""
        best = settings.keep == "last" or (scores.uar, -scores.loss) > (self.best_uar, -self.best_loss)
        if best:
            self.best_epoch, self.best_uar, self.best_loss = self.epoch, scores.uar, scores.loss
        # While the learning rate rises, one class only is no sign of collapse yet; nor is it while the loss still falls, as it
        # does for many epochs where an epoch is a few batches.
        is_warm, falls = self.epoch > settings.warmup_share * settings.max_epochs, scores.loss < self.lowest_loss
        learns = scores.loss < self.lowest_loss * (1 - SMALLEST_FALL)
        is_stuck = is_warm and not learns and scores.num_classes_predicted <= 1
        self.one_class_epochs = self.one_class_epochs + 1 if is_stuck else 0
        if falls:
            self.lowest_loss, self.stalled_epochs = scores.loss, 0
        else:
            self.stalled_epochs += 1
        if settings.schedule == "plateau" and self.stalled_epochs >= settings.plateau_patience:
            self.plateau_factor, self.stalled_epochs = self.plateau_factor / 2, 0
        return best

    def is_over(self, settings: TrainingSettings) -> bool:
        """Whether the last epoch was reached, or the patience has run out."""
        patience = settings.patience
        waited = self.epoch - self.best_epoch
        return self.epoch >= settings.max_epochs or (patience is not None and self.epoch > 0 and waited >= patience)


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to."""

    number: int
    train_loss: float
    dev: DevScores
    learning_rate: float
    """At the epoch's last step."""
    seconds: float
    is_best: bool
    model: nn.Module = field(repr=False)
    """What was scored on dev and is worth keeping: the averaged weights where they are averaged."""
    state: dict[str, Any] = field(repr=False)
    """Everything needed to go on after this epoch: plain values and tensors."""

    def as_log(self) -> dict[str, Any]:
        """The epoch's line in `log.jsonl`."""
        return {
            "epoch": self.number,
            "train_loss": self.train_loss,
            "dev_loss": self.dev.loss,
            "dev_uar": self.dev.uar,
            "dev_accuracy": self.dev.accuracy,
            "dev_weighted_f1": self.dev.weighted_f1,
            "dev_num_classes_predicted": self.dev.num_classes_predicted,
            "learning_rate": self.learning_rate,
            "seconds": round(self.seconds, 3),
            "best": self.is_best,
        }


def fit(
    model: nn.Module,
    batches: Callable[[int], Iterable[Batch]],
    steps_per_epoch: int,
    evaluate: Callable[[nn.Module], DevScores],
    settings: TrainingSettings,
    accelerator: Accelerator,
    class_weights: torch.Tensor | None = None,
    state: dict[str, Any] | None = None,
    groups: list[dict[str, Any]] | None = None,
) -> Iterator[Epoch]:
    """Train, yielding after each epoch.

    Args:
        model: returns an object with `logits` (utterances, classes).
        batches: epoch number, from 1 -> that epoch's batches; the same number gives the same batches.
        steps_per_epoch: how many batches an epoch has.
        evaluate: scores the model on dev.
        settings: the recipe.
        accelerator: device, precision and processes.
        class_weights: (classes,) weights of the loss, or None.
        state: of the epoch to go on after; None starts anew.
        groups: the optimiser's parameter groups, whose `lr_scale` multiplies the learning rate; by default as
            `parameter_groups` makes them.

    Raises:
        MemoryFull: a batch did not fit; the sentence names the batch size to try.
        Collapsed: the loss is not a number, or dev predictions were of one class for `collapse_patience` epochs.
    """
    optimizer = torch.optim.AdamW(groups or parameter_groups(model, settings.weight_decay), lr=settings.lr)
    progress = Progress()
    if state is not None:
        model.load_state_dict(state["model"])
    if accelerator.num_processes > 1:
        share_batch_norms(model)
    wrapped, optimizer = accelerator.prepare(model, optimizer)
    # Precision is chosen below, where the loss is made; evaluation stays in float32, as prediction from the run will be.
    model = accelerator.unwrap_model(wrapped, keep_fp32_wrapper=False, keep_torch_compile=False)
    average = _averaged(model, settings)
    if state is not None:
        optimizer.load_state_dict(state["optimizer"])
        progress = Progress(**state["progress"])
        if average is not None:
            average.load_state_dict(state["average"])
        if accelerator.scaler is not None:
            accelerator.scaler.load_state_dict(state["scaler"])
    weights = None if class_weights is None else class_weights.to(accelerator.device)
    total_steps = settings.max_epochs * steps_per_epoch
    while not progress.is_over(settings):
        progress.epoch += 1
        started = time.perf_counter()
        # Each epoch has a seed of its own, so that one that is done again after a kill is the one it would have been.
        others = [accelerator.process_index] if accelerator.process_index else []  # dropout differs between processes
        seed_everything(derived_seed(settings.seed, progress.epoch, *others))
        wrapped.train()
        loss_sum, num_steps, rate = torch.zeros((), device=accelerator.device), 0, 0.0
        first_step = (progress.epoch - 1) * steps_per_epoch
        size = settings.batch_size
        # Asked when a batch did not fit: `size` is that batch's.
        with explained(lambda: f"a batch of {size}; {smaller_batches(size, settings)}"):  # noqa: B023
            for number, batch in enumerate(batches(progress.epoch), start=1):
                size = len(batch["targets"])
                rate = learning_rate(first_step + number - 1, total_steps, settings) * progress.plateau_factor
                for group in optimizer.param_groups:
                    group["lr"] = rate * group.get("lr_scale", 1.0)
                batch, share = own_share(batch, accelerator)
                batch = {name: tensor.to(accelerator.device, non_blocking=True) for name, tensor in batch.items()}
                targets = batch.pop("targets")
                with accelerator.autocast():
                    logits = wrapped(**batch).logits
                loss = nn.functional.cross_entropy(
                    logits.float(), targets, weight=weights, label_smoothing=settings.label_smoothing
                )
                # The last batches of an epoch may be fewer than are accumulated elsewhere.
                first = (number - 1) // settings.accumulation * settings.accumulation
                together = min(settings.accumulation, steps_per_epoch - first)
                accelerator.backward(loss * share / together)
                loss_sum += (
                    loss.detach() * share
                )  # stays on the device: reading it would make the processor wait at each step
                num_steps = number
                if number % CHECK_EVERY == 0:
                    _check_finite(float(accelerator.reduce(loss_sum.clone(), "mean")), progress.epoch, settings)
                if number % settings.accumulation and number != steps_per_epoch:
                    continue
                if settings.clip_norm is not None:
                    accelerator.clip_grad_norm_(wrapped.parameters(), settings.clip_norm)
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
                if average is not None:
                    average.update_parameters(model)
        train_loss = float(accelerator.reduce(loss_sum, "mean")) / max(1, num_steps)
        _check_finite(train_loss, progress.epoch, settings)
        kept = model if average is None else average.module
        kept.eval()
        with torch.inference_mode(), explained(lambda: f"dev; {SMALLER_MODEL}"):
            scores = from_first(partial(evaluate, kept), accelerator)
        _check_finite(scores.loss, progress.epoch, settings)
        is_best = progress.take(scores, settings)
        if progress.one_class_epochs >= settings.collapse_patience:
            raise Collapsed(
                f"The training collapsed: for {progress.one_class_epochs} epochs every dev utterance got the same label "
                "and the dev loss did not fall; "
                f"lower the learning rate (training.lr is {settings.lr:g}) or raise training.warmup_share."
            )
        state = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "progress": vars(progress).copy(),
            **({} if average is None else {"average": average.state_dict()}),
            **({} if accelerator.scaler is None else {"scaler": accelerator.scaler.state_dict()}),
        }
        seconds = time.perf_counter() - started
        yield Epoch(progress.epoch, train_loss, scores, rate, seconds, is_best, kept, state)


def learning_rate(step: int, total_steps: int, settings: TrainingSettings) -> float:
    """The learning rate of a step counted from 0: a linear rise, then the schedule."""
    warmup_steps = settings.warmup_share * total_steps
    if step < warmup_steps:
        return settings.lr * (step + 1) / (warmup_steps + 1)
    if settings.schedule in ("constant", "plateau"):
        return settings.lr
    done = min(1.0, (step - warmup_steps) / max(1.0, total_steps - warmup_steps))
    if settings.schedule == "linear":
        return settings.lr * (1 - done)
    return settings.lr * 0.5 * (1 + math.cos(math.pi * done))


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Matrices and kernels with weight decay; biases and normalisation layers (one dimension) without."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [parameter for parameter in trained if parameter.ndim > 1], "weight_decay": weight_decay},
        {"params": [parameter for parameter in trained if parameter.ndim <= 1], "weight_decay": 0.0},
    ]


def _averaged(model: nn.Module, settings: TrainingSettings) -> AveragedModel | None:
    """A copy that follows the weights, and batch normalisation's means, slowly; None where none is wanted.

    The decay rises to the one that is set as TensorFlow's ExponentialMovingAverage lets it: min(decay, (1 + n) / (10 + n)).
    """
    if settings.average_decay is None:
        return None
    highest = settings.average_decay

    @torch.no_grad()
    def follow(averages: Any, currents: Any, num_averaged: Any) -> None:
        # Slowly only when there is something to average: at first, an average would remember the random weights.
        steps = int(num_averaged)
        decay = min(highest, (1 + steps) / (10 + steps))
        for average, current in zip(averages, currents, strict=True):
            if average.is_floating_point():
                average.lerp_(current, 1 - decay)
            else:
                average.copy_(current)

    return AveragedModel(model, multi_avg_fn=follow, use_buffers=True)


def _check_finite(loss: float, epoch: int, settings: TrainingSettings) -> None:
    if not math.isfinite(loss):
        clip = "" if settings.clip_norm is not None else " or set training.clip_norm=1"
        raise Collapsed(
            f"The training collapsed: in epoch {epoch} the loss is not a number; "
            f"lower the learning rate (training.lr is {settings.lr:g}){clip}."
        )
