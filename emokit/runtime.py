"""The machine: which device to compute on, how to be repeatable, whether the installed packages fit together."""

import ctypes
import importlib.metadata
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from emokit.errors import UsageError

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cuda", "mps", "cpu")
MATCHING_TORCH = "torch==2.12.1 torchaudio==2.11.0"
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's malloc.h


def choose_device(name: str = "auto") -> "torch.device":
    """The device to compute on: CUDA, else MPS, else the CPU, where `auto` is asked for.

    Of several GPUs it is the first; the environment variable CUDA_VISIBLE_DEVICES chooses which one that is.

    Raises:
        UsageError: the device named is unknown or not on this machine.
    """
    import torch

    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(kind for kind, there in present.items() if there)
    if name not in present:
        raise UsageError(f"--device {name} is unknown; choose one of {', '.join(DEVICES)}.")
    if not present[name]:
        there = ", ".join(kind for kind, is_there in present.items() if is_there)
        raise UsageError(f"--device {name} was asked for and this machine has only {there}; use --device auto.")
    return torch.device(name)


def keep_memory() -> None:
    """Have the C library keep the large blocks that a training step frees for the next step, where it is glibc.

    By default it hands them back to the system and asks for them anew, and each page of each costs a fault (measured:
    experiments/LOG.md). The price is that the process keeps, to its end, what it once needed at its peak.
    https://man7.org/linux/man-pages/man3/mallopt.3.html
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch on every device, and keep cuDNN from choosing its algorithms by their speed today."""
    import numpy
    import torch

    random.seed(seed)
    numpy.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def quiet_libraries() -> None:
    """Keep transformers' own progress bars and advice off the terminal: one place prints."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()


def derived_seed(seed: int, *parts: int) -> int:
    """A seed for one part of the work (an epoch, say) that depends on nothing but the run's seed and the part.

    Work that was interrupted goes on with the very numbers it would have had.
    """
    import numpy

    return int(numpy.random.SeedSequence([seed, *parts]).generate_state(1, dtype=numpy.uint32)[0])


def num_processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def check_workers(asked: int | None) -> None:
    """Refuse fewer than one worker; None leaves their number open.

    Raises:
        UsageError: says what was given.
    """
    if asked is not None and asked < 1:
        raise UsageError(f"--workers {asked} was given where 1 or more was expected.")


def end_with_parent(grace_seconds: float = 0.0) -> None:
    """Have this process end once the one that started it is gone, however that ended; else it would work for nobody.

    Args:
        grace_seconds: first it is asked to stop (SIGTERM) and has so long to put its things away.
    """

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
    """What is wrong with an installed pair of torch and torchaudio, and what to install; None where it fits.

    torchaudio 2.11.0 from the ordinary registry, which is built for CUDA 13.0 where there is CUDA, loads beside torch 2.11 to
    2.13 of the same registry. It refuses torch 2.14 and later or of another CUDA at import, and cannot load a CPU-only torch;
    `import transformers` then fails with it.
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
    fits = (2, 12) <= tuple(int(part) for part in release.split(".")[:2]) < (2, 14)
    if not fits or not same_build or not torchaudio_version.startswith("2.11."):
        pair = f"torch {torch_version} and torchaudio {torchaudio_version}"
        return f"{pair} do not fit together; install {MATCHING_TORCH}."
    return None


def installed(package: str) -> str | None:
    """The version of an installed package, without importing it; None where there is none."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
