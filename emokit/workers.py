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
from emokit.runtime import check_workers, choose_device, end_with_parent, num_processors

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
    check_workers(workers)
    if device in ("cpu", "mps") or (device == "auto" and workers == 1) or choose_device(device).type != "cuda":
        return workers or 1, 0
    import torch

    devices = torch.cuda.device_count()
    return workers or devices, devices


class WorkerProcess:
    """A worker's process and the place it works at: it does what it is asked, one thing after the other.

    Args:
        act: does what is asked and returns its answer; it is sent there, so it can be pickled, as what is asked can.
        log: the file to which all that the process prints goes.
        number: its place among the others, counted from 0; those of all GPUs are taken in turn.
        sharing: how many share the processors.
        devices: how many GPUs they share; 0 for none.
    """

    def __init__(self, act: Callable[[Any], Any], log: Path, number: int, sharing: int, devices: int) -> None:
        self.result: Any = None
        self.error: EmokitError | None = None
        self.deaths = 0
        self._act, self._log = act, log
        self._environment = {"OMP_NUM_THREADS": str(max(1, num_processors() // sharing))}
        if devices:
            shared = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(devices)))).split(",")[:devices]
            self._environment["CUDA_VISIBLE_DEVICES"] = shared[number % devices]
        self._task: Any = None
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None

    def submit(self, what: Any) -> None:
        """Have it do this: anything but None, and small: a few names and settings, no data.

        Raises:
            WorkError: the system has no room for another process.
        """
        self._task, self.result, self.error = what, None, None
        if self._process is None or not self._process.is_alive():
            self._start()
        self._send()

    @property
    def has_result(self) -> bool:
        """Whether what was asked last is done: its answer or its error is there."""
        return self._task is None

    def is_busy(self) -> bool:
        """Whether it does what it was asked; one that was killed is replaced, one that ended by itself is not."""
        if self._process is None or self.has_result:
            return False
        is_alive = self._process.is_alive()  # asked first: what it said before its end is heard
        if self._receive_result():
            return False
        if is_alive:
            return True
        code = self._process.exitcode
        if code is not None and code < 0:
            self.restart()
            return True
        if code:
            self._task = None
            self.error = EmokitError(f"A worker ended with exit code {code}, and why stands in {self._log} or above.")
        return False

    def restart(self) -> None:
        """Start another in the place of one that is gone, and ask it the same."""
        self.deaths += 1
        self._start()
        self._send()

    def terminate(self) -> None:
        """Ask it to leave what it does to another."""
        if self._process is not None and self._process.is_alive():
            self._process.terminate()

    def stop(self) -> None:
        """Wait until it has left; a second later than patience allows it is killed."""
        if self._process is not None:
            self.terminate()
            self._process.join(PATIENCE_SECONDS)
            self._process.kill()
            self._process.join()

    def _start(self) -> None:
        """Start a process; its environment is set before it begins, as libraries look at it when they are loaded."""
        context = multiprocessing.get_context("spawn")
        if self._pipe:
            self._pipe.close()
        before = {name: os.environ.get(name) for name in self._environment}
        # The user's own number of threads stays.
        os.environ.update({n: v for n, v in self._environment.items() if n != "OMP_NUM_THREADS" or not before[n]})
        try:
            self._pipe, its_end = context.Pipe()
            process = context.Process(target=_begin, args=(self._act, self._log, its_end))
            with _ignore_ctrl_c():
                process.start()
                self._process = process
        except OSError as error:
            raise WorkError(f"No other worker could be started ({error.strerror}); give fewer --workers.") from error
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        its_end.close()

    def _send(self) -> None:
        with contextlib.suppress(OSError):  # it is gone, which is seen when it is asked whether it works
            if self._pipe:
                self._pipe.send(self._task)

    def _receive_result(self) -> bool:
        with contextlib.suppress(EOFError, OSError):  # it is gone, and said nothing
            if self._pipe and self._pipe.poll():
                self.result, self.error = self._pipe.recv()
                self._task = None
        return self.has_result


@contextlib.contextmanager
def worker_pool(act: Callable[[Any], Any], logs: Path, workers: int, devices: int) -> Iterator[list[WorkerProcess]]:
    """So many workers' places; whoever works there at the end is stopped, all at once.

    Args:
        act: as `Hand` takes it.
        logs: the folder for what they print.
        workers: how many.
        devices: GPUs that they share, one each in turn; 0 for none.
    """
    pool = [WorkerProcess(act, logs / f"{number}.log", number, workers, devices) for number in range(workers)]
    try:
        yield pool
    finally:
        for worker in pool:
            worker.terminate()
        for worker in pool:
            worker.stop()


@contextlib.contextmanager
def _ignore_ctrl_c() -> Iterator[None]:
    """A process that is started here never hears Ctrl-C, not even while it loads its libraries."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say so
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _begin(act: Callable[[Any], Any], log: Path, pipe: Connection) -> None:
    """What a worker's process does; an error ends it and goes to the command."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the command, which asks its workers to stop
    signal.signal(signal.SIGTERM, _leave)
    end_with_parent(GRACE_SECONDS)
    try:
        _to_file(log)
        for task in _tasks(pipe):
            pipe.send((act(task), None))
    except EmokitError as error:
        pipe.send((None, error))
        raise SystemExit(error.exit_code) from error
    except Exception:
        logging.getLogger(__name__).exception("The worker ended by an error of its own.")
        pipe.send((None, EmokitError(f"A worker ended by an error of its own, a bug; its traceback is in {log}.")))
        raise SystemExit(1) from None


def _tasks(pipe: Connection) -> Iterator[Any]:
    """What the command asks, as long as it is there."""
    while True:
        try:
            asked = pipe.recv()
        except (EOFError, ConnectionError):
            return
        yield asked


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
