"""Layer-wise learning rates: what lies low in a pretrained encoder is general, and is changed least."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from emokit.text.settings import TextTrainingSettings


def layer_groups(model: torch.nn.Module, recipe: TextTrainingSettings) -> list[dict[str, Any]] | None:
    """The optimiser's parameter groups with `layer_decay`: each layer learns slower than the one above it.

    A layer is known by the first number in its parameters' names, as in `bert.encoder.layer.3.attention…`; embeddings lie
    below the first layer, everything else above the last. None where all learn alike.
    """
    if recipe.layer_decay == 1:
        return None
    named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    depths = dict(_depths([name for name, _ in named]))
    top = max(depths.values())
    groups: dict[tuple[int, bool], list[torch.Tensor]] = {}
    for name, parameter in named:
        groups.setdefault((depths[name], parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "weight_decay": recipe.weight_decay if decays else 0.0,
            "lr_scale": recipe.layer_decay ** (top - depth),
        }
        for (depth, decays), parameters in groups.items()
    ]


def _depths(names: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Each name with its depth: 0 for embeddings, 1 for the first layer, one more than the last layer for the rest."""
    layers = {name: int(found[1]) for name in names if (found := re.search(r"\.(\d+)\.", name))}
    top = max(layers.values(), default=-1) + 2
    for name in names:
        yield name, layers[name] + 1 if name in layers else (0 if "embed" in name else top)
