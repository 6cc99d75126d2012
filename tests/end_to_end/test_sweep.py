"""`emokit sweep` on synthesised corpora: interrupted, resumed, and reported."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from emokit.audio.settings import AudioSettings
from emokit.cli.app import app
from emokit.sweep import run
from emokit.sweep.space import read_space

# Every worker process loads torch, which takes a while on a busy machine.
pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(900)]

COMMAND = [sys.executable, "-m", "emokit", "sweep"]


def space(path: Path, experiment: dict[str, Any], modality: str = "audio", **changes: Any) -> Path:
    """Write a search space: a grid of four points over a small experiment; the best point is confirmed with two seeds."""
    values = {
        "name": "small",
        "experiment": {
            "modality": modality,
            "settings": {key: value for key, value in experiment.items() if key != "name"},
        },
        "space": {"training.lr": {"grid": [5e-4, 5e-3]}, "training.label_smoothing": {"grid": [0.0, 0.2]}},
        "confirm": {"best": 1, "seeds": 2},
        **changes,
    }
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    return path


def test_an_interrupted_sweep_is_resumed_and_its_best_point_can_be_trained_and_reported(
    tmp_path: Path, small_prepared: Path, small_settings: dict[str, Any]
) -> None:
    folder, data = tmp_path / "sweep", ["--data", str(small_prepared)]
    command = [
        *COMMAND,
        str(space(tmp_path / "space.yaml", small_settings)),
        *data,
        "--run",
        str(folder),
        "--device",
        "cpu",
    ]
    # A shell ignores Ctrl-C in its background jobs, and so would the processes of a test that runs in one.
    started = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not list(folder.glob("trials/0001/log.jsonl")):
        assert started.poll() is None, started.communicate()
        time.sleep(0.05)
    os.kill(started.pid, signal.SIGINT)
    _, errors = started.communicate(timeout=300)
    assert started.returncode == 130, errors
    assert errors.splitlines()[-1] == (
        "stopped by Ctrl-C; completed epochs are kept, continue with `emokit sweep --resume RUN`."
    )
    partial = json.loads((folder / "sweep.json").read_text())
    assert partial["counts"]["complete"] >= 1
    assert partial["counts"]["running"] == 0
    assert not partial["is_complete"]

    modified = (folder / "trials" / "0000" / "metrics.json").stat().st_mtime_ns
    plan, url, prepared = run.resume(folder)
    summary = run.work_here(plan, run.order(plan, url, prepared, "cpu", "auto"))
    assert summary == json.loads((folder / "sweep.json").read_text())
    assert summary["counts"] == {
        "complete": 4,
        **dict.fromkeys(("pruned", "collapsed", "failed", "running", "waiting"), 0),
    }
    assert (folder / "trials" / "0000" / "metrics.json").stat().st_mtime_ns == modified
    assert [entry["epochs"] for entry in summary["trials"]] == [3, 3, 3, 3]
    assert summary["best"]["is_confirmed"]
    assert len(summary["best"]["values"]) == 2
    # Test was not predicted, and only the confirmed point still has a model.
    assert not list(folder.glob("**/test.parquet"))
    assert [path.parent.name for path in folder.glob("trials/*/model")] == [summary["confirmed"][0]["point"]]
    assert not list(folder.glob("**/checkpoints"))

    status = CliRunner().invoke(app, ["sweep", "--status", str(folder)])
    assert status.exit_code == 0
    assert status.stdout.startswith("small: 4 of 4 points; 4 complete; 18 epochs; 2 of 2 confirming runs\n")

    best = AudioSettings.read(folder / "best.yaml")
    assert (best.name, best.training.seed) == ("small-best", 0)
    assert best.training.lr == summary["best"]["params"]["training.lr"]
    reported = CliRunner().invoke(app, ["report", str(folder), "--out", str(tmp_path / "report")])
    assert reported.exit_code == 0, reported.stderr
    page = (tmp_path / "report" / "index.html").read_text()
    assert "the best epoch of each of 4 points" in page
    assert (tmp_path / "report" / "figures" / "sweep-sweep-history.png").is_file()


def test_a_text_sweep_by_tpe_and_hyperband_has_as_many_points_as_its_budget(
    tmp_path: Path, text_prepared: Path, text_settings: dict[str, Any]
) -> None:
    path = space(
        tmp_path / "space.yaml",
        text_settings,
        "text",
        space={"training.lr": {"float": [1e-3, 3e-2], "log": True}, "model.tiny.hidden_size": {"choice": [8, 16]}},
        sampler="tpe",
        pruner="hyperband",
        budget={"trials": 5},
        confirm={"best": 0},
    )
    sweep = read_space(path)
    plan = run.begin(sweep, text_prepared, tmp_path / "sweep", device="cpu")
    summary = run.work_here(plan, run.order(plan, None, text_prepared, "cpu", "auto"))
    assert [entry["point"] for entry in summary["trials"]] == ["0000", "0001", "0002", "0003", "0004"]
    assert summary["counts"]["complete"] + summary["counts"]["pruned"] == 5
    assert {entry["params"]["model.tiny.hidden_size"] for entry in summary["trials"]} == {8, 16}
    assert not list((tmp_path / "sweep").glob("**/test.parquet"))
    settings = yaml.safe_load((tmp_path / "sweep" / "best.yaml").read_text())
    assert settings["training"]["lr"] == summary["best"]["params"]["training.lr"]
