"""Models of emokit's own without transformers, whose import takes longer than a prediction.

Their folders are those that transformers writes and reads: `emokit.hf` registers the same models as its classes.
"""

from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn


class Output(NamedTuple):
    """What a model returns, as transformers names it."""

    logits: Tensor
    """(batch, classes)"""


class PlainConfig:
    """The content of a `config.json`: labels, and whatever else is given, as attributes.

    Attributes:
        id2label: target -> label.
        label2id: label -> target.
    """

    model_type: ClassVar[str]

    def __init__(
        self,
        id2label: dict[Any, str] | None = None,
        label2id: dict[str, int] | None = None,
        num_labels: int | None = None,
        **others: Any,
    ) -> None:
        """Take the labels, or invent names for `num_labels` (2 by default)."""
        names = id2label or {target: f"LABEL_{target}" for target in range(num_labels or 2)}
        self.id2label = {int(target): label for target, label in names.items()}
        self.label2id = label2id or {label: target for target, label in self.id2label.items()}
        vars(self).update(others)

    @property
    def num_labels(self) -> int:
        """Number of classes."""
        return len(self.id2label)


class PlainModel(nn.Module):
    """A model with a config; the base of those that prediction loads without transformers.

    A subclass states its `config_class` and defines `forward`, which returns an `Output`.
    """

    config_class: ClassVar[type[PlainConfig]]
    base_model_prefix: ClassVar[str]
    main_input_name: ClassVar[str]
    config: Any

    def __init__(self, config: Any) -> None:
        """Take the config; weights are those that torch draws."""
        self.start(config)

    def start(self, config: Any) -> None:
        """Initialise the base class and store the config; transformers' classes of these models start otherwise."""
        super().__init__()
        self.config = config

    @property
    def device(self) -> torch.device:
        """That the weights are on."""
        return next(self.parameters()).device

    def save_pretrained(self, folder: Path | str) -> None:
        """Write `config.json` and `model.safetensors` as transformers does."""
        from emokit.training.in_transformers import in_transformers

        in_transformers(self).save_pretrained(folder)
