"""Worker processes: each has its own environment and log, is restarted when it is killed, and ends with the command."""

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from emokit.errors import EmokitError, WorkError
from emokit.files import explained_disk_errors
from emokit.runtime import check_workers, choose_device, end_with_parent, num_processors
from emokit.safe_text import mask_secrets

WORKERS = "workers"  # the folder of the workers' logs
WATCH_SECONDS = 1.0  # between two checks of the workers
PATIENCE_SECONDS = 60.0  # for a worker to exit before it is killed
# Shorter when the command is gone: the same command, given again, starts other workers on the same tasks.
GRACE_SECONDS = 5.0


def size(workers: int | None, device: str) -> tuple[int, int]:
    """The number of workers, and the number of GPUs that they share, one per worker in turn; 0 GPUs for other devices.

    Args:
        workers: the number asked for; None for one per GPU, or one without a GPU.
        device: as `runtime.choose_device` takes it.

    Raises:
        UsageError: fewer than one worker was asked for, or the device is unknown or not on this machine.
    """
    check_workers(workers)
    if device in ("cpu", "mps") or (device == "auto" and workers == 1) or choose_device(device).type != "cuda":
        return workers or 1, 0
    import torch

    devices = torch.cuda.device_count()
    return workers or devices, devices


class WorkerProcess:
    """A worker: one process that carries out one task at a time, and its replacements.

    Args:
        act: carries out a task and returns its result; it is pickled, as are tasks and results.
        log: the file that receives everything the process prints.
        number: of the worker, from 0; the GPUs are assigned in turn.
        num_workers: how many workers share the processors.
        devices: the number of GPUs that they share; 0 for none.

    Attributes:
        result: of the last task.
        error: of the last task, when it failed.
        deaths: how often a process of this worker was replaced.
    """

    def __init__(self, act: Callable[[Any], Any], log: Path, number: int, num_workers: int, devices: int) -> None:
        self.result: Any = None
        self.error: EmokitError | None = None
        self.deaths = 0
        self._act, self._log = act, log
        self._environment = {"OMP_NUM_THREADS": str(max(1, num_processors() // num_workers))}
        if devices:
            visible = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(devices)))).split(",")[:devices]
            self._environment["CUDA_VISIBLE_DEVICES"] = visible[number % devices]
        self._task: Any = None
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None

    def submit(self, task: Any) -> None:
        """Start a task: any small value but None, such as a few names and settings, no data.

        Raises:
            WorkError: the system cannot start another process.
        """
        if self.error is not None:
            self.stop()  # an error ends the process, which may not have ended yet
        self._task, self.result, self.error = task, None, None
        if self._process is None or not self._process.is_alive():
            self._start()
        self._send()

    @property
    def has_result(self) -> bool:
        """Whether the last task has ended, with `result` or `error`."""
        return self._task is None

    def is_busy(self) -> bool:
        """Whether the task is being carried out; a killed process is replaced, a process that exited is not."""
        if self._process is None or self.has_result:
            return False
        is_alive = self._process.is_alive()  # before the pipe is read: a process may send its result and end in between
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
            self.error = EmokitError(f"A worker ended with exit code {code}; the reason is in {self._log} or above.")
        return False

    def restart(self) -> None:
        """Start a new process for the same task."""
        self.deaths += 1
        self._start()
        self._send()

    def terminate(self) -> None:
        """Ask the process to end (SIGTERM)."""
        if self._process is not None and self._process.is_alive():
            self._process.terminate()

    def stop(self) -> None:
        """Terminate the process and wait for its end; kill it after `PATIENCE_SECONDS`."""
        if self._process is not None:
            self.terminate()
            self._process.join(PATIENCE_SECONDS)
            self._process.kill()
            self._process.join()

    def _start(self) -> None:
        """Start a process; its environment is set before, as libraries read it when they are imported."""
        context = multiprocessing.get_context("spawn")
        if self._pipe:
            self._pipe.close()
        before = {name: os.environ.get(name) for name in self._environment}
        # A number of threads that the user has set is not changed.
        os.environ.update({n: v for n, v in self._environment.items() if n != "OMP_NUM_THREADS" or not before[n]})
        try:
            self._pipe, worker_end = context.Pipe()
            process = context.Process(target=_run, args=(self._act, self._log, worker_end))
            with _ignore_ctrl_c():
                process.start()
                self._process = process
        except OSError as error:
            raise WorkError(f"No other worker could be started ({error.strerror}); give fewer --workers.") from error
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        worker_end.close()

    def _send(self) -> None:
        with contextlib.suppress(OSError):  # the process has ended, which `is_busy` detects
            if self._pipe:
                self._pipe.send(self._task)

    def _receive_result(self) -> bool:
        with contextlib.suppress(EOFError, OSError):  # the process ended without a result
            if self._pipe and self._pipe.poll():
                self.result, self.error = self._pipe.recv()
                self._task = None
        return self.has_result


@contextlib.contextmanager
def worker_pool(act: Callable[[Any], Any], logs: Path, workers: int, devices: int) -> Iterator[list[WorkerProcess]]:
    """Yield workers, and stop all of them at the end; their processes start with their first task.

    Args:
        act: as `WorkerProcess` takes it.
        logs: the folder of their logs, `0.log` and so on.
        workers: the number of workers.
        devices: the number of GPUs that they share; 0 for none.
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
    """Processes that are started here ignore Ctrl-C from their first moment, before they can set a handler."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set signal handlers
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _run(act: Callable[[Any], Any], log: Path, pipe: Connection) -> None:
    """The main function of a worker's process; an error is sent to the command and ends the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the command, which terminates its workers
    signal.signal(signal.SIGTERM, _exit)
    end_with_parent(GRACE_SECONDS)
    try:
        _redirect_output(log)
        for task in _tasks(pipe):
            pipe.send((act(task), None))
    except EmokitError as error:
        pipe.send((None, error))
        raise SystemExit(error.exit_code) from error
    except Exception:
        trace = mask_secrets(traceback.format_exc().rstrip())
        logging.getLogger(__name__).error("The worker ended by a bug.\n%s", trace)
        pipe.send((None, EmokitError(f"A worker ended by a bug of emokit; its traceback is in {log}.")))
        raise SystemExit(1) from None


def _tasks(pipe: Connection) -> Iterator[Any]:
    """The tasks that the command sends, until it closes the pipe."""
    while True:
        try:
            task = pipe.recv()
        except (EOFError, ConnectionError):
            return
        yield task


def _exit(signum: int, frame: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


def _redirect_output(path: Path) -> None:
    """Send the output of this process and its libraries to a file, so that it does not mix with the command's."""
    with explained_disk_errors(path):
        path.parent.mkdir(exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
