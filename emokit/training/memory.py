"""Out-of-memory errors as a sentence with advice."""

import contextlib
from collections.abc import Callable, Iterator

from emokit.errors import MemoryFull, is_memory_full
from emokit.training.settings import TrainingSettings

ANYWHERE = "while the run was trained or scored; free memory and add --resume, or train a smaller model"
SMALLER_MODEL = "train a smaller model, or one with shorter windows"


@contextlib.contextmanager
def explained(what: Callable[[], str]) -> Iterator[None]:
    """Turn an out-of-memory error into MemoryFull; `what` returns where it happened and the advice. Other errors pass."""
    try:
        yield
    except Exception as error:
        if not is_memory_full(error):
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
