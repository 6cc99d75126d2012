"""Cross-validation: every utterance is tested once by a model not trained on its speaker; pooled scores by hand."""

import json
import shutil

import pandas
import pytest
import sklearn.metrics
import torch
import yaml
from typer.testing import CliRunner

from emokit import predictions, runs
from emokit.cli.app import app
from emokit.data.prepared import open_prepared
from emokit.errors import DataError
from emokit.modality.registry import modality
from emokit.training.cross_validation.run import _fold_data, _pooled
from tests.conftest import write_meld

pytestmark = pytest.mark.end_to_end
runner = CliRunner()


@pytest.fixture(scope="module")
def finished(small_prepared, tmp_path_factory):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in the workers, since the order of a sum changes its rounding
    folder = tmp_path_factory.mktemp("folds")
    data = shutil.copytree(small_prepared, folder / "prepared")  # features at other speeds are cached in it
    settings = {
        "name": "small",
        "data": {"window_seconds": 1.5},
        "features": {"sample_rate": 16000, "n_fft": 512, "hop_length": 320, "n_mels": 32},
        "model": {"channels": [4, 8], "lstm_hidden_size": 8, "num_attention_heads": 2, "classifier_hidden_size": 8},
        "augmentation": {"speed_factors": [0.9, 1.0]},
        "training": {"max_epochs": 1, "batch_size": 16},
    }
    (folder / "small.yaml").write_text(yaml.safe_dump(settings))
    command = ["train", "audio", str(folder / "small.yaml"), "--data", str(data), "--run", str(folder / "run")]
    command += ["--device", "cpu", "--folds", "leave-one-speaker-out"]
    result = runner.invoke(app, command)
    assert result.exit_code == 0, result.output
    yield folder / "run", command, result
    torch.set_num_threads(threads)


def test_every_utterance_is_tested_once_by_a_model_not_trained_on_its_speaker(finished, small_prepared):
    run, _, _ = finished
    table = open_prepared(small_prepared).table
    pooled = predictions.read(run / "predictions" / "test.parquet").table
    assert sorted(pooled["utterance_id"]) == sorted(table["utterance_id"])
    folds = sorted((run / "folds").iterdir())
    assert len(folds) == table["speaker"].nunique()
    for fold in folds:
        tested = set(pandas.read_parquet(fold / "predictions" / "test.parquet")["speaker"])
        developed = set(pandas.read_parquet(fold / "predictions" / "dev.parquet")["speaker"])
        assert len(tested) == 1
        assert not tested & developed


def test_pooled_scores_agree_with_scikit_learn(finished):
    run, _, _ = finished
    pooled = runs.read_metrics(run)
    read = predictions.read(run / "predictions" / "test.parquet")
    table, labels = read.table, read.labels
    assert pooled["labels"] == list(labels) == list(runs.read_labels(run))
    predicted = [labels[target] for target in read.probabilities.argmax(axis=1)]
    test = pooled["splits"]["test"]
    assert test["accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(table["label"], predicted))
    recalls = sklearn.metrics.recall_score(
        table["label"], predicted, labels=sorted(set(table["label"])), average="macro", zero_division=0
    )
    assert test["uar"] == pytest.approx(recalls)
    assert test["num_clusters"] == len(pooled["folds"])
    assert sum(scores["n"] for scores in test["per_gender"].values()) == len(table)
    by_hand = pandas.Series([fold["uar"] for fold in pooled["folds"].values()])
    assert pooled["over_folds"]["uar"]["mean"] == pytest.approx(by_hand.mean())
    assert pooled["over_folds"]["uar"]["deviation"] == pytest.approx(by_hand.std())
    majority = pandas.DataFrame(test["baselines"]["majority"]["confusion"]).to_numpy()
    assert majority.sum() == test["n"]


def test_the_model_card_of_the_pooled_run_has_the_facts_of_the_modality(finished):
    run, _, _ = finished
    facts = modality("audio").card(runs.read_settings(run))
    card = (run / "README.md").read_text(encoding="utf-8")
    assert f"Given {facts.reads}, the model returns a probability" in card
    assert f"    emokit predict RUN {facts.example}\n" in card


def test_an_interrupted_cross_validation_trains_the_missing_folds(finished):
    run, command, _ = finished
    before = json.loads((run / "metrics.json").read_text())
    (run / "metrics.json").unlink()
    complete, interrupted = sorted((run / "folds").iterdir())[:2]
    (interrupted / "metrics.json").unlink()
    stamp = (complete / "metrics.json").stat().st_mtime_ns
    again = runner.invoke(app, [*command, "--resume"])
    assert again.exit_code == 0, again.output
    assert (complete / "metrics.json").stat().st_mtime_ns == stamp
    assert json.loads((run / "metrics.json").read_text()) == before
    assert "folds (leave-one-speaker-out) pooled" in again.stdout


def test_folds_trained_at_the_same_time_have_the_scores_of_folds_trained_one_after_the_other(
    finished, tmp_path, monkeypatch
):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    run, command, _ = finished
    (slower,) = (run.parent / "prepared" / "features").glob("*-speed-0.9")
    shutil.rmtree(slower)
    again = shutil.copytree(run, tmp_path / "run")
    (again / "metrics.json").unlink()
    (again / "predictions" / "test.parquet").unlink()
    missing = sorted((again / "folds").iterdir())[3:5]
    for folder in missing:
        shutil.rmtree(folder)
    words = [str(again) if word == str(run) else word for word in command]
    result = runner.invoke(app, [*words, "--resume", "--workers", "2"])
    assert result.exit_code == 0, result.output
    assert json.loads((again / "metrics.json").read_text()) == json.loads((run / "metrics.json").read_text())
    pooled = [predictions.read(folder / "predictions" / "test.parquet").table for folder in (run, again)]
    pandas.testing.assert_frame_equal(*pooled)
    names = runs.read_metrics(run)["folds"]
    assert (
        f"files read: {len(pooled[0])} of {len(pooled[0])} files\n"
        f"2 folds at once; the output of their workers is in {again / 'workers'}\n"
    ) in result.stderr
    assert result.stderr.count("epoch   1  train loss") == len(missing)
    assert result.stderr.count("test UAR") == len(names)
    assert {path.name for path in (again / "workers").iterdir()} == {"0.log", "1.log"}


def test_collapsed_folds_are_reported_and_nothing_is_pooled(finished, tmp_path):
    _, command, _ = finished
    run = tmp_path / "run"
    words = [str(run) if word.endswith("/run") else word for word in command]
    wild = {"model.skip_connections": "false", "training.max_grad_norm": "null", "training.warmup_ratio": 0}
    wild |= {"training.collapse_patience": 1, "training.lr": 1}
    result = runner.invoke(app, [*words, "--epochs", "3", *(f"--set={key}={value}" for key, value in wild.items())])
    assert result.exit_code == 4
    *lines, last = result.stderr.splitlines()
    names = [line.removeprefix("fold ").split(": The training collapsed: ")[0] for line in lines if "collapsed" in line]
    assert names
    folds = len(list((run / "folds").iterdir()))
    assert len(names) + sum("test UAR" in line for line in lines) == folds
    assert last.startswith(
        f"error: {len(names)} of {folds} folds collapsed, so nothing is pooled; name another --run for other settings "
        f"(fold {names[0]}: The training collapsed: "
    )
    assert not (run / "metrics.json").exists()


def test_workers_without_folds_are_refused(finished):
    _, command, _ = finished
    result = runner.invoke(app, [*command[:-2], "--workers", "2"])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        "error: --workers 2 was given without --folds, which are trained at once; give both."
    )


def test_unknown_folds_are_refused(finished, tmp_path):
    _, command, _ = finished
    words = [*command[:-1], "everyone"]
    words[words.index("--run") + 1] = str(tmp_path / "run")
    result = runner.invoke(app, words)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: --folds everyone is unknown; choose one of ")
    assert not (tmp_path / "run").exists()


def test_a_cross_validation_is_not_resumed_as_a_single_training(finished, tmp_path):
    finished_run, command, _ = finished
    run = shutil.copytree(finished_run, tmp_path / "run")
    (run / "metrics.json").unlink()
    before = {path.relative_to(run) for path in run.rglob("*")}
    words = [str(run) if word == str(finished_run) else word for word in command[:-2]]
    result = runner.invoke(app, [*words, "--resume"])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        f"error: {run} was started with --folds leave-one-speaker-out and would be resumed without --folds; "
        "resume it as it was started, or name another --run."
    )
    assert {path.relative_to(run) for path in run.rglob("*")} == before


def test_several_processes_are_refused_in_a_sentence(finished, tmp_path, monkeypatch):
    _, command, _ = finished
    for name, value in {"WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    result = runner.invoke(app, [str(tmp_path / "run") if word.endswith("/run") else word for word in command])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        "error: 2 processes were started and folds are trained in one; start one process, or train without --folds."
    )
    assert not (tmp_path / "run").exists()


def test_text_is_cross_validated_too(tmp_path):
    write_meld(tmp_path / "meld")
    for path in (tmp_path / "meld").glob("*.csv"):
        # The speakers take other turns in every second dialogue, so that both have every label.
        rows = pandas.read_csv(path)
        rows["Speaker"] = (rows["Utterance_ID"] + rows["Dialogue_ID"] // 2).mod(2).map({0: "Ann", 1: "Bo"})
        rows.to_csv(path, index=False)
    prepared = tmp_path / "prepared"
    made = runner.invoke(app, ["prepare", "meld", "--root", f"meld={tmp_path / 'meld'}", "--out", str(prepared)])
    assert made.exit_code == 0, made.output
    (tmp_path / "text.yaml").write_text(yaml.safe_dump({"name": "text", "model": {"kind": "tfidf"}}))
    command = ["train", "text", str(tmp_path / "text.yaml"), "--data", str(prepared), "--run", str(tmp_path / "run")]
    result = runner.invoke(app, [*command, "--folds", "leave-one-speaker-out", "--workers", "2"])
    assert result.exit_code == 0, result.output
    pooled = predictions.read(tmp_path / "run" / "predictions" / "test.parquet").table
    assert sorted(pooled["utterance_id"]) == sorted(open_prepared(prepared).table["utterance_id"])
    tested = [
        pandas.read_parquet(fold / "predictions" / "test.parquet") for fold in (tmp_path / "run" / "folds").iterdir()
    ]
    assert sorted(fold["speaker"].unique().tolist() for fold in tested) == [["Ann"], ["Bo"]]


def test_data_that_change_between_two_folds_are_named(small_prepared):
    with pytest.raises(DataError) as error:
        _fold_data(small_prepared, "of other data", None, "leave-one-speaker-out", "03")
    assert str(error.value) == (
        f"{small_prepared} was prepared again while its folds were trained; train them in another --run."
    )


def test_an_utterance_that_two_folds_test_is_named(finished):
    run, _, _ = finished
    fold = sorted((run / "folds").iterdir())[0]
    with pytest.raises(DataError) as error:
        _pooled(run, [fold, fold])
    assert str(error.value) == (
        f"{run}: an utterance is tested in two folds; prepare it with folds that do not overlap."
    )
