"""Objectives: the loss that the loop minimises, handed to it as an argument."""

from typing import Protocol

import torch
from torch import Tensor, nn

Batch = dict[str, Tensor]
"""Tensors whose first dimension is the utterance: the model's keyword arguments, and what the objective takes out."""


class Objective(Protocol):
    """The loss of a batch."""

    def to(self, device: torch.device) -> "Objective":
        """The same objective with its own tensors on a device."""
        ...

    def __call__(self, model: nn.Module, batch: Batch) -> Tensor:
        """Run the model on a batch and return its loss, a scalar: the mean over the utterances."""
        ...


class CrossEntropy:
    """Cross-entropy of `logits` (utterances, classes) with soft targets.

    Args:
        label_smoothing: share of each target that is spread over all classes.
        class_weights: (classes,) weights of the classes in the loss; None weighs all alike.
    """

    def __init__(self, label_smoothing: float = 0.0, class_weights: Tensor | None = None) -> None:
        self.label_smoothing, self.class_weights = label_smoothing, class_weights

    def to(self, device: torch.device) -> "CrossEntropy":
        """The same objective with its weights on a device."""
        weights = None if self.class_weights is None else self.class_weights.to(device)
        return CrossEntropy(self.label_smoothing, weights)

    def __call__(self, model: nn.Module, batch: Batch) -> Tensor:
        """The loss of a batch with `targets` (utterances, classes), the share of each class in each utterance.

        The model returns an object with `logits`. The loss is computed in float32 whatever the precision of the forward pass.
        """
        inputs = {name: tensor for name, tensor in batch.items() if name != "targets"}
        logits: Tensor = model(**inputs).logits
        return nn.functional.cross_entropy(
            logits.float(), batch["targets"], weight=self.class_weights, label_smoothing=self.label_smoothing
        )
