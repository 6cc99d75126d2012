"""Which learning rate each layer of a text encoder has."""

import re
from typing import Any

import torch

from emokit.text.settings import TextTrainingSettings
from emokit.training.layer_decay import depth, scaled_groups

LAYER, LOWEST = r"\.(\d+)\.", "embed"


def layer_groups(model: torch.nn.Module, recipe: TextTrainingSettings) -> list[dict[str, Any]] | None:
    """The optimiser's parameter groups with `layer_decay`: each layer learns slower than the one above it.

    A layer is known by the first number in its parameters' names, as in `bert.encoder.layer.3.attention…`; embeddings lie
    below the first layer, everything else above the last. None where all learn alike.
    """
    if recipe.layer_decay == 1:
        return None
    numbers = [int(found[1]) for name, _ in model.named_parameters() if (found := re.search(LAYER, name))]
    num_layers = max(numbers, default=-1) + 1

    def scale(name: str) -> float:
        return recipe.layer_decay ** (num_layers + 1 - depth(name, num_layers, LAYER, LOWEST))

    return scaled_groups(model, scale, recipe.weight_decay)
