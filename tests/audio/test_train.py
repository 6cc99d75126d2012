"""Training end to end on a small synthesised corpus: the run folder's contract, repeatability, going on after a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pandas
import pytest
import sklearn.metrics
import torch
import yaml
from safetensors.torch import load_file

from emokit import predictions, runs
from emokit.audio.predict import load_model, predict_split
from emokit.audio.settings import AudioSettings
from emokit.audio.train import new_model, read_splits, train
from emokit.data.prepared import open_prepared
from emokit.errors import DataError, UsageError
from emokit.labels import LABELS

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def finished(small_prepared, tmp_path_factory):
    """A complete run of three epochs."""
    settings = AudioSettings.make(
        {
            "name": "small",
            "data": {"window_seconds": 1.5},
            "features": {"sample_rate": 16000, "n_fft": 512, "hop_length": 320, "n_mels": 32},
            "model": {"channels": [4, 8], "lstm_hidden_size": 8, "num_attention_heads": 2, "classifier_hidden_size": 8},
            "training": {"max_epochs": 3, "batch_size": 16, "lr": 0.005},
        }
    )
    run = tmp_path_factory.mktemp("finished") / "run"
    train(settings, open_prepared(small_prepared), run, device="cpu")
    return run


def test_a_run_folder_has_every_file_of_the_contract(finished):
    there = {path.relative_to(finished).as_posix() for path in finished.rglob("*") if path.is_file()}
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
    } <= there
    assert any(name.startswith("tensorboard/events") for name in there)
    assert not [name for name in there if "part" in name or name.startswith(".")]
    newest = max((path for path in finished.rglob("*") if path.is_file()), key=lambda path: path.stat().st_mtime_ns)
    assert newest.name == "metrics.json"


def test_metrics_agree_with_scikit_learn_on_the_predictions(finished):
    metrics = runs.read_metrics(finished)
    for split in ("dev", "test"):
        table = pandas.read_parquet(finished / "predictions" / f"{split}.parquet")
        truth = table["label"]
        predicted = table[[f"p_{label}" for label in LABELS]].to_numpy().argmax(axis=1)
        predicted = pandas.Series([LABELS[i] for i in predicted])
        scored = metrics["splits"][split]
        assert scored["n"] == len(table)
        assert scored["accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(truth, predicted))
        present = sorted(set(truth))
        recall = sklearn.metrics.recall_score(truth, predicted, labels=present, average="macro", zero_division=0)
        assert scored["uar"] == pytest.approx(recall)
        for average in ("weighted", "macro"):
            f1 = sklearn.metrics.f1_score(truth, predicted, average=average, zero_division=0)
            assert scored[f"{average}_f1"] == pytest.approx(f1)
        confusion = sklearn.metrics.confusion_matrix(truth, predicted, labels=list(LABELS))
        assert scored["confusion"] == confusion.tolist()
        assert sum(own["n"] for own in scored["per_gender"].values()) == len(table)
        for name, (low, high) in scored["interval"].items():
            assert low <= scored[name] <= high, name


def test_the_best_epoch_on_dev_is_the_one_that_was_kept(finished):
    metrics, log = runs.read_metrics(finished), runs.read_log(finished)
    best = max(log, key=lambda epoch: (epoch["dev_uar"], -epoch["dev_loss"]))
    assert metrics["best_epoch"] == best["epoch"]
    assert metrics["splits"]["dev"]["uar"] == pytest.approx(best["dev_uar"])
    assert metrics["epochs"] == len(log) == 3


def test_a_run_names_the_data_that_it_was_made_of(finished, small_prepared):
    prepared = open_prepared(small_prepared)
    assert runs.read_environment(finished)["data_fingerprint"] == prepared.fingerprint
    assert predictions.read(finished / "predictions" / "dev.parquet").fingerprint == prepared.fingerprint
    assert json.loads((finished / "ledger.json").read_text()) == prepared.ledger


def test_the_same_seed_gives_the_same_scores_and_weights(finished, small_prepared, small_settings, tmp_path):
    train(AudioSettings.make(small_settings), open_prepared(small_prepared), tmp_path / "run", device="cpu")
    assert (tmp_path / "run" / "metrics.json").read_bytes() == (finished / "metrics.json").read_bytes()
    assert (tmp_path / "run/model/model.safetensors").read_bytes() == (
        finished / "model/model.safetensors"
    ).read_bytes()


@pytest.mark.parametrize("by_speaker", [False, True])
def test_the_simple_baseline_is_a_run_like_any_other(finished, small_prepared, small_settings, tmp_path, by_speaker):
    small_settings["model"] = {"kind": "functionals"}
    small_settings["training"]["batch_size"] = 5000  # of no use to it
    small_settings["data"]["speaker_normalisation"] = by_speaker
    run, prepared = tmp_path / "run", open_prepared(small_prepared)
    found = train(AudioSettings.make(small_settings), prepared, run, device="cpu")
    assert (found["model"], found["epochs"], "declared" in found) == ("functionals", 0, by_speaker)
    for split, scored in found["splits"].items():
        assert scored["uar"] == scored["baselines"]["simple"]["uar"], split
        beside = runs.read_metrics(finished)["splits"][split]["baselines"]["simple"]["uar"]
        assert by_speaker or scored["uar"] == beside, split
    cpu = torch.device("cpu")
    predict_split(load_model(run, cpu), run, small_prepared, "test", tmp_path / "again.parquet", cpu)
    again = predictions.read(tmp_path / "again.parquet").table
    pandas.testing.assert_frame_equal(again, predictions.read(run / "predictions" / "test.parquet").table)
    assert train(AudioSettings.make(small_settings), prepared, tmp_path / "twice", device="cpu") == found


def test_another_seed_gives_other_weights(finished, small_prepared, small_settings, tmp_path):
    small_settings["training"]["seed"] = 1
    train(AudioSettings.make(small_settings), open_prepared(small_prepared), tmp_path / "run", device="cpu")
    assert (tmp_path / "run/model/model.safetensors").read_bytes() != (
        finished / "model/model.safetensors"
    ).read_bytes()


def test_a_run_killed_in_mid_epoch_and_resumed_ends_with_the_same_weights(small_prepared, small_settings, tmp_path):
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
    train(AudioSettings.make(small_settings), open_prepared(small_prepared), tmp_path / "whole", device="cpu")
    with subprocess.Popen(command(tmp_path / "killed"), **quiet) as process:
        while log_lines(tmp_path / "killed") < 2 and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert not runs.is_complete(tmp_path / "killed")
    assert 2 <= log_lines(tmp_path / "killed") < 6
    subprocess.run(command(tmp_path / "killed", "--resume"), check=True, **quiet)
    for name in ("metrics.json", "model/model.safetensors"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert load_file(tmp_path / "killed/model/model.safetensors")
    logs = [[{**epoch, "seconds": 0} for epoch in runs.read_log(tmp_path / name)] for name in ("killed", "whole")]
    assert logs[0] == logs[1]


def test_a_run_folder_that_exists_is_refused(finished, small_prepared, small_settings):
    with pytest.raises(UsageError) as error:
        train(AudioSettings.make(small_settings), open_prepared(small_prepared), finished, device="cpu")
    assert str(error.value) == (
        f"{finished} is complete; add --resume to go on with it, --force to replace it, or name another --run."
    )


def test_a_complete_run_is_not_resumed(finished, small_prepared, small_settings):
    with pytest.raises(UsageError) as error:
        train(AudioSettings.make(small_settings), open_prepared(small_prepared), finished, device="cpu", resume=True)
    assert (
        str(error.value) == f"{finished} is complete; read it with `emokit report {finished}`, or name another --run."
    )


def test_features_of_other_settings_are_not_mixed_in(small_prepared, small_settings):
    small_settings["features"]["hop_length"] = 256
    with pytest.raises(DataError) as error:
        read_splits(AudioSettings.make(small_settings), open_prepared(small_prepared))
    assert str(error.value) == (
        f"{small_prepared} has features with hop_length = 320, but the settings of the run have hop_length = 256; "
        "run `emokit prepare` into another folder with --set features.hop_length=256."
    )


def test_a_corpus_that_was_not_prepared_is_named(small_prepared, small_settings):
    small_settings["data"]["corpora"] = ["tess"]
    with pytest.raises(UsageError) as error:
        read_splits(AudioSettings.make(small_settings), open_prepared(small_prepared))
    assert str(error.value) == f"data.corpora names tess and {small_prepared} has emodb; prepare it too."


def test_a_batch_larger_than_the_training_split_is_refused(small_prepared, small_settings):
    small_settings["training"]["batch_size"] = 5000
    prepared = open_prepared(small_prepared)
    count = int((prepared.table["split"] == "train").sum())
    with pytest.raises(UsageError) as error:
        read_splits(AudioSettings.make(small_settings), prepared)
    assert str(error.value) == (
        f"training.batch_size is 5000 and the train split has {count} utterances; lower it with --batch-size."
    )


def test_a_class_without_a_training_example_is_named(small_prepared, small_settings):
    prepared = open_prepared(small_prepared)
    rest = prepared.table[(prepared.table["split"] != "train") | (prepared.table["label"] != "fear")]
    with pytest.raises(DataError) as error:
        read_splits(AudioSettings.make(small_settings), replace(prepared, table=rest))
    assert str(error.value) == (
        "The train split has no utterance labelled fear, which dev or test have; prepare more corpora or another split seed."
    )


@pytest.mark.corpus
def test_a_small_acrnn_on_emodb_beats_the_majority_class_on_dev(corpora, tmp_path):
    from typer.testing import CliRunner

    from emokit.cli.app import app

    runner, data, run = CliRunner(), tmp_path / "prepared", tmp_path / "run"
    prepared = runner.invoke(app, ["prepare", "emodb", "--root", f"emodb={corpora / 'emodb'}", "--out", str(data)])
    assert prepared.exit_code == 0, prepared.output
    words = [
        "train",
        "audio",
        "--data",
        str(data),
        "--run",
        str(run),
        "--epochs",
        "8",
        "--batch-size",
        "16",
        "--lr",
        "2e-3",
    ]
    small = [
        "model.channels=[16,32,64]",
        "model.lstm_hidden_size=32",
        "model.classifier_hidden_size=32",
        "training.mixup_alpha=0",
    ]
    small = [word for setting in small for word in ("--set", setting)]
    trained = runner.invoke(app, [*words, *small])
    assert trained.exit_code == 0, trained.output
    dev = runs.read_metrics(run)["splits"]["dev"]
    assert dev["accuracy"] > dev["baselines"]["majority"]["accuracy"]
    assert dev["uar"] > dev["baselines"]["majority"]["uar"]


def test_the_channels_of_a_place_lie_together_in_an_acrnn_that_is_trained(small_prepared, small_settings):
    settings = AudioSettings.make(small_settings)
    model = new_model(settings, read_splits(settings, open_prepared(small_prepared))["train"])
    kernels = [part for part in model.blocks.parameters() if part.ndim == 4 and part.shape[1] > 1 and part.shape[2] > 1]
    assert kernels
    assert all(part.stride()[1] == 1 for part in kernels)
