"""A full memory: which errors say it, and what is advised."""

import pytest
import torch

from emokit.errors import MemoryFull
from emokit.training.memory import SMALLER_MODEL, explained, smaller_batches
from emokit.training.settings import TrainingSettings


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
    ids=str,
)
def test_a_full_memory_is_told_in_words(error):
    with pytest.raises(MemoryFull) as seen, explained(lambda: "dev; buy less"):
        raise error
    assert str(seen.value) == "The memory is full with dev; buy less."


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        RecursionError("maximum recursion depth exceeded"),
        ValueError("out of memory"),
    ],
    ids=str,
)
def test_other_errors_are_let_through(error):
    with pytest.raises(type(error)) as seen, explained(lambda: "dev"):
        raise error
    assert seen.value is error


@pytest.mark.parametrize(
    ("size", "gradient_accumulation_steps", "advice"),
    [
        (
            32,
            1,
            "start anew with --batch-size 16 --set training.gradient_accumulation_steps=2, which takes the same steps",
        ),
        (
            12,
            2,
            "start anew with --batch-size 6 --set training.gradient_accumulation_steps=4, which takes nearly the same steps",
        ),
        (3, 1, SMALLER_MODEL),
    ],
)
def test_half_the_batch_that_did_not_fit_is_advised(size, gradient_accumulation_steps, advice):
    assert (
        smaller_batches(size, TrainingSettings(batch_size=32, gradient_accumulation_steps=gradient_accumulation_steps))
        == advice
    )
