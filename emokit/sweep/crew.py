"""The processes that work on a sweep: started with an environment of their own, listened to, replaced, stopped."""

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from emokit import runs
from emokit.errors import EmokitError
from emokit.files import explained_disk_errors
from emokit.sweep import storage as storages
from emokit.sweep.lease import LEASE_SECONDS
from emokit.sweep.plan import Plan
from emokit.sweep.settings import SweepSettings
from emokit.sweep.wings import TrainPoint
from emokit.sweep.worker import Worker

WORKERS = "workers"
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Order:
    """What a worker process is told."""

    run: Path
    url: str | None
    data: Path
    train: Callable[[], TrainPoint]
    """Makes what trains a point, in the worker."""
    until: float | None = None
    lease_seconds: float = LEASE_SECONDS
    parent: int | None = None


class Hand:
    """A worker's process and the place it works at."""

    def __init__(self, order: Order, number: int, num_workers: int, devices: int) -> None:
        self.error = ""
        self._order, self._number = order, number
        self._environment = {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // num_workers))}
        if devices:
            shared = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(devices)))).split(",")
            self._environment["CUDA_VISIBLE_DEVICES"] = shared[number % len(shared)]
            self._environment.pop("OMP_NUM_THREADS")
        self._process: SpawnProcess | None = None
        self._ear: Connection

    def start(self) -> None:
        """Start a process; its environment is set before it begins, as libraries look at it when they are loaded."""
        context = multiprocessing.get_context("spawn")
        self._ear, mouth = context.Pipe(duplex=False)
        before = {name: os.environ.get(name) for name in self._environment}
        # The user's own number of threads stays.
        os.environ.update({n: v for n, v in self._environment.items() if n != "OMP_NUM_THREADS" or not before[n]})
        try:
            process = context.Process(target=run_worker, args=(self._order, self._number, mouth))
            with _deaf_to_ctrl_c():
                process.start()
            self._process = process
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        mouth.close()

    def is_at_work(self) -> bool:
        """Whether it works; one that was killed is replaced."""
        if self._process is None:
            return False
        if self._process.is_alive():
            return True
        code = self._process.exitcode
        if code is not None and code < 0:
            self.start()
            return True
        if code and not self.error:
            self.error = self._heard() or f"worker {self._number} ended with exit code {code}"
        return False

    def ask_to_stop(self) -> None:
        """Ask it to hand its trial back."""
        if self._process is not None and self._process.is_alive():
            self._process.terminate()

    def stop(self) -> None:
        """Wait until it has handed its trial back; a second later than patience allows it is killed."""
        if self._process is not None:
            self.ask_to_stop()
            self._process.join(PATIENCE_SECONDS)
            self._process.kill()
            self._process.join()

    def _heard(self) -> str:
        try:
            return str(self._ear.recv()) if self._ear.poll() else ""
        except EOFError:
            return ""


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


def run_worker(order: Order, number: int, mouth: Connection) -> None:
    """What a worker's process does; what it says goes to `workers/<number>.log`, its error to the command."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the command, which asks its workers to stop
    signal.signal(signal.SIGTERM, _leave)
    try:
        _to_file(order.run / WORKERS / f"{number}.log")
        plan = Plan(
            SweepSettings.make(runs.read_settings(order.run)),
            order.run,
            storages.open_storage(order.url, order.run, waits=True),
            order.lease_seconds,
        )
        Worker(plan, order.train(), order.until, order.parent).work()
    except EmokitError as error:
        mouth.send(str(error))
        raise SystemExit(error.exit_code) from error
    except Exception:
        logging.getLogger(__name__).exception("The worker ended by an error of its own.")
        mouth.send(f"Worker {number} ended by an error of its own, see {order.run / WORKERS / f'{number}.log'}")
        raise SystemExit(1) from None


def _leave(signum: int, frame: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


def _to_file(path: Path) -> None:
    """Send what this process and the libraries in it print to a file, so that the command's table stays whole."""
    with explained_disk_errors(path):
        path.parent.mkdir(exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
