"""Training end to end on small synthetic corpora: the run folder's contract, repeatability, resuming, refusals."""

import json
import os
import signal
import subprocess
import sys
import time

import pandas
import pytest
import torch
import yaml
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertConfig, BertForSequenceClassification

from emokit import predictions, runs
from emokit.data.prepared import open_prepared
from emokit.errors import DataError, UsageError
from emokit.labels import DEFAULT_LABELS
from emokit.text.predictor import load
from emokit.text.settings import TextSettings
from emokit.text.train import plan, train

pytestmark = pytest.mark.end_to_end


def trained(values, prepared, run, **options):
    return train(TextSettings.make(values), open_prepared(prepared), run, device="cpu", **options)


@pytest.fixture(scope="module")
def finished(text_prepared, tmp_path_factory):
    """A complete run of three epochs; the settings of the fixture `text_settings`."""
    shape = {"vocab_size": 400, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    values = {
        "name": "small",
        "features": {"max_length": 24},
        "model": {"kind": "tiny", "tiny": shape},
        "training": {"max_epochs": 3, "batch_size": 32, "lr": 0.01, "class_balancing": "inverse"},
    }
    run = tmp_path_factory.mktemp("finished") / "run"
    trained(values, text_prepared, run)
    return run


def test_a_run_folder_has_every_file_of_the_contract(finished):
    files = {path.relative_to(finished).as_posix() for path in finished.rglob("*") if path.is_file()}
    assert {
        "settings.yaml",
        "environment.json",
        "log.jsonl",
        "ledger.json",
        "checkpoints/last/state.pt",
        "model/config.json",
        "model/model.safetensors",
        "model/tokenizer.json",
        "predictions/dev.parquet",
        "predictions/test.parquet",
        "label_issues.csv",
        "README.md",
        "metrics.json",
    } <= files
    newest = max((path for path in finished.rglob("*") if path.is_file()), key=lambda path: path.stat().st_mtime_ns)
    assert newest.name == "metrics.json"


def test_the_model_loads_with_transformers_alone(finished):
    model = AutoModelForSequenceClassification.from_pretrained(finished / "model")
    tokenizer = AutoTokenizer.from_pretrained(finished / "model")
    assert model(**tokenizer("wow", return_tensors="pt")).logits.shape == (1, 7)
    assert [model.config.id2label[target] for target in range(7)] == list(DEFAULT_LABELS)


def test_predictions_have_every_utterance_and_metrics_have_every_corpus(finished, text_prepared):
    table = open_prepared(text_prepared).table
    for split in ("dev", "test"):
        predicted = predictions.read(finished / "predictions" / f"{split}.parquet").table
        assert sorted(predicted["utterance_id"]) == sorted(table["utterance_id"][table["split"] == split])
    scored = runs.read_metrics(finished)["splits"]["test"]
    assert set(scored["per_corpus"]) == {"goemotions", "meld"}
    assert {"majority", "simple"} == set(scored["baselines"])
    assert scored["baselines"]["simple"]["uar"] > scored["baselines"]["majority"]["uar"]


def test_the_best_epoch_on_dev_is_the_one_that_was_saved(finished):
    metrics, log = runs.read_metrics(finished), runs.read_log(finished)
    best = max(log, key=lambda epoch: (epoch["dev_uar"], -epoch["dev_loss"]))
    assert metrics["best_epoch"] == best["epoch"]
    assert metrics["splits"]["dev"]["uar"] == pytest.approx(best["dev_uar"])


def test_label_issues_are_of_dev(finished, text_prepared):
    label_issues = pandas.read_csv(finished / "label_issues.csv")
    table = open_prepared(text_prepared).table.set_index("utterance_id")
    assert len(label_issues)
    assert set(table.loc[label_issues["utterance_id"], "split"]) == {"dev"}
    assert label_issues["p_label"].is_monotonic_increasing


def test_the_same_seed_gives_the_same_scores_and_weights(finished, text_prepared, text_settings, tmp_path):
    trained(text_settings, text_prepared, tmp_path / "run")
    for name in ("metrics.json", "model/model.safetensors", "model/tokenizer.json", "predictions/test.parquet"):
        assert (tmp_path / "run" / name).read_bytes() == (finished / name).read_bytes(), name


def test_a_run_killed_in_mid_epoch_and_resumed_ends_with_the_same_weights(text_prepared, text_settings, tmp_path):
    text_settings["training"] |= {
        "max_epochs": 6,
        "patience": None,
        "gradient_accumulation_steps": 2,
        "layer_decay": 0.8,
    }
    experiment = tmp_path / "small.yaml"
    experiment.write_text(yaml.safe_dump(text_settings))

    def command(run, *more):
        words = ["train", "text", str(experiment), "--data", str(text_prepared), "--run", str(run), "--device", "cpu"]
        return [sys.executable, "-m", "emokit", *words, *more]

    def log_lines(run):
        path = run / runs.LOG
        return path.read_text().count("\n") if path.exists() else 0

    quiet = {
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.PIPE,
        "env": {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
    }
    trained(text_settings, text_prepared, tmp_path / "whole")
    with subprocess.Popen(command(tmp_path / "killed"), **quiet) as process:
        while log_lines(tmp_path / "killed") < 2 and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert not runs.is_complete(tmp_path / "killed")
    assert 2 <= log_lines(tmp_path / "killed") < 6
    subprocess.run(command(tmp_path / "killed", "--resume"), check=True, **quiet)
    for name in ("metrics.json", "model/model.safetensors", "predictions/test.parquet"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_one_corpus_can_be_trained_on_alone(text_prepared, text_settings, tmp_path):
    text_settings["data"] = {"corpora": ["meld"], "context_turns": 2}
    text_settings["training"] |= {"max_epochs": 1, "batch_size": 8}
    metrics = trained(text_settings, text_prepared, tmp_path / "run")
    assert set(metrics["splits"]["test"]["per_corpus"]) == {"meld"}
    assert metrics["splits"]["test"]["cluster"] == "dialogue"


def test_a_bag_of_words_is_a_run_like_any_other(text_prepared, tmp_path):
    metrics = trained({"name": "bag", "model": {"kind": "tfidf"}}, text_prepared, tmp_path / "run")
    assert (metrics["model"], metrics["epochs"]) == ("tfidf", 0)
    test = metrics["splits"]["test"]
    assert set(test["baselines"]) == {"majority"}  # it is the simple baseline of the other text runs
    assert "| Score | Model | 95 % interval | Majority |" in (tmp_path / "run" / "README.md").read_text()
    again = trained({"name": "bag", "model": {"kind": "tfidf"}}, text_prepared, tmp_path / "again")
    assert again == metrics
    assert not list((tmp_path / "run").rglob("*.pkl"))


def test_a_zero_shot_run_lists_the_classes_that_its_classifier_never_predicts(finished, text_prepared, tmp_path):
    folder = tmp_path / "classifier"
    AutoTokenizer.from_pretrained(finished / "model").save_pretrained(folder)
    shape = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8, "num_hidden_layers": 1}
    labels = {0: "joy", 1: "anger"}
    BertForSequenceClassification(BertConfig(vocab_size=400, id2label=labels, **shape)).save_pretrained(folder)
    model = {"kind": "zero_shot", "name": str(folder), "labels": {"joy": "happy", "anger": "angry"}}
    values = {"name": "classifier", "model": model, "features": {"max_length": 24}}
    metrics = trained(values, text_prepared, tmp_path / "run")
    assert metrics["missing_labels"] == ["disgust", "fear", "neutral", "sad", "surprise"]
    table = predictions.read(tmp_path / "run" / "predictions" / "test.parquet").table
    assert (table[["p_disgust", "p_neutral"]] == 0).all(axis=None)

    with pytest.raises(UsageError) as error:
        plan(TextSettings.make(values | {"model": model | {"labels": {"joy": "joyful"}}}), open_prepared(text_prepared))
    assert str(error.value) == (
        "model.labels maps joy to joyful, and the data have angry, disgust, fear, happy, neutral, sad, surprise; map it to "
        "one of them or to null."
    )


@pytest.mark.parametrize("kind", ["tiny", "tfidf"])
def test_a_run_has_the_label_set_of_its_data(mood_prepared, text_settings, tmp_path, kind):
    text_settings["data"] = {"corpora": ["diary"]}
    text_settings["model"]["kind"] = kind
    text_settings["training"] |= {"max_epochs": 10, "batch_size": 8}
    metrics = trained(text_settings, mood_prepared, tmp_path / "run")
    labels = open_prepared(mood_prepared).labels
    assert metrics["labels"] == list(labels) == ["tired", "calm", "cross"]
    assert metrics["splits"]["test"]["uar"] == 1
    if kind == "tiny":
        model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "run" / "model")
        assert model.config.id2label == labels.id2label
    loaded = load(tmp_path / "run", "cpu")
    (prediction,) = loaded.predict(["stop that noise now"])
    assert (prediction.labels, prediction.label) == (labels, "cross")
    again, _ = loaded.predict_split(open_prepared(mood_prepared), "test")
    assert again.labels == labels
    assert again.table.equals(predictions.read(tmp_path / "run" / "predictions" / "test.parquet").table)


@pytest.mark.parametrize("kind", ["tiny", "tfidf"])
def test_a_plan_has_the_utterances_and_the_steps_of_a_training(text_prepared, text_settings, kind):
    prepared = open_prepared(text_prepared)
    text_settings["model"]["kind"] = kind
    planned = plan(TextSettings.make(text_settings), prepared)
    assert planned.utterances == {split: int((prepared.table["split"] == split).sum()) for split in planned.utterances}
    assert list(planned.utterances) == ["train", "dev", "test"]
    if kind == "tfidf":
        assert planned.facts == {"steps_per_epoch": 0}
        return
    assert list(planned.facts) == ["steps_per_epoch", "padding_share", "texts_cut"]
    assert planned.facts["steps_per_epoch"] >= planned.utterances["train"] / 32
    assert 0 <= planned.facts["padding_share"] < 0.1
    assert all(0 < planned.facts["texts_cut"][split] < count for split, count in planned.utterances.items())
    text_settings["features"]["max_length"] = 64
    planned = plan(TextSettings.make(text_settings), prepared)
    assert planned.facts["texts_cut"] == {"train": 0, "dev": 0, "test": 0}


def test_gradient_checkpointing_changes_no_weight(finished, text_prepared, text_settings, tmp_path):
    text_settings["training"]["gradient_checkpointing"] = True
    trained(text_settings, text_prepared, tmp_path / "run", precision="float32")
    del text_settings["training"]["gradient_checkpointing"]
    trained(text_settings, text_prepared, tmp_path / "plain", precision="float32")
    weights = [(tmp_path / name / "model/model.safetensors").read_bytes() for name in ("run", "plain")]
    assert weights[0] == weights[1]


def refusal(kind, values, prepared, run):
    with pytest.raises(kind) as error:
        trained(values, prepared, run)
    assert not run.exists()
    return str(error.value)


def test_a_model_that_cannot_be_fetched_leaves_no_run_folder(text_prepared, text_settings, tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    text_settings["model"] = {"name": "some/encoder"}
    assert refusal(DataError, text_settings, text_prepared, tmp_path / "run").endswith("`hf download some/encoder`.")


def test_a_corpus_that_was_not_prepared_is_named(text_prepared, text_settings, tmp_path):
    text_settings["data"] = {"corpora": ["tess"]}
    assert refusal(UsageError, text_settings, text_prepared, tmp_path / "run") == (
        f"data.corpora names tess and {text_prepared} has text of goemotions, meld; prepare it too."
    )


def test_a_log_has_plain_numbers(finished):
    assert all(isinstance(json.dumps(line), str) for line in runs.read_log(finished))
