"""Layer-wise learning rates: what lies low in a pretrained encoder is general, and is changed least."""

import re
from collections.abc import Callable
from typing import Any

import torch


def scaled_groups(model: torch.nn.Module, scale: Callable[[str], float], weight_decay: float) -> list[dict[str, Any]]:
    """The optimiser's parameter groups with a learning rate for each part of the model.

    Args:
        model: what is trained; parameters that are not trained are left out.
        scale: a parameter's name -> what the learning rate is multiplied by for it.
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


def depth(name: str, num_layers: int, numbered: str, lowest: str) -> int:
    """How high a parameter lies: 1 in the first layer, 0 below it, one more than in the last layer above that.

    Args:
        name: of the parameter, such as `bert.encoder.layer.3.attention…`.
        num_layers: how many layers there are.
        numbered: what the name of a layer's parameter matches, the layer's number in the first group.
        lowest: what the name of a parameter below the first layer matches.
    """
    if layer := re.search(numbered, name):
        return int(layer[1]) + 1
    return 0 if re.search(lowest, name) else num_layers + 1
