"""Training on a small synthesised corpus: the run folder's contract, repeatability, resuming, label sets."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pandas
import pytest
import sklearn.metrics
import torch
import yaml
from safetensors.torch import load_file

from emokit import predictions, runs
from emokit.audio.modality import AUDIO
from emokit.audio.predictor import AudioPredictor
from emokit.audio.settings import AudioSettings
from emokit.data.prepared import open_prepared
from emokit.errors import UsageError
from tests.audio.conftest import OTHER_LABELS

pytestmark = pytest.mark.end_to_end


def train(values, data, run, **how):
    return AUDIO.train(AudioSettings.make(values), open_prepared(data), run, device="cpu", **how)


def test_a_run_folder_has_every_file_of_the_contract(acrnn_run):
    names = {path.relative_to(acrnn_run).as_posix() for path in acrnn_run.rglob("*") if path.is_file()}
    assert {
        "settings.yaml",
        "environment.json",
        "log.jsonl",
        "ledger.json",
        "checkpoints/last/state.pt",
        "model/config.json",
        "model/model.safetensors",
        "predictions/dev.parquet",
        "predictions/test.parquet",
        "README.md",
        "metrics.json",
    } <= names
    assert any(name.startswith("tensorboard/events") for name in names)
    assert not [name for name in names if "part" in name or name.startswith(".")]
    newest = max((path for path in acrnn_run.rglob("*") if path.is_file()), key=lambda path: path.stat().st_mtime_ns)
    assert newest.name == "metrics.json"


def test_metrics_agree_with_scikit_learn_on_the_predictions(acrnn_run):
    metrics, labels = runs.read_metrics(acrnn_run), runs.read_labels(acrnn_run)
    for split in ("dev", "test"):
        table = pandas.read_parquet(acrnn_run / "predictions" / f"{split}.parquet")
        truth = table["label"]
        classes = table[[f"p_{label}" for label in labels]].to_numpy().argmax(axis=1)
        predicted = pandas.Series([labels[i] for i in classes])
        scored = metrics["splits"][split]
        assert scored["n"] == len(table)
        assert scored["accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(truth, predicted))
        present = sorted(set(truth))
        recall = sklearn.metrics.recall_score(truth, predicted, labels=present, average="macro", zero_division=0)
        assert scored["uar"] == pytest.approx(recall)
        for average in ("weighted", "macro"):
            f1 = sklearn.metrics.f1_score(truth, predicted, average=average, zero_division=0)
            assert scored[f"{average}_f1"] == pytest.approx(f1)
        confusion = sklearn.metrics.confusion_matrix(truth, predicted, labels=list(labels))
        assert scored["confusion"] == confusion.tolist()
        assert sum(group["n"] for group in scored["per_gender"].values()) == len(table)
        for name, (low, high) in scored["interval"].items():
            assert low <= scored[name] <= high, name


def test_the_saved_model_is_that_of_the_best_epoch_on_dev(acrnn_run):
    metrics, log = runs.read_metrics(acrnn_run), runs.read_log(acrnn_run)
    best = max(log, key=lambda epoch: (epoch["dev_uar"], -epoch["dev_loss"]))
    assert metrics["best_epoch"] == best["epoch"]
    assert metrics["splits"]["dev"]["uar"] == pytest.approx(best["dev_uar"])
    assert metrics["epochs"] == len(log) == 3


def test_a_run_names_the_data_that_it_was_made_from(acrnn_run, small_prepared):
    prepared = open_prepared(small_prepared)
    assert runs.read_environment(acrnn_run)["data_fingerprint"] == prepared.fingerprint
    assert predictions.read(acrnn_run / "predictions" / "dev.parquet").fingerprint == prepared.fingerprint
    assert json.loads((acrnn_run / "ledger.json").read_text()) == prepared.ledger


def test_the_same_seed_gives_the_same_scores_and_weights(acrnn_run, small_prepared, small_settings, tmp_path):
    train(small_settings, small_prepared, tmp_path / "run")
    assert (tmp_path / "run" / "metrics.json").read_bytes() == (acrnn_run / "metrics.json").read_bytes()
    assert (tmp_path / "run/model/model.safetensors").read_bytes() == (
        acrnn_run / "model/model.safetensors"
    ).read_bytes()


def test_another_seed_gives_other_weights(acrnn_run, small_prepared, small_settings, tmp_path):
    small_settings["training"]["seed"] = 1
    train(small_settings, small_prepared, tmp_path / "run")
    assert (tmp_path / "run/model/model.safetensors").read_bytes() != (
        acrnn_run / "model/model.safetensors"
    ).read_bytes()


@pytest.mark.parametrize("by_speaker", [False, True])
def test_the_simple_baseline_is_a_run_like_any_other(acrnn_run, small_prepared, small_settings, tmp_path, by_speaker):
    small_settings["model"] = {"kind": "functionals"}
    small_settings["training"]["batch_size"] = 5000  # has no effect on it
    small_settings["data"]["speaker_normalisation"] = by_speaker
    run = tmp_path / "run"
    metrics = train(small_settings, small_prepared, run)
    assert (metrics["model"], metrics["epochs"], "declared" in metrics) == ("functionals", 0, by_speaker)
    for split, scored in metrics["splits"].items():
        assert set(scored["baselines"]) == {"majority"}, split
        beside = runs.read_metrics(acrnn_run)["splits"][split]["baselines"]["simple"]["uar"]
        assert by_speaker or scored["uar"] == beside, split
    predicted, _ = AudioPredictor(run, "cpu").predict_split(open_prepared(small_prepared), "test")
    predictions.write(predicted, tmp_path / "again.parquet")
    again = predictions.read(tmp_path / "again.parquet").table
    pandas.testing.assert_frame_equal(again, predictions.read(run / "predictions" / "test.parquet").table)
    assert train(small_settings, small_prepared, tmp_path / "twice") == metrics


@pytest.mark.parametrize("kind", ["acrnn", "functionals"])
def test_a_model_has_the_label_set_of_its_data(relabelled, small_settings, tmp_path, kind):
    if kind == "functionals":
        small_settings["model"] = {"kind": "functionals"}
    small_settings["training"]["max_epochs"] = 1
    run = tmp_path / "run"
    metrics = train(small_settings, relabelled, run)
    assert tuple(metrics["labels"]) == runs.read_labels(run) == OTHER_LABELS
    assert list(metrics["splits"]["test"]["per_class"]) == list(OTHER_LABELS)
    config = json.loads((run / "model/config.json").read_text())
    assert config["id2label"] == {"0": "positive", "1": "negative", "2": "calm"}
    assert "positive" in (run / "README.md").read_text()

    predictor = AudioPredictor(run, "cpu")
    assert predictor.labels == OTHER_LABELS
    predicted, _ = predictor.predict_split(open_prepared(relabelled), "test")
    before = predictions.read(run / "predictions/test.parquet")
    assert before.labels == OTHER_LABELS
    predictions.write(predicted, tmp_path / "again.parquet")
    assert predictions.read(tmp_path / "again.parquet").table.equals(before.table)
    table = open_prepared(relabelled).table.iloc[0]
    (prediction,) = predictor.predict([f"{open_prepared(relabelled).roots['emodb']}/{table['path']}"])
    assert list(prediction.as_dict()["probabilities"]) == list(OTHER_LABELS)
    assert prediction.probabilities.sum() == pytest.approx(1)


def test_a_run_killed_during_an_epoch_and_resumed_ends_with_the_same_weights(small_prepared, small_settings, tmp_path):
    small_settings["training"] |= {"max_epochs": 6, "patience": None, "collapse_patience": 100}
    experiment = tmp_path / "small.yaml"
    experiment.write_text(yaml.safe_dump(small_settings))

    def command(run, *more):
        words = ["train", "audio", str(experiment), "--data", str(small_prepared), "--run", str(run), "--device", "cpu"]
        return [sys.executable, "-m", "emokit", *words, *more]

    def log_lines(run):
        path = run / runs.LOG
        return path.read_text().count("\n") if path.exists() else 0

    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "env": environment}
    killed, complete = tmp_path / "killed", tmp_path / "complete"
    train(small_settings, small_prepared, complete)
    with subprocess.Popen(command(killed), **quiet) as process:
        while log_lines(killed) < 2 and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert not runs.is_complete(killed)
    assert 2 <= log_lines(killed) < 6
    subprocess.run(command(killed, "--resume"), check=True, **quiet)
    for name in ("metrics.json", "model/model.safetensors"):
        assert (killed / name).read_bytes() == (complete / name).read_bytes(), name
    assert load_file(killed / "model/model.safetensors")
    logs = [[{**epoch, "seconds": 0} for epoch in runs.read_log(run)] for run in (killed, complete)]
    assert logs[0] == logs[1]


def test_a_run_folder_that_exists_is_refused(acrnn_run, small_prepared, small_settings):
    with pytest.raises(UsageError) as error:
        train(small_settings, small_prepared, acrnn_run)
    assert str(error.value) == (
        f"{acrnn_run} is complete; add --resume to resume it, --force to replace it, or name another --run."
    )


def test_no_features_are_computed_for_a_run_that_cannot_be_started(acrnn_run, small_prepared, small_settings, tmp_path):
    data = shutil.copytree(small_prepared, tmp_path / "data")
    before = sorted(path.name for path in (data / "features").iterdir())
    values = {**small_settings, "features": {**small_settings["features"], "n_mels": 24}}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    for run, how in ((acrnn_run, {}), (tmp_path / "mine", {}), (acrnn_run, {"resume": True})):
        with pytest.raises(UsageError):
            train(values, data, run, **how)
    assert sorted(path.name for path in (data / "features").iterdir()) == before


def test_a_complete_run_is_not_resumed(acrnn_run, small_prepared, small_settings):
    with pytest.raises(UsageError) as error:
        train(small_settings, small_prepared, acrnn_run, resume=True)
    assert (
        str(error.value) == f"{acrnn_run} is complete; read it with `emokit report {acrnn_run}`, or name another --run."
    )


def test_force_replaces_a_run(acrnn_run, small_prepared, small_settings, tmp_path):
    run = shutil.copytree(acrnn_run, tmp_path / "run")
    small_settings["training"]["max_epochs"] = 1
    assert train(small_settings, small_prepared, run, held_out=("dev",), force=True)["epochs"] == 1
    assert [path.name for path in (run / "predictions").iterdir()] == ["dev.parquet"]


@pytest.mark.corpus
def test_a_small_acrnn_on_emodb_is_better_than_the_majority_class_on_dev(corpora, tmp_path):
    from typer.testing import CliRunner

    from emokit.cli.app import app

    runner, data, run = CliRunner(), tmp_path / "prepared", tmp_path / "run"
    prepared = runner.invoke(app, ["prepare", "emodb", "--root", f"emodb={corpora / 'emodb'}", "--out", str(data)])
    assert prepared.exit_code == 0, prepared.output
    words = ["train", "audio", "--data", str(data), "--run", str(run)]
    words += ["--epochs", "8", "--batch-size", "16", "--lr", "2e-3"]
    small = [
        "model.channels=[16,32,64]",
        "model.lstm_hidden_size=32",
        "model.classifier_hidden_size=32",
        "training.mixup_alpha=0",
    ]
    trained = runner.invoke(app, [*words, *[word for setting in small for word in ("--set", setting)]])
    assert trained.exit_code == 0, trained.output
    dev = runs.read_metrics(run)["splits"]["dev"]
    assert dev["accuracy"] > dev["baselines"]["majority"]["accuracy"]
    assert dev["uar"] > dev["baselines"]["majority"]["uar"]
