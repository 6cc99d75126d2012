"""A sweep without torch: a made-up experiment that trains in no time, and workers that can be killed."""

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from emokit import runs
from emokit.audio.settings import AudioSettings
from emokit.sweep.plan import Plan
from emokit.sweep.settings import SweepSettings
from emokit.sweep.storage import open_storage

MADE_UP = '''
import math
import time
from pathlib import Path

from emokit import runs
from emokit.files import write_json, write_text
from emokit.sweep.plan import Plan
from emokit.sweep.settings import SweepSettings
from emokit.sweep.storage import open_storage
from emokit.sweep.worker import Worker
from emokit.sweep import worker

worker.POLL_SECONDS = 0.05


def score(settings, epoch):
    """Higher the nearer lr is to 0.1 (too high is worse than too low) and weight_decay to 0.3, and with every epoch."""
    recipe = settings.training
    off = math.log10(recipe.lr) + 1
    best = 1 - max(-0.2 * off, 0.4 * off) - 0.5 * abs(recipe.weight_decay - 0.3)
    return best * (1 - 0.5 ** epoch)


def training(pause, started=None):
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
    Worker(Plan(SweepSettings.make(values), run, storage, heartbeat_timeout_seconds), training(pause)).work()
'''


Make = Callable[..., SweepSettings]


@pytest.fixture
def made_up() -> Make:
    """Makes a sweep over two fields of the made-up experiment, with whatever is changed."""

    def make(max_epochs: int = 4, **changes: Any) -> SweepSettings:
        experiment = AudioSettings.make({"name": "made-up", "training": {"max_epochs": max_epochs}})
        values = {
            "experiment": {"modality": "audio", "settings": experiment.as_dict()},
            "space": {
                "training.lr": {"grid": [0.02, 0.05, 0.1, 0.2]},
                "training.weight_decay": {"grid": [0.1, 0.3, 0.5]},
            },
            "confirm": {"best": 0},
        }
        return SweepSettings.make({**values, **changes})

    return make


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Callable[..., Plan]]:
    """Begins a made-up sweep in `tmp_path / "sweep"`, or opens it again."""

    def begin(sweep: SweepSettings, url: str | None = None, heartbeat_timeout_seconds: float = 5.0) -> Plan:
        run = tmp_path / "sweep"
        runs.start(run, sweep, seed=0, device="cpu", fingerprint="made up", resume=True)
        plan = Plan(sweep, run, open_storage(url, run), heartbeat_timeout_seconds)
        plan.search.fill()
        opened.append(plan)
        return plan

    opened: list[Plan] = []
    yield begin
    for plan in opened:
        database = getattr(plan.storage, "_backend", None)
        if hasattr(database, "engine"):
            database.scoped_session.remove()
            database.engine.dispose()


@pytest.fixture(autouse=True)
def without_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line of the journal is made safe on the disk, which on a busy one takes longer than all the rest."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


class Crew:
    """Starts worker processes quickly: the libraries are loaded once, in the process that they are forked from."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["emokit.sweep.worker", "emokit.audio.settings", "made_up"])
        self.hands: list[BaseProcess] = []

    def start(self, plan: Plan, url: str | None = None, pause: float = 0.01) -> BaseProcess:
        """One more worker."""
        import made_up  # type: ignore[import-not-found]

        arguments = (plan.sweep.as_dict(), plan.run, url, pause, plan.heartbeat_timeout_seconds)
        hand = self._context.Process(target=made_up.work, args=arguments)
        hand.start()
        self.hands.append(hand)
        return hand

    def wait(self, seconds: float = 120) -> None:
        """Until all have ended."""
        for hand in self.hands:
            hand.join(seconds)
            assert hand.exitcode is not None


@pytest.fixture
def crew(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Workers on a made-up sweep; none outlives the test."""
    folder = tmp_path_factory.mktemp("made_up")
    (folder / "made_up.py").write_text(MADE_UP)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "made_up", raising=False)
    found = Crew()
    yield found
    for hand in found.hands:
        hand.kill()
        hand.join()
