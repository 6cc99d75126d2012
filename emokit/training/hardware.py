"""Device, precision and processes of a training, put into one Accelerator."""

import os

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from emokit.errors import UsageError
from emokit.runtime import choose_device, keep_memory

PRECISIONS = ("auto", "float32", "bf16", "fp16")


def choose_precision(name: str, device: torch.device) -> str:
    """What the forward pass computes in: bf16 where the device is made for it, else fp16 on CUDA, else float32.

    Raises:
        UsageError: the name is unknown, or fp16 is asked for elsewhere than on CUDA.
    """
    if name not in PRECISIONS:
        raise UsageError(f"--precision {name} is unknown; choose one of {', '.join(PRECISIONS)}.")
    if name == "fp16" and device.type != "cuda":
        raise UsageError(
            f"--precision fp16 was asked for and needs CUDA, but the device is {device}; use --precision auto."
        )
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    return "bf16" if device.type == "cpu" and _cpu_multiplies_bf16() else "float32"


def new_accelerator(device: str, precision: str, *, compile: bool = False) -> Accelerator:
    """An Accelerator for the device and precision named, in each of the processes that `accelerate launch` started.

    Args:
        device: as `choose_device` takes it.
        precision: as `choose_precision` takes it.
        compile: have torch compile what it trains, which takes minutes once and pays in long trainings.

    Raises:
        UsageError: as `choose_device` and `choose_precision`, or there is nothing to compile with.
    """
    chosen = choose_device(device)
    mixed = choose_precision(precision, chosen).replace("float32", "no")
    if chosen.type == "cpu":
        keep_memory()
    # Accelerate keeps the first Accelerator's precision for the whole process; a second training may want another.
    AcceleratorState._reset_state(reset_partial_state=num_processes() == 1)
    return Accelerator(cpu=chosen.type == "cpu", mixed_precision=mixed, dynamo_backend="inductor" if compile else None)


def num_processes() -> int:
    """How many processes `accelerate launch` (or torchrun) has started for this training."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def _cpu_multiplies_bf16() -> bool:
    """Whether this processor has instructions for bf16 (AVX512-BF16 or AMX); emulated, bf16 is slower than float32."""
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, check, bool)() for check in checks)
