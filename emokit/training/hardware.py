"""Device, precision and processes of a training, combined in an Accelerator."""

import os

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from emokit.errors import UsageError
from emokit.runtime import PRECISIONS, choose_device, keep_memory

OF_LAUNCHERS = ("WORLD_SIZE", "RANK", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_PORT")


def choose_precision(name: str, device: torch.device) -> str:
    """The precision of the forward pass; `auto` chooses bf16 where the hardware supports it, else fp16 on CUDA, else float32.

    Raises:
        UsageError: the name is unknown, or fp16 is asked for on a device other than CUDA.
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
    """An Accelerator for a device and precision; each process that `accelerate launch` started makes one.

    Args:
        device: as `choose_device` takes it.
        precision: as `choose_precision` takes it.
        compile: compile the model with torch.compile, which takes minutes once and makes long trainings faster.

    Raises:
        UsageError: as `choose_device` and `choose_precision`.
    """
    chosen = choose_device(device)
    mixed = choose_precision(precision, chosen).replace("float32", "no")
    if chosen.type == "cpu":
        keep_memory()
    # Accelerate stores the precision of the first Accelerator for the process; a second training may use another.
    AcceleratorState._reset_state(reset_partial_state=num_processes() == 1)
    return Accelerator(cpu=chosen.type == "cpu", mixed_precision=mixed, dynamo_backend="inductor" if compile else None)


def num_processes() -> int:
    """The number of processes that `accelerate launch` (or torchrun) started for this training.

    Raises:
        UsageError: one of the variables that these set is no number, or WORLD_SIZE is set without the others: the training would
            wait for processes that nothing started.
    """
    for name in OF_LAUNCHERS:
        if not os.environ.get(name, "0").isdecimal():
            raise UsageError(
                f"{name} is {os.environ[name]!r} where a number was expected, as `accelerate launch` sets it; unset it."
            )
    number = int(os.environ.get("WORLD_SIZE", "1"))
    missing = [name for name in ("RANK", "MASTER_ADDR", "MASTER_PORT") if not os.environ.get(name)]
    if number > 1 and missing:
        raise UsageError(
            f"WORLD_SIZE is {number} and {missing[0]} is not set, where `accelerate launch` sets both; unset WORLD_SIZE, or "
            f"start the training with `accelerate launch --num_processes {number} -m emokit`."
        )
    return number


def _cpu_multiplies_bf16() -> bool:
    """Whether this processor has instructions for bf16 (AVX512-BF16 or AMX); emulated, bf16 is slower than float32."""
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, check, bool)() for check in checks)
