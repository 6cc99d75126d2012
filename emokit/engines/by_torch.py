"""The engine that computes with torch, on any device."""

from typing import Any

import numpy
import torch

from emokit.engines.protocol import Engine, Inputs

# Measured (bench/engines.py): on a CPU, larger batches leave the processor's cache; a GPU wants many windows at once.
BATCH_ON_CPU, BATCH_ON_GPU = 16, 64


class TorchEngine(Engine):
    """A model in evaluation mode that returns an object with `logits`."""

    def __init__(self, model: Any, device: torch.device) -> None:
        """Take the model and the device that it is on."""
        self.model, self.device = model, device
        self.batch_windows = BATCH_ON_CPU if device.type == "cpu" else BATCH_ON_GPU

    def __call__(self, inputs: Inputs) -> numpy.ndarray:
        """As `Engine.__call__`."""
        with torch.inference_mode():
            batch = {name: torch.from_numpy(values).to(self.device) for name, values in inputs.items()}
            logits: numpy.ndarray = self.model(**batch).logits.float().cpu().numpy()
        return logits
