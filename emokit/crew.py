"""Processes that work side by side: started with an environment of their own, listened to, replaced, stopped."""

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from emokit.errors import EmokitError, WorkError
from emokit.files import explained_disk_errors
from emokit.runtime import choose_device, end_with_parent, num_workers

WORKERS = "workers"
WATCH_SECONDS = 1.0
PATIENCE_SECONDS = 60.0
GRACE_SECONDS = 5.0  # less, once the command is gone: the same command, given again, starts others on the same work


def size(workers: int | None, device: str) -> tuple[int, int]:
    """How many processes are to work, and how many GPUs they share, one each in turn; 0 for none.

    Args:
        workers: as many as were asked for; None for one per GPU, or one.
        device: as `runtime.choose_device` takes it.

    Raises:
        UsageError: there are less than one, or the device is unknown or not there.
    """
    if workers is not None:
        num_workers(workers)
    if device in ("cpu", "mps") or (device == "auto" and workers == 1) or choose_device(device).type != "cuda":
        return workers or 1, 0
    import torch

    devices = torch.cuda.device_count()
    return workers or devices, devices


class Hand:
    """A worker's process and the place it works at.

    Args:
        work: what it does; it is sent there, so it can be pickled, and is small: a few names and settings, no data.
        log: the file to which all that the process prints goes.
        number: its place among the others, counted from 0; those of all GPUs are taken in turn.
        sharing: how many share the processors.
        devices: how many GPUs they share; 0 for none.
    """

    def __init__(self, work: Callable[[], None], log: Path, number: int, sharing: int, devices: int) -> None:
        self.error: EmokitError | None = None
        self.deaths = 0
        self._work, self._log = work, log
        self._environment = {"OMP_NUM_THREADS": str(max(1, num_workers() // sharing))}
        if devices:
            shared = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(devices)))).split(",")[:devices]
            self._environment["CUDA_VISIBLE_DEVICES"] = shared[number % devices]
        self._process: SpawnProcess | None = None
        self._ear: Connection

    def start(self) -> None:
        """Start a process; its environment is set before it begins, as libraries look at it when they are loaded.

        Raises:
            WorkError: the system has no room for another process.
        """
        context = multiprocessing.get_context("spawn")
        self._ear, mouth = context.Pipe(duplex=False)
        before = {name: os.environ.get(name) for name in self._environment}
        # The user's own number of threads stays.
        os.environ.update({n: v for n, v in self._environment.items() if n != "OMP_NUM_THREADS" or not before[n]})
        try:
            process = context.Process(target=_begin, args=(self._work, self._log, mouth))
            with _deaf_to_ctrl_c():
                process.start()
                self._process = process
        except OSError as error:
            raise WorkError(f"No other worker could be started ({error.strerror}); give fewer --workers.") from error
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        mouth.close()

    def is_at_work(self) -> bool:
        """Whether it works; one that was killed is replaced, one that was asked to stop is not."""
        if self._process is None:
            return False
        if self._process.is_alive():
            return True
        code = self._process.exitcode
        if code is not None and code < 0:
            self.replace()
            return True
        if code and not self.error:
            unsaid = f"A worker ended with exit code {code}, and why stands in {self._log} or above."
            self.error = self._heard() or EmokitError(unsaid)
        return False

    def replace(self) -> None:
        """Start another in the place of one that is gone."""
        self.deaths += 1
        self.start()

    def ask_to_stop(self) -> None:
        """Ask it to leave what it does to another."""
        if self._process is not None and self._process.is_alive():
            self._process.terminate()

    def stop(self) -> None:
        """Wait until it has left; a second later than patience allows it is killed."""
        if self._process is not None:
            self.ask_to_stop()
            self._process.join(PATIENCE_SECONDS)
            self._process.kill()
            self._process.join()

    def _heard(self) -> EmokitError | None:
        try:
            return self._ear.recv() if self._ear.poll() else None
        except EOFError:
            return None


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """A process that is started here never hears Ctrl-C, not even while it loads its libraries."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say so
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _begin(work: Callable[[], None], log: Path, mouth: Connection) -> None:
    """What a worker's process does; its error goes to the command."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the command, which asks its workers to stop
    signal.signal(signal.SIGTERM, _leave)
    end_with_parent(GRACE_SECONDS)
    try:
        _to_file(log)
        work()
    except EmokitError as error:
        mouth.send(error)
        raise SystemExit(error.exit_code) from error
    except Exception:
        logging.getLogger(__name__).exception("The worker ended by an error of its own.")
        mouth.send(EmokitError(f"A worker ended by an error of its own, a bug; its traceback is in {log}."))
        raise SystemExit(1) from None


def _leave(signum: int, frame: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


def _to_file(path: Path) -> None:
    """Send what this process and the libraries in it print to a file, so that what the command shows stays whole."""
    with explained_disk_errors(path):
        path.parent.mkdir(exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
