"""Layer-wise learning rates: the lower layers of a pretrained encoder are general, so they are changed least."""

import re
from collections.abc import Callable
from typing import Any

import torch


def scaled_groups(model: torch.nn.Module, scale: Callable[[str], float], weight_decay: float) -> list[dict[str, Any]]:
    """The optimiser's parameter groups, each with its factor of the learning rate.

    Args:
        model: the model; its frozen parameters are in no group.
        scale: parameter name -> factor of the learning rate.
        weight_decay: of matrices and kernels; biases and normalisation layers (one dimension) have none.
    """
    groups: dict[tuple[float, bool], list[torch.Tensor]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((scale(name), parameter.ndim > 1), []).append(parameter)
    return [
        {"params": parameters, "weight_decay": weight_decay if decays else 0.0, "lr_scale": factor}
        for (factor, decays), parameters in groups.items()
    ]


def depth(name: str, num_layers: int, layer_pattern: str, below_pattern: str) -> int:
    """The height of a parameter: 0 below the first layer, 1 in it, `num_layers + 1` above the last layer.

    Args:
        name: of the parameter, such as `bert.encoder.layer.3.attention…`.
        num_layers: the number of layers.
        layer_pattern: matches the names of parameters in layers; its first group is the number of the layer, from 0.
        below_pattern: matches the names of parameters below the first layer.
    """
    if layer := re.search(layer_pattern, name):
        return int(layer[1]) + 1
    return 0 if re.search(below_pattern, name) else num_layers + 1
