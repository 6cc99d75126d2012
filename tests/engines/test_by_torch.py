"""The torch engine."""

import numpy
import pytest
import torch
from transformers.modeling_outputs import SequenceClassifierOutput

from emokit.engines.by_torch import TorchEngine


class Doubling(torch.nn.Module):
    def forward(self, inputs: torch.Tensor) -> SequenceClassifierOutput:
        return SequenceClassifierOutput(logits=(2 * inputs).to(torch.bfloat16))


def test_logits_are_float32_whatever_the_model_computes_in() -> None:
    logits = TorchEngine(Doubling(), torch.device("cpu"))({"inputs": numpy.ones((2, 3), numpy.float32)})

    assert logits.dtype == numpy.float32
    assert logits.tolist() == [[2, 2, 2]] * 2


@pytest.mark.parametrize(("device", "expected"), [("cpu", 16), ("cuda", 64), ("mps", 64)])
def test_a_gpu_takes_more_windows_at_once(device: str, expected: int) -> None:
    assert TorchEngine(Doubling(), torch.device(device)).batch_windows == expected
