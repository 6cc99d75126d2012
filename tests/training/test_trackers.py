"""Trackers: names, missing packages, what the services get, and that a resumed run continues there."""

import importlib.machinery
import importlib.util
import json
import os
import subprocess
import sys
import types

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from emokit import runs
from emokit.audio.modality import AUDIO
from emokit.audio.settings import AudioSettings
from emokit.data.prepared import open_prepared
from emokit.errors import UsageError, WorkError
from emokit.training import trackers

EPOCHS = 4


@pytest.fixture
def not_installed(monkeypatch):
    """As if no package of a tracker were installed."""
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name in trackers.WITH_PACKAGE else find_spec(name, *rest),
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("wandbb", "--track has the unknown tracker 'wandbb'; did you mean wandb?"),
        ("TensorBoard", "--track has the unknown tracker 'TensorBoard'; did you mean tensorboard?"),
        ("x", "--track has the unknown tracker 'x'; expected one or more of tensorboard, wandb, mlflow."),
        ("", "--track has the unknown tracker ''; expected one or more of tensorboard, wandb, mlflow."),
        ("tensorboard,tensorboard", "--track has tensorboard twice; give it once."),
        (
            "tensorboard, mlflow",
            "The tracker mlflow needs the package mlflow, which is not installed; install it with `pip install '.[mlflow]'` in "
            "a clone of emokit.",
        ),
    ],
)
def test_names_that_cannot_be_used_cost_one_sentence(not_installed, text, sentence):
    with pytest.raises(UsageError) as error:
        trackers.read_names(text)
    assert str(error.value) == sentence


def test_a_training_without_its_package_makes_no_folder(small_prepared, small_settings, tmp_path, not_installed):
    with pytest.raises(UsageError, match="The tracker wandb needs the package wandb"):
        train(small_prepared, small_settings, tmp_path / "run", ["wandb"])
    assert not (tmp_path / "run").exists()


class FakeWandB(types.ModuleType):
    """Keeps what a training logs, run by run, as the service does."""

    def __init__(self):
        super().__init__("wandb")
        self.__spec__ = importlib.machinery.ModuleSpec("wandb", None)
        self.runs, self.inits, self.config, self.ends = {}, [], self, []
        self.fails = False

    def init(self, **how):
        if self.fails:
            raise RuntimeError("no network.\nretry")
        self.inits.append(how)
        self.now = self.runs.setdefault(how["id"], types.SimpleNamespace(lines={}, summary={}, config={}, step=0))
        self.now.log, self.now.finish = self._log, lambda exit_code: self.ends.append(exit_code)
        return self.now

    def update(self, values, allow_val_change=False):
        self.now.config.update(values)

    def _log(self, values, step=None):
        step = self.now.step if step is None else step
        assert step >= self.now.step
        self.now.lines.setdefault(step, {}).update(values)
        self.now.step = step + 1

    def Settings(self, **how):
        return how

    def Table(self, **table):
        return table


@pytest.fixture
def wandb(monkeypatch):
    fake = FakeWandB()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    return fake


def train(prepared, values, run, report_to, *, stop_after=None, **how):
    training = values["training"] | {"max_epochs": EPOCHS, "patience": None, "collapse_patience": 99}
    settings = AudioSettings.make(values | {"training": training | {"report_to": report_to}})

    def on_epoch(epoch):
        if epoch.number == stop_after:
            raise KeyboardInterrupt

    return AUDIO.train(settings, open_prepared(prepared), run, device="cpu", on_epoch=on_epoch, **how)


def scalars(line):
    return {name: value for name, value in line.items() if name not in ("epoch", "best")}


def test_a_service_gets_hyperparameters_epochs_scores_and_confusion_once(
    small_prepared, small_settings, tmp_path, wandb
):
    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(small_prepared, small_settings, run, ["wandb"], stop_after=2)
    (service,) = wandb.runs.values()
    assert wandb.ends == [1]
    service.lines.pop(2)  # as if it had been killed before it logged the epoch
    service.step = 2
    metrics = train(small_prepared, small_settings, run, ["wandb"], resume=True)

    assert len(wandb.runs) == 1
    first, second = wandb.inits
    assert (first["id"], first["name"], first["project"]) == (second["id"], str(run), "emokit")
    assert json.loads((run / trackers.IDS).read_text()) == {"wandb": first["id"]}
    assert wandb.ends == [1, 0]
    lines = {line["epoch"]: scalars(line) for line in runs.read_log(run)}
    lines[2].pop("seconds")  # a time is not in the checkpoint
    *epochs, confusion = [service.lines[step] for step in sorted(service.lines)][: EPOCHS + 1]
    assert dict(enumerate(epochs, start=1)) == lines
    assert service.config["training.lr"] == small_settings["training"]["lr"]
    assert service.config["data_fingerprint"] == open_prepared(small_prepared).fingerprint
    assert service.summary["test/uar"] == metrics["splits"]["test"]["uar"]
    assert service.summary["dev/accuracy"] == metrics["splits"]["dev"]["accuracy"]
    assert set(confusion) == {"dev/confusion"}
    table = confusion["dev/confusion"]
    assert table["columns"] == ["truth", *metrics["labels"]]
    assert [row[1:] for row in table["data"]] == metrics["splits"]["dev"]["confusion"]
    assert not (run / "tensorboard").exists()


def test_a_model_without_epochs_is_tracked_and_another_run_begins_anew(small_prepared, small_settings, tmp_path, wandb):
    small_settings["model"] = {"kind": "functionals"}
    for name in ("a", "b"):
        train(small_prepared, small_settings, tmp_path / name, ["wandb"])
    assert len(wandb.runs) == 2
    assert all("test/uar" in service.summary for service in wandb.runs.values())


def test_a_service_that_fails_costs_one_sentence_and_the_run_can_be_continued(
    small_prepared, small_settings, tmp_path, wandb
):
    wandb.fails = True
    with pytest.raises(WorkError) as error:
        train(small_prepared, small_settings, tmp_path / "run", ["wandb"])
    assert str(error.value) == (
        "The tracker wandb failed (no network); log in with `wandb login` or set WANDB_MODE=offline, and continue the run with "
        "--resume."
    )
    wandb.fails = False
    assert train(small_prepared, small_settings, tmp_path / "run", ["wandb"], resume=True)["epochs"] == EPOCHS


def test_tensorboard_has_the_log_and_training_does_not_depend_on_trackers(
    small_prepared, small_settings, tmp_path, wandb
):
    with pytest.raises(KeyboardInterrupt):
        train(small_prepared, small_settings, tmp_path / "run", ["tensorboard"], stop_after=2)
    metrics = train(small_prepared, small_settings, tmp_path / "run", ["tensorboard"], resume=True)
    events = EventAccumulator(str(tmp_path / "run/tensorboard")).Reload()
    log = runs.read_log(tmp_path / "run")
    assert sorted(events.Tags()["scalars"]) == sorted(scalars(log[0]))
    for name in scalars(log[0]):
        points = {event.step: event.value for event in events.Scalars(name)}
        assert points == pytest.approx({line["epoch"]: line[name] for line in log}, rel=1e-5), name
    assert len(events.Scalars("dev_uar")) == EPOCHS
    others = train(small_prepared, small_settings, tmp_path / "others", [])
    assert others == metrics
    tracked = train(small_prepared, small_settings, tmp_path / "tracked", ["tensorboard", "wandb"])
    assert tracked == metrics
    weights = [(tmp_path / name / "model/model.safetensors").read_bytes() for name in ("run", "others", "tracked")]
    assert weights[0] == weights[1] == weights[2]


INSTALLED = {name: importlib.util.find_spec(name) is not None for name in ("wandb", "mlflow")}
SCRIPT = """
import json, sys
from pathlib import Path
from tests.training.test_trackers import train
run, prepared = Path(sys.argv[1]), Path(sys.argv[2])
try:
    train(prepared, json.loads(sys.argv[3]), run, [sys.argv[4]], stop_after=2)
except KeyboardInterrupt:
    train(prepared, json.loads(sys.argv[3]), run, [sys.argv[4]], resume=True)
"""


def train_with(name, small_prepared, small_settings, folder, **environment):
    """Train, stop and resume with the real package, in a process of its own: it warns, and keeps state."""
    words = [sys.executable, "-c", SCRIPT, str(folder / "run"), str(small_prepared), json.dumps(small_settings), name]
    path = os.pathsep.join([os.getcwd(), *filter(None, [os.environ.get("PYTHONPATH")])])  # noqa: PTH109
    subprocess.run(words, check=True, cwd=folder, env={**os.environ, **environment, "PYTHONPATH": path}, timeout=120)
    return json.loads((folder / "run" / trackers.IDS).read_text())[name]


@pytest.mark.skipif(not INSTALLED["mlflow"], reason="mlflow is not installed")
def test_mlflow_has_each_epoch_once(small_prepared, small_settings, tmp_path):
    store = {"MLFLOW_TRACKING_URI": (tmp_path / "mlruns").as_uri(), "MLFLOW_ALLOW_FILE_STORE": "true"}
    run_id = train_with("mlflow", small_prepared, small_settings, tmp_path, **store)
    (stored,) = (tmp_path / "mlruns").glob(f"*/{run_id}")
    points = [line.split() for line in (stored / "metrics/train_loss").read_text().splitlines()]
    log = runs.read_log(tmp_path / "run")
    assert [int(point[2]) for point in points] == [1, 2, 3, 4]
    assert [float(point[1]) for point in points] == pytest.approx([line["train_loss"] for line in log])
    test = json.loads((tmp_path / "run/metrics.json").read_text())["splits"]["test"]
    (score,) = (stored / "metrics/test/uar").read_text().splitlines()
    assert float(score.split()[1]) == pytest.approx(test["uar"])
    assert (stored / "params/training.lr").read_text() == "0.005"
    assert (stored / "artifacts/test_confusion.png").read_bytes().startswith(b"\x89PNG")
    assert "status: 3" in (stored / "meta.yaml").read_text()  # finished


@pytest.mark.skipif(not INSTALLED["wandb"], reason="wandb is not installed")
def test_wandb_offline_has_one_run(small_prepared, small_settings, tmp_path):
    run_id = train_with("wandb", small_prepared, small_settings, tmp_path, WANDB_MODE="offline")
    folders = sorted((tmp_path / "wandb").glob("offline-run-*"))
    assert [folder.name.rpartition("-")[2] for folder in folders] == [run_id, run_id]  # before and after the stop
    assert all((folder / f"run-{run_id}.wandb").stat().st_size for folder in folders)
