"""A full memory, said in a sentence that tells what to try."""

import contextlib
import re
from collections.abc import Callable, Iterator

import torch

from emokit.errors import MemoryFull
from emokit.training.settings import TrainingSettings

# torch says most of it as RuntimeError: of the processor's memory, of Apple's GPUs, of CUDA's libraries.
FULL = re.compile(r"out of memory|can't allocate memory|not enough memory|_ALLOC_FAILED", re.IGNORECASE)

SMALLER_MODEL = "train a smaller model, or one with shorter windows"


@contextlib.contextmanager
def explained(what: Callable[[], str]) -> Iterator[None]:
    """Turn a full memory into MemoryFull; `what` says with what it is full and what to do. Other errors are let through."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not isinstance(error, (torch.OutOfMemoryError, MemoryError)) and not FULL.search(str(error)):
            raise
        raise MemoryFull(f"The memory is full with {what()}.") from error


def smaller_batches(size: int, settings: TrainingSettings) -> str:
    """The advice where a batch of `size` utterances did not fit; it may be fewer than were asked for, if they are long."""
    if size < 4:
        return SMALLER_MODEL
    same = "the same" if size == settings.batch_size and size % 2 == 0 else "nearly the same"
    return (
        f"start anew with --batch-size {size // 2} --set "
        f"training.gradient_accumulation_steps={2 * settings.gradient_accumulation_steps}, "
        f"which takes {same} steps"
    )
