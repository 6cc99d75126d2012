"""Out-of-memory errors: which errors are recognised, and the advice."""

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
def test_an_out_of_memory_error_becomes_a_sentence(error):
    with pytest.raises(MemoryFull) as caught, explained(lambda: "on dev; train less"):
        raise error
    assert str(caught.value) == "Out of memory on dev; train less."


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
def test_other_errors_pass(error):
    with pytest.raises(type(error)) as caught, explained(lambda: "on dev"):
        raise error
    assert caught.value is error


@pytest.mark.parametrize(
    ("size", "gradient_accumulation_steps", "advice"),
    [
        (
            32,
            1,
            "restart with --batch-size 16 --set training.gradient_accumulation_steps=2 (same effective batch size)",
        ),
        (
            12,
            2,
            "restart with --batch-size 6 --set training.gradient_accumulation_steps=4 (nearly the same effective batch size)",
        ),
        (3, 1, SMALLER_MODEL),
    ],
)
def test_half_the_batch_that_did_not_fit_is_advised(size, gradient_accumulation_steps, advice):
    assert (
        smaller_batches(size, TrainingSettings(batch_size=32, gradient_accumulation_steps=gradient_accumulation_steps))
        == advice
    )
