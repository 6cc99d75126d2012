"""Layer-wise learning rates of a text encoder."""

import re
from typing import Any

import torch

from emokit.text.settings import TextTrainingSettings
from emokit.training.layer_decay import depth, scaled_groups

LAYER, LOWEST = r"\.(\d+)\.", "embed"


def layer_groups(model: torch.nn.Module, settings: TextTrainingSettings) -> list[dict[str, Any]] | None:
    """The optimiser's parameter groups with `layer_decay`: each layer has a lower learning rate than the one above it.

    A layer is identified by the first number in its parameters' names, as in `bert.encoder.layer.3.attention…`. Embeddings are
    below the first layer, everything else is above the last. None where all layers have the same rate.
    """
    if settings.layer_decay == 1:
        return None
    numbers = [int(match[1]) for name, _ in model.named_parameters() if (match := re.search(LAYER, name))]
    num_layers = max(numbers, default=-1) + 1

    def scale(name: str) -> float:
        return settings.layer_decay ** (num_layers + 1 - depth(name, num_layers, LAYER, LOWEST))

    return scaled_groups(model, scale, settings.weight_decay)
