"""Overhead of a sweep: claiming points, sampling values, reporting epochs, storing results.

    make bench PART=sweep

Points of 24 epochs by TPE and the median pruner on a journal, trained in this process: a narrow ACRNN on one synthesised corpus.
Everything outside the modality's `train` is overhead, and so is the time in which `train` waits for the report of an epoch. The
start of a worker process, once for all its points, is measured separately.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from emokit.audio.settings import FeatureSettings
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.data.catalogue import read_catalogue, with_roots
from emokit.data.plan import Plan as Preparation
from emokit.data.prepare import prepare
from emokit.data.splits.draw import SplitSettings
from emokit.data.synthesis.corpora import write_corpus
from emokit.settings import Settings
from emokit.sweep import run
from emokit.sweep.space import read_space
from emokit.sweep.train_point import OnEpoch, train_point
from emokit.sweep.worker import Worker

POINTS, EPOCHS = 2, 24
SPACE = {
    "name": "bench",
    "experiment": {
        "modality": "audio",
        "settings": {
            "data": {"window_seconds": 1.5},
            "model": {"channels": [8, 16, 32], "lstm_hidden_size": 32, "classifier_hidden_size": 32},
            "training": {"max_epochs": EPOCHS, "patience": None, "collapse_patience": EPOCHS},
        },
    },
    "space": {
        "training.lr": {"float": [1e-4, 1e-2], "log": True},
        "training.label_smoothing": {"float": [0.0, 0.2]},
    },
    "pruner": "median",
    "budget": {"trials": POINTS},
    "confirm": {"best": 0},
}


def main() -> None:
    """Measure and show."""
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder))


def measure(folder: Path) -> None:
    """Measure a sweep over a synthesised corpus in `folder`."""
    write_corpus("savee", folder / "savee")
    features = FeatureSettings()
    corpora = with_roots(read_catalogue(), ["savee"], [f"savee={folder / 'savee'}"])
    prepare(Preparation(tuple(corpora), features, SplitSettings()), folder / "prepared", LogMel(features))
    (folder / "space.yaml").write_text(yaml.safe_dump(SPACE))
    plan = run.begin(read_space(folder / "space.yaml"), folder / "prepared", folder / "sweep", device="cpu")
    train = train_point("audio", folder / "prepared", "cpu", "auto")
    spent = {"training": 0.0, "reports": 0.0, "epochs": 0.0}

    def measured(settings: Settings, run: Path, on_epoch: OnEpoch) -> None:
        def report(line: dict[str, Any]) -> None:
            started = time.perf_counter()
            try:
                on_epoch(line)
            finally:
                spent["reports"] += time.perf_counter() - started
                spent["epochs"] += 1

        started = time.perf_counter()
        try:
            train(settings, run, report)
        finally:
            spent["training"] += time.perf_counter() - started

    started = time.perf_counter()
    Worker(plan, measured).run()
    total = time.perf_counter() - started
    training = spent["training"] - spent["reports"]
    overhead = total - training
    print(f"{POINTS} points of {EPOCHS} epochs ({spent['epochs']:.0f} epochs in all), narrow ACRNN, one thread")
    print(f"training            {training / POINTS:8.2f} s per point")
    print(
        f"overhead            {overhead / POINTS:8.3f} s per point, {100 * overhead / training:.2f} % of the training"
    )
    print(f"reports             {1000 * spent['reports'] / spent['epochs']:8.1f} ms per epoch")
    started = time.perf_counter()
    subprocess.run(
        [
            sys.executable,
            "-c",
            "import emokit.sweep.run, emokit.training.run",
        ],
        check=True,
    )
    print(f"start of a worker   {time.perf_counter() - started:8.1f} s, once")


if __name__ == "__main__":
    main()
