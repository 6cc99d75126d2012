"""The machine: the device to compute on, seeds, and whether the installed packages are compatible."""

import contextlib
import os
import random
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from emokit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import torch

# Every command imports this module, so the standard library's larger modules are imported where they are used.
VERSION = "0.1.0"

PRECISIONS = ("auto", "float32", "bf16", "fp16")
DEVICES = ("auto", "cuda", "mps", "cpu")
MATCHING_TORCH = "torch==2.12.1 torchaudio==2.11.0"
MOST_WORKERS = 1024
# Variables that transformers and huggingface_hub read when they are imported.
QUIET = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "TRANSFORMERS_VERBOSITY": "error"}
CACHE = "EMOKIT_CACHE"
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's malloc.h


def choose_device(name: str = "auto") -> "torch.device":
    """The device to compute on; `auto` chooses CUDA, else MPS, else the CPU.

    Of several GPUs the first is used; the environment variable CUDA_VISIBLE_DEVICES decides which one that is.

    Raises:
        UsageError: the device is unknown or not on this machine.
    """
    import torch

    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(kind for kind, is_present in present.items() if is_present)
    if name not in present:
        raise UsageError(f"--device {name} is unknown; choose one of {', '.join(DEVICES)}.")
    if not present[name]:
        available = ", ".join(kind for kind, is_present in present.items() if is_present)
        raise UsageError(f"--device {name} was asked for and this machine has only {available}; use --device auto.")
    return torch.device(name)


def keep_memory() -> None:
    """Make glibc keep the large blocks that a training step frees, for the next step; other C libraries are left alone.

    By default glibc returns them to the system and requests them again, at the cost of a fault per page (measured:
    experiments/LOG.md). The price: the process never shrinks below its peak memory.
    https://man7.org/linux/man-pages/man3/mallopt.3.html
    """
    if sys.platform != "linux":
        return
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch on every device, and make cuDNN choose the same algorithms each time."""
    import numpy
    import torch

    random.seed(seed)
    numpy.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def quiet_libraries() -> None:
    """Silence the progress bars and advice of transformers here and in workers: only the console of emokit prints.

    It is not imported for that: few commands need it. What the user has set in the environment is not changed.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if "transformers" in sys.modules:
        from transformers.utils import logging

        logging.disable_progress_bar()
        logging.set_verbosity_error()


@contextlib.contextmanager
def quietened() -> "Iterator[None]":
    """Silence the progress bars and advice of transformers inside of the block; afterwards they are as before."""
    from transformers.utils import logging

    has_bars, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if has_bars:
            logging.enable_progress_bar()


def derived_seed(seed: int, *parts: int) -> int:
    """A seed for a part of the work, such as an epoch, that depends only on the run's seed and the numbers of the part.

    Resumed work draws the same random numbers as work that was not interrupted.
    """
    import numpy

    return int(numpy.random.SeedSequence([seed, *parts]).generate_state(1, dtype=numpy.uint32)[0])


def num_processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def check_workers(workers: int | None) -> None:
    """Refuse fewer than one worker and more than a machine can start; None is accepted and means the default number.

    Raises:
        UsageError: there are too few or too many.
    """
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int)):
        raise UsageError(f"--workers {workers!r} is no whole number; give one from 1 to {MOST_WORKERS}.")
    if workers is not None and not 1 <= workers <= MOST_WORKERS:
        raise UsageError(
            f"--workers {workers} was given where 1 to {MOST_WORKERS} was expected; name one of these numbers, or leave it out."
        )


def end_with_parent(grace_seconds: float = 0.0) -> None:
    """End this process when its parent process ends, even when the parent was killed.

    Args:
        grace_seconds: time between SIGTERM and the exit, for clean-up; 0 exits at once.
    """

    import multiprocessing

    def wait() -> None:
        parent = multiprocessing.parent_process()
        if parent is None:
            return
        parent.join()
        if grace_seconds:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(grace_seconds)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def mismatch(torch_version: str | None, torchaudio_version: str | None) -> str | None:
    """What is wrong with an installed pair of torch and torchaudio, and what to install; None where they are compatible.

    torchaudio 2.11.0 of the default registry (its CUDA build is for CUDA 13.0) loads with torch 2.11 to 2.13 of the same
    registry. Its import fails with torch 2.14 or later, with a torch for another CUDA and with a CPU-only torch; `import
    transformers` then fails too.
    """
    if torch_version is None:
        return f"torch is not installed; install {MATCHING_TORCH}."
    if torchaudio_version is None:
        return f"torchaudio is not installed; install {MATCHING_TORCH}."
    release, _, build = torch_version.partition("+")
    same_build = (build or "cu130") == (torchaudio_version.partition("+")[2] or "cu130")
    if build == "cpu" and not same_build:
        wrong = f"torch {torch_version} is a CPU-only build, which torchaudio {torchaudio_version} cannot load"
        return f"{wrong}; install {MATCHING_TORCH}."
    is_supported = (2, 12) <= tuple(map(int, release.split(".")[:2])) < (2, 14)
    if not is_supported or not same_build or not torchaudio_version.startswith("2.11."):
        pair = f"torch {torch_version} and torchaudio {torchaudio_version}"
        return f"{pair} do not fit together; install {MATCHING_TORCH}."
    return None


def cache_folder() -> "Path":
    """The folder of files that emokit keeps for later: `EMOKIT_CACHE`, else `emokit` in the user's cache folder."""
    from pathlib import Path

    given = os.environ.get(CACHE)
    if given:
        return Path(given).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser().absolute() / "emokit"


def installed(package: str) -> str | None:
    """The version of an installed package, without importing it; None where it is not installed."""
    import importlib.metadata

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def git_revision() -> str | None:
    """The revision of emokit's checkout, with a plus where files were changed; None for an installed emokit."""
    import subprocess
    from pathlib import Path

    checkout = Path(__file__).resolve().parent.parent
    if not (checkout / ".git").exists():
        return None
    try:
        result = subprocess.run(
            ["git", "-C", str(checkout), "describe", "--always", "--dirty=+", "--abbrev=12"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip() or None
