"""Out-of-memory errors as a sentence with advice."""

import contextlib
import re
from collections.abc import Callable, Iterator

import torch

from emokit.errors import MemoryFull
from emokit.training.settings import TrainingSettings

# Most of these errors are a plain RuntimeError: of the CPU's memory, of Apple's GPUs, of the libraries of CUDA.
FULL = re.compile(r"out of memory|can't allocate memory|not enough memory|_ALLOC_FAILED", re.IGNORECASE)

SMALLER_MODEL = "train a smaller model, or one with shorter windows"


@contextlib.contextmanager
def explained(what: Callable[[], str]) -> Iterator[None]:
    """Turn an out-of-memory error into MemoryFull; `what` returns where it happened and the advice. Other errors pass."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not isinstance(error, (torch.OutOfMemoryError, MemoryError)) and not FULL.search(str(error)):
            raise
        raise MemoryFull(f"Out of memory {what()}.") from error


def smaller_batches(size: int, settings: TrainingSettings) -> str:
    """The advice for a batch of `size` utterances that did not fit; long utterances make batches smaller than the setting."""
    if size < 4:
        return SMALLER_MODEL
    same = "same" if size == settings.batch_size and size % 2 == 0 else "nearly the same"
    return (
        f"restart with --batch-size {size // 2} --set "
        f"training.gradient_accumulation_steps={2 * settings.gradient_accumulation_steps} "
        f"({same} effective batch size)"
    )
