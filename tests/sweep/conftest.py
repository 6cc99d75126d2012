"""Sweeps without torch: a toy modality that trains in no time, and worker processes that can be killed."""

import importlib
import multiprocessing
import os
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from emokit import runs
from emokit.modality.registry import MODALITIES
from emokit.sweep.plan import Plan
from emokit.sweep.settings import SweepSettings
from emokit.sweep.storage import open_storage

# A module of its own, because processes that a test starts import it too.
TOY = '''
import math
import os
import signal
import time
from types import SimpleNamespace
from typing import Literal

from emokit import runs
from emokit.errors import WorkError
from emokit.files import write_json, write_text
from emokit.modality.protocol import Modality
from emokit.modality.registry import MODALITIES
from emokit.settings import Settings
from emokit.sweep import worker
from emokit.sweep.plan import Plan
from emokit.sweep.settings import SweepSettings
from emokit.sweep.storage import open_storage
from emokit.sweep.worker import Worker
from emokit.training.settings import TrainingSettings

MODALITIES.setdefault("toy", "sweep_toy:TOY")
worker.POLL_SECONDS = 0.05


class ToyModelSettings(Settings):
    channels: tuple[int, ...] = (8, 16)


class ToySettings(Settings):
    name: str = "toy"
    modality: Literal["toy"] = "toy"
    model: ToyModelSettings = ToyModelSettings()
    training: TrainingSettings = TrainingSettings()


class Toy(Modality):
    name = "toy"
    summary = "No model at all."

    def __init__(self):
        self.calls = []

    def settings(self):
        return ToySettings

    def train(self, settings, prepared, run, **arguments):
        self.calls.append((settings, prepared, run, arguments))
        on_epoch = arguments["on_epoch"]
        training(0)(settings, run, lambda line: on_epoch(SimpleNamespace(as_log=lambda: line)))
        return {}


TOY = Toy()


def score(settings, epoch):
    """Higher the nearer lr is to 0.1 (too high is worse than too low) and weight_decay to 0.3, and with every epoch."""
    training = settings.training
    distance = math.log10(training.lr) + 1
    limit = 1 - max(-0.2 * distance, 0.4 * distance) - 0.5 * abs(training.weight_decay - 0.3)
    return limit * (1 - 0.5 ** epoch)


def training(pause):
    """The function that trains a point, with a pause in seconds before each epoch."""

    def train(settings, folder, on_epoch):
        if not (folder / runs.SETTINGS).exists():
            write_text(folder / runs.SETTINGS, settings.as_yaml())
        for epoch in range(len(runs.read_log(folder)) + 1, settings.training.max_epochs + 1):
            time.sleep(pause)
            value = score(settings, epoch)
            line = {"epoch": epoch, "dev_uar": value, "dev_loss": 1 - value, "seconds": pause}
            runs.append_log(folder, line)
            on_epoch(line)
        write_json(folder / runs.METRICS, {})

    return train


def work(values, run, url, pause, heartbeat_timeout_seconds):
    storage = open_storage(url, run, waits=True)
    Worker(Plan(SweepSettings.make(values), run, storage, heartbeat_timeout_seconds), training(pause)).run()


def killed_once():
    """Training whose process is killed at its first point, once."""

    def train(settings, folder, on_epoch):
        flag = folder.parent / "killed"
        if not flag.exists():
            flag.mkdir(parents=True)
            os.kill(os.getpid(), signal.SIGKILL)
        training(0)(settings, folder, on_epoch)

    return train


def second_killed():
    """Training whose second worker is killed once; the first one waits until it is replaced."""

    def train(settings, folder, on_epoch):
        sweep = folder.parent.parent
        log = sweep / "workers" / "1.log"  # missing until the second worker has started
        if not (log.exists() and os.path.samestat(os.fstat(1), os.stat(log))):
            for _ in range(600):
                if (sweep / "replaced").exists():
                    return training(0)(settings, folder, on_epoch)
                time.sleep(0.1)
            print("Nobody came.", flush=True)
        if not (sweep / "killed").exists():
            (sweep / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        (sweep / "replaced").touch()
        return training(0)(settings, folder, on_epoch)

    return train


def full_disk():
    def train(settings, folder, on_epoch):
        raise WorkError("The disk that holds it is full; free some space.")

    return train
'''


Make = Callable[..., SweepSettings]


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the toy modality's module."""
    folder = tmp_path_factory.mktemp("toy")
    (folder / "sweep_toy.py").write_text(TOY)
    return folder


@pytest.fixture
def toy(toy_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of the toy modality, which is registered as `toy`."""
    monkeypatch.setitem(MODALITIES, "toy", "sweep_toy:TOY")
    monkeypatch.syspath_prepend(toy_folder)
    return importlib.import_module("sweep_toy")


@pytest.fixture
def make_sweep(toy: Any) -> Make:
    """Makes the settings of a sweep over two fields of the toy modality, with some changes."""

    def make(max_epochs: int = 4, **changes: Any) -> SweepSettings:
        experiment = toy.ToySettings.make({"training": {"max_epochs": max_epochs}})
        values = {
            "experiment": {"modality": "toy", "settings": experiment.as_dict()},
            "space": {
                "training.lr": {"grid": [0.02, 0.05, 0.1, 0.2]},
                "training.weight_decay": {"grid": [0.1, 0.3, 0.5]},
            },
            "confirm": {"best": 0},
        }
        return SweepSettings.make({**values, **changes})

    return make


@pytest.fixture
def open_plan(tmp_path: Path) -> Iterator[Callable[..., Plan]]:
    """Begins a sweep in `tmp_path / "sweep"`, or opens it again."""

    def open_one(sweep: SweepSettings, url: str | None = None, heartbeat_timeout_seconds: float = 5.0) -> Plan:
        run = tmp_path / "sweep"
        runs.start(run, sweep, seed=0, device="cpu", fingerprint="toy", resume=True)
        plan = Plan(sweep, run, open_storage(url, run), heartbeat_timeout_seconds)
        plan.search.fill()
        opened.append(plan)
        return plan

    opened: list[Plan] = []
    yield open_one
    for plan in opened:
        database = getattr(plan.storage, "_backend", None)
        if hasattr(database, "engine"):
            database.scoped_session.remove()
            database.engine.dispose()


@pytest.fixture(autouse=True)
def no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line of the journal is synchronised with the disk, which takes longer than the rest of a test on a busy one."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


class Workers:
    """Starts worker processes quickly: they are forked from a process that has loaded the libraries."""

    def __init__(self, toy: Any) -> None:
        self._work = toy.work
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["emokit.sweep.worker", "sweep_toy"])
        self.processes: list[BaseProcess] = []

    def start(self, plan: Plan, url: str | None = None, pause: float = 0.01) -> BaseProcess:
        """Start another worker."""
        arguments = (plan.sweep.as_dict(), plan.run, url, pause, plan.heartbeat_timeout_seconds)
        process = self._context.Process(target=self._work, args=arguments)
        process.start()
        self.processes.append(process)
        return process

    def wait(self, seconds: float = 120) -> None:
        """Wait until all have ended."""
        for process in self.processes:
            process.join(seconds)
            assert process.exitcode is not None


@pytest.fixture
def workers(toy: Any) -> Iterator[Workers]:
    """Workers on a sweep of the toy modality; none outlives the test."""
    started = Workers(toy)
    yield started
    for process in started.processes:
        process.kill()
        process.join()
