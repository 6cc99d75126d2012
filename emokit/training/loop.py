"""The training loop: a generator that yields one epoch at a time.

The caller prints, saves and prunes; to prune, it stops reading. The loop is the same for every modality: the objective computes
the loss of a batch, and `evaluate` scores the model on dev.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from emokit.errors import Collapsed
from emokit.runtime import derived_seed, seed_everything
from emokit.training.checkpoint import load_trained, restoring, trained_state
from emokit.training.distributed import from_main_process, local_batch, share_batch_norms
from emokit.training.memory import SMALLER_MODEL, explained, smaller_batches
from emokit.training.objective import Batch, CrossEntropy, Objective
from emokit.training.schedule import averaged_model, learning_rate, parameter_groups
from emokit.training.settings import TrainingSettings

# Relative fall of the dev loss that counts as learning; the threshold of torch's plateau schedule.
MIN_IMPROVEMENT = 1e-4
CHECK_EVERY = 50  # batches between checks that the loss is a number


@dataclass(frozen=True)
class DevMetrics:
    """Scores of the model on dev after an epoch."""

    loss: float
    """Mean negative log-likelihood, in nats."""
    uar: float
    accuracy: float
    weighted_f1: float
    num_classes_predicted: int
    """Number of classes that were predicted at least once."""


@dataclass
class TrainingProgress:
    """The state of the loop between two epochs, without weights and optimiser."""

    epoch: int = 0
    best_epoch: int = 0
    best_uar: float = -1.0
    best_loss: float = math.inf
    one_class_epochs: int = 0
    lowest_loss: float = math.inf
    stalled_epochs: int = 0
    plateau_factor: float = 1.0

    @classmethod
    def restored(cls, values: Mapping[str, Any]) -> "TrainingProgress":
        """The state that a checkpoint holds; each value must be a number, as the field is."""
        return cls(**{name: type(default)(values[name]) for name, default in vars(cls()).items()})

    def update(self, metrics: DevMetrics, settings: TrainingSettings) -> bool:
        """Record an epoch's scores.

        Returns:
            whether this epoch's weights are to be saved: the best on dev so far (UAR, then loss), or the last so far.
        """
        best = settings.checkpoint == "last" or (metrics.uar, -metrics.loss) > (self.best_uar, -self.best_loss)
        if best:
            self.best_epoch, self.best_uar, self.best_loss = self.epoch, metrics.uar, metrics.loss
        # One predicted class is no sign of collapse during warm-up or while the loss falls: an epoch may be a few batches.
        is_warm, falls = self.epoch > settings.warmup_ratio * settings.max_epochs, metrics.loss < self.lowest_loss
        learns = metrics.loss < self.lowest_loss * (1 - MIN_IMPROVEMENT)
        is_stuck = is_warm and not learns and metrics.num_classes_predicted <= 1
        self.one_class_epochs = self.one_class_epochs + 1 if is_stuck else 0
        if falls:
            self.lowest_loss, self.stalled_epochs = metrics.loss, 0
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
    """The result of one epoch."""

    number: int
    train_loss: float
    dev: DevMetrics
    learning_rate: float
    """At the epoch's last step."""
    seconds: float
    is_best: bool
    model: nn.Module = field(repr=False)
    """The model that was scored on dev: with averaged weights where they are averaged."""
    state: dict[str, Any] = field(repr=False)
    """Everything needed to resume after this epoch: plain values and the tensors that are trained."""

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
    evaluate: Callable[[nn.Module], DevMetrics],
    settings: TrainingSettings,
    accelerator: Accelerator,
    objective: Objective | None = None,
    state: dict[str, Any] | None = None,
    groups: list[dict[str, Any]] | None = None,
) -> Iterator[Epoch]:
    """Train, yielding after each epoch.

    Args:
        model: the objective runs it.
        batches: epoch number, from 1 -> that epoch's batches; the same number gives the same batches.
        steps_per_epoch: number of batches per epoch.
        evaluate: scores the model on dev.
        settings: optimiser, schedule and stopping.
        accelerator: device, precision and processes.
        objective: the loss of a batch; cross-entropy with `settings.label_smoothing` by default.
        state: `Epoch.state` of the epoch to resume after; None starts from the beginning.
        groups: the optimiser's parameter groups, whose `lr_scale` multiplies the learning rate; `parameter_groups` by default.

    Raises:
        DataError: the state is not that of such a training.
        MemoryFull: a batch did not fit; the sentence names the batch size to try.
        Collapsed: the loss is not a number, or dev predictions were of one class for `collapse_patience` epochs.
    """
    optimizer = torch.optim.AdamW(groups or parameter_groups(model, settings.weight_decay), lr=settings.lr)
    progress = TrainingProgress()
    if state is not None:
        with restoring():
            load_trained(model, state["model"])
    if accelerator.num_processes > 1:
        share_batch_norms(model)
    wrapped, optimizer = accelerator.prepare(model, optimizer)
    # Precision applies to the forward pass of training only; evaluation stays in float32, as prediction from the run is.
    model = accelerator.unwrap_model(wrapped, keep_fp32_wrapper=False, keep_torch_compile=False)
    average = averaged_model(model, settings.ema_decay)
    if state is not None:
        with restoring():
            optimizer.load_state_dict(state["optimizer"])
            progress = TrainingProgress.restored(state["progress"])
            if average is not None:
                load_trained(average, state["average"])
            if accelerator.scaler is not None:
                accelerator.scaler.load_state_dict(state["scaler"])
    objective = (objective or CrossEntropy(settings.label_smoothing)).to(accelerator.device)
    total_steps = settings.max_epochs * steps_per_epoch
    accumulation = settings.gradient_accumulation_steps
    while not progress.is_over(settings):
        progress.epoch += 1
        started = time.perf_counter()
        # Each epoch has its own seed, so that an epoch repeated after a kill draws the same numbers.
        process = [accelerator.process_index] if accelerator.process_index else []  # dropout differs between processes
        seed_everything(derived_seed(settings.seed, progress.epoch, *process))
        wrapped.train()
        loss_sum, num_steps, rate = torch.zeros((), device=accelerator.device), 0, 0.0
        first_step = (progress.epoch - 1) * steps_per_epoch
        size = settings.batch_size
        # Called when a batch did not fit: `size` is that batch's.
        with explained(lambda: f"with a batch of {size}; {smaller_batches(size, settings)}"):  # noqa: B023
            for number, batch in enumerate(batches(progress.epoch), start=1):
                size = len(next(iter(batch.values())))
                rate = learning_rate(first_step + number - 1, total_steps, settings) * progress.plateau_factor
                for group in optimizer.param_groups:
                    group["lr"] = rate * group.get("lr_scale", 1.0)
                batch, weight = local_batch(batch, accelerator)
                batch = {name: tensor.to(accelerator.device, non_blocking=True) for name, tensor in batch.items()}
                with accelerator.autocast():
                    loss = objective(wrapped, batch)
                # The last step of an epoch may accumulate fewer batches than the others.
                first = (number - 1) // accumulation * accumulation
                together = min(accumulation, steps_per_epoch - first)
                accelerator.backward(loss * weight / together)
                loss_sum += loss.detach() * weight  # stays on the device: reading it would wait for each step
                num_steps = number
                if number % CHECK_EVERY == 0:
                    _check_finite(float(accelerator.reduce(loss_sum.clone(), "mean")), progress.epoch, settings)
                if number % accumulation and number != steps_per_epoch:
                    continue
                if settings.max_grad_norm is not None:
                    accelerator.clip_grad_norm_(wrapped.parameters(), settings.max_grad_norm)
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
                if average is not None:
                    average.update_parameters(model)
        train_loss = float(accelerator.reduce(loss_sum, "mean")) / max(1, num_steps)
        _check_finite(train_loss, progress.epoch, settings)
        scored = model if average is None else average.module
        scored.eval()
        with torch.inference_mode(), explained(lambda: f"on dev; {SMALLER_MODEL}"):
            metrics = from_main_process(partial(evaluate, scored), accelerator)
        _check_finite(metrics.loss, progress.epoch, settings)
        is_best = progress.update(metrics, settings)
        if progress.one_class_epochs >= settings.collapse_patience:
            raise Collapsed(
                f"The training collapsed: for {progress.one_class_epochs} epochs every dev utterance got the same label "
                "and the dev loss did not fall; "
                f"lower the learning rate (training.lr is {settings.lr:g}) or raise training.warmup_ratio."
            )
        state = {
            "model": trained_state(model),
            "optimizer": optimizer.state_dict(),
            "progress": vars(progress).copy(),
            **({} if average is None else {"average": trained_state(average)}),
            **({} if accelerator.scaler is None else {"scaler": accelerator.scaler.state_dict()}),
        }
        seconds = time.perf_counter() - started
        yield Epoch(progress.epoch, train_loss, metrics, rate, seconds, is_best, scored, state)


def _check_finite(loss: float, epoch: int, settings: TrainingSettings) -> None:
    if not math.isfinite(loss):
        clip = "" if settings.max_grad_norm is not None else " or set training.max_grad_norm=1"
        raise Collapsed(
            f"The training collapsed: in epoch {epoch} the loss is not a number; "
            f"lower the learning rate (training.lr is {settings.lr:g}){clip}."
        )
