"""The learning rate of each step, the weight decay of each parameter, and the moving average of the weights."""

import math
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from emokit.training.settings import TrainingSettings


def learning_rate(step: int, total_steps: int, settings: TrainingSettings) -> float:
    """The learning rate of a step counted from 0: a linear rise, then the schedule."""
    warmup_steps = settings.warmup_ratio * total_steps
    if step < warmup_steps:
        return settings.lr * (step + 1) / (warmup_steps + 1)
    if settings.schedule in ("constant", "plateau"):
        return settings.lr
    progress = min(1.0, (step - warmup_steps) / max(1.0, total_steps - warmup_steps))
    if settings.schedule == "linear":
        return settings.lr * (1 - progress)
    return settings.lr * 0.5 * (1 + math.cos(math.pi * progress))


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """The optimiser's parameter groups: matrices and kernels with weight decay, biases and normalisation layers without."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [parameter for parameter in trained if parameter.ndim > 1], "weight_decay": weight_decay},
        {"params": [parameter for parameter in trained if parameter.ndim <= 1], "weight_decay": 0.0},
    ]


def averaged_model(model: nn.Module, ema_decay: float | None) -> AveragedModel | None:
    """A copy of the model that holds the exponential moving average of its weights and buffers; None without a decay.

    The decay rises to its final value as in TensorFlow's ExponentialMovingAverage: min(decay, (1 + n) / (10 + n)) at step n, so
    that the random weights of the start do not stay in the average.
    """
    if ema_decay is None:
        return None
    final_decay = ema_decay

    @torch.no_grad()
    def update(averages: Any, currents: Any, num_averaged: Any) -> None:
        steps = int(num_averaged)
        decay = min(final_decay, (1 + steps) / (10 + steps))
        for average, current in zip(averages, currents, strict=True):
            if average.is_floating_point():
                average.lerp_(current, 1 - decay)
            else:
                average.copy_(current)

    return AveragedModel(model, multi_avg_fn=update, use_buffers=True)
