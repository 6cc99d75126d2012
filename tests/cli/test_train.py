"""`emokit train audio` and `emokit train text`, as a user types them."""

import json
import shutil

import pytest
import yaml
from typer.testing import CliRunner

from emokit.cli.app import app
from emokit.cli.train import fit_modality
from emokit.errors import MemoryFull

runner = CliRunner()
FILE = "{file} (with what the command line changes)"


@pytest.fixture
def experiment(small_settings, tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(small_settings))
    return path


def train(experiment, data, *more):
    return runner.invoke(
        app, ["train", "audio", str(experiment), "--data", str(data), "--device", "cpu", *map(str, more)]
    )


@pytest.mark.end_to_end
def test_a_training_ends_with_the_folder_and_the_next_command(experiment, small_prepared, tmp_path):
    result = train(experiment, small_prepared, "--run", tmp_path / "run", "--epochs", "2")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == str(tmp_path / "run")
    assert result.stderr.splitlines()[-1] == f"next: emokit report {tmp_path / 'run'} --out report"
    assert "small: best epoch" in result.stdout
    assert "majority" in result.stdout
    resolved = yaml.safe_load((tmp_path / "run" / "settings.yaml").read_text())
    assert resolved["training"]["max_epochs"] == 2
    assert resolved["model"]["channels"] == [4, 8]


@pytest.mark.end_to_end
def test_json_is_metrics_json(experiment, small_prepared, tmp_path):
    result = train(experiment, small_prepared, "--run", tmp_path / "run", "--epochs", "1", "--json")
    assert json.loads(result.stdout) == json.loads((tmp_path / "run" / "metrics.json").read_text())


def test_a_dry_run_shows_settings_and_sizes_and_writes_nothing(experiment, small_prepared, tmp_path):
    result = train(
        experiment, small_prepared, "--run", tmp_path / "run", "--dry-run", "--json", "--set", "training.lr=0.1"
    )
    plan = json.loads(result.stdout)
    assert plan["settings"]["training"]["lr"] == 0.1
    assert plan["steps_per_epoch"] == plan["utterances"]["train"] // 16
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (
            ["--set", "training.max_epoch=3"],
            f"{FILE} has the unknown key training.max_epoch; did you mean training.max_epochs?",
        ),
        (
            ["--set", "max_epochs=3"],
            f"{FILE} has the unknown key max_epochs; did you mean training.max_epochs?",
        ),
        (
            ["--lr", "7"],
            f"{FILE} has training.lr = 7.0, but it should be less than or equal to 1.",
        ),
        (
            ["--epochs", "0"],
            f"{FILE} has training.max_epochs = 0, but it should be greater than or equal to 1.",
        ),
        (["--set", "training.lr"], "--set training.lr has no '='; write it as --set key=value."),
        (
            ["--set", "data.window_seconds=0.11"],
            f"{FILE}: data.window_seconds gives 6 frames, but 3 poolings of time need 8; "
            "use a longer window, a shorter hop or fewer model.time_poolings.",
        ),
        (
            ["--resume", "--force"],
            "--resume and --force were given; add --resume to resume the run, or --force to replace it.",
        ),
        (["--device", "tpu"], "--device was given 2 times and takes one value; give it once."),
        (["--precision", "half"], "--precision half is unknown; choose one of auto, float32, bf16, fp16."),
    ],
)
def test_a_wrong_setting_costs_one_sentence_and_leaves_nothing(experiment, small_prepared, tmp_path, more, sentence):
    result = train(experiment, small_prepared, "--run", tmp_path / "run", *more)
    assert result.exit_code == 2
    assert result.stderr.strip() == f"error: {sentence.format(file=experiment)}"
    assert not (tmp_path / "run").exists()


def test_a_missing_experiment_is_named_beside_those_that_come_with_emokit(small_prepared, tmp_path):
    result = train("none", small_prepared, "--run", tmp_path / "run")
    assert result.exit_code == 2
    assert result.stderr.startswith(
        "error: none is not there; name a YAML file of settings, or one that comes with emokit: "
    )
    assert "emodb_quick" in result.stderr


def test_an_experiment_that_comes_with_emokit_is_read_by_its_name(small_prepared, tmp_path):
    result = train("emodb_quick", small_prepared, "--run", tmp_path / "run", "--dry-run", "--batch-size", "4")
    assert result.exit_code == 0, result.output
    assert "name: emodb_quick" in result.stdout  # its features are not those of the folder, and are not computed now


@pytest.mark.end_to_end
def test_features_that_the_folder_lacks_are_computed_with_a_word_and_once(experiment, small_prepared, tmp_path):
    data = shutil.copytree(small_prepared, tmp_path / "prepared")
    others = ["--epochs", "1", "--set", "features.fmax=4000"]
    lines = train(experiment, data, "--run", tmp_path / "run", *others).stderr.splitlines()
    assert lines[0] == f"{data} lacks features that these settings need; they are computed once, and kept in it"
    assert lines[1].startswith("files read: ")
    again = train(experiment, data, "--run", tmp_path / "again", *others)
    assert "files read" not in again.stderr
    assert (tmp_path / "again" / "metrics.json").read_bytes() == (tmp_path / "run" / "metrics.json").read_bytes()
    words = ["predict", str(tmp_path / "run"), "--data", str(data), "--split", "dev"]
    predicted = runner.invoke(app, [*words, "--out", str(tmp_path / "dev.parquet")])
    assert predicted.exit_code == 0, predicted.output


def test_a_missing_prepared_folder_is_named(experiment, tmp_path):
    result = train(experiment, tmp_path / "none", "--run", tmp_path / "run")
    assert result.exit_code == 3
    assert result.stderr.strip() == (
        f"error: {tmp_path / 'none'} is not there; make it with `emokit prepare … --out {tmp_path / 'none'}`."
    )


@pytest.mark.end_to_end
def test_a_collapsed_training_ends_with_exit_code_4_and_a_hint(experiment, small_prepared, tmp_path):
    flags = [
        "--set",
        "model.skip_connections=false",
        "--set",
        "training.max_grad_norm=null",
        "--set",
        "training.warmup_ratio=0",
        "--set",
        "training.collapse_patience=1",
    ]
    result = train(experiment, small_prepared, "--run", tmp_path / "run", "--lr", "1", *flags)
    assert result.exit_code == 4
    assert result.stderr.splitlines()[-1].startswith("error: The training collapsed: ")
    assert "lower the learning rate (training.lr is 1)" in result.stderr
    assert (tmp_path / "run" / "settings.yaml").exists()
    assert not (tmp_path / "run" / "metrics.json").exists()


@pytest.mark.end_to_end
def test_ctrl_c_keeps_completed_epochs_and_says_how_to_resume(experiment, small_prepared, tmp_path, monkeypatch):
    from emokit import runs

    append = runs.append_log

    def stop_in_epoch_2(run, line):
        if line["epoch"] == 2:
            raise KeyboardInterrupt
        append(run, line)

    monkeypatch.setattr(runs, "append_log", stop_in_epoch_2)
    result = train(experiment, small_prepared, "--run", tmp_path / "run")
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == ("stopped by Ctrl-C; completed epochs are kept, add --resume to continue.")
    assert not (tmp_path / "run" / "metrics.json").exists()
    monkeypatch.setattr(runs, "append_log", append)
    again = train(experiment, small_prepared, "--run", tmp_path / "run", "--resume")
    assert again.exit_code == 0, again.output
    assert [epoch["epoch"] for epoch in runs.read_log(tmp_path / "run")] == [1, 2, 3]


@pytest.mark.end_to_end
def test_resuming_with_changed_settings_is_refused(experiment, small_prepared, tmp_path):
    assert train(experiment, small_prepared, "--run", tmp_path / "run", "--epochs", "1").exit_code == 0
    (tmp_path / "run" / "metrics.json").unlink()
    result = train(experiment, small_prepared, "--run", tmp_path / "run", "--epochs", "1", "--lr", "0.001", "--resume")
    assert result.exit_code == 2
    assert result.stderr.strip() == (
        f"error: {tmp_path / 'run'} was started with training.lr = 0.005 and would be resumed with 0.001; "
        "resume it with the settings it was started with, or name another --run."
    )


@pytest.mark.parametrize("widths", ["[0,16]", "[-4]", "[]"])
def test_a_model_without_channels_is_refused(experiment, small_prepared, tmp_path, widths):
    result = train(experiment, small_prepared, "--run", tmp_path / "run", "--set", f"model.channels={widths}")
    assert result.exit_code == 2
    assert "model.channels" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def train_text(values, data, run, *more):
    path = run.with_suffix(".yaml")
    path.write_text(yaml.safe_dump(values))
    words = ["train", "text", str(path), "--data", str(data), "--run", str(run), "--device", "cpu"]
    return runner.invoke(app, [*words, *map(str, more)])


@pytest.mark.end_to_end
def test_a_text_training_ends_with_the_folder_and_the_next_command(text_settings, text_prepared, tmp_path):
    result = train_text(text_settings, text_prepared, tmp_path / "run", "--epochs", "1", "--set", "data.corpora=[meld]")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == str(tmp_path / "run")
    assert result.stderr.splitlines()[-1] == f"next: emokit report {tmp_path / 'run'} --out report"
    assert "small: best epoch 1 of 1" in result.stdout


def test_a_dry_run_of_text_shows_steps_and_padding_and_writes_nothing(text_settings, text_prepared, tmp_path):
    result = train_text(text_settings, text_prepared, tmp_path / "run", "--dry-run", "--json")
    plan = json.loads(result.stdout)
    assert plan["steps_per_epoch"] == -(-plan["utterances"]["train"] // 32)
    assert 0 <= plan["padding_share"] < 0.15
    assert set(plan["texts_cut"]) == {"train", "dev", "test"}
    assert not (tmp_path / "run").exists()


def test_a_text_experiment_that_comes_with_emokit_is_read_by_its_name(text_prepared, tmp_path):
    words = ["train", "text", "tfidf", "--data", str(text_prepared), "--run", str(tmp_path / "run"), "--dry-run"]
    result = runner.invoke(app, [*words, "--json"])
    assert json.loads(result.stdout)["settings"]["model"]["kind"] == "tfidf"


@pytest.mark.end_to_end
def test_remote_code_runs_only_where_it_is_allowed(text_settings, text_prepared, tmp_path, monkeypatch):
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    from transformers import BertConfig, BertForSequenceClassification

    from emokit.text.model import train_tokenizer
    from emokit.text.settings import TinySettings

    folder = tmp_path / "homemade"
    train_tokenizer(["some words"], TinySettings(vocab_size=300), 64).save_pretrained(folder)
    shape = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8, "num_hidden_layers": 1}
    BertForSequenceClassification(BertConfig(vocab_size=300, num_labels=7, **shape)).save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    classes = {"AutoConfig": "own.OwnConfig", "AutoModelForSequenceClassification": "own.Own"}
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "own", "auto_map": classes}))
    (folder / "own.py").write_text(
        "from transformers import BertConfig, BertForSequenceClassification\n"
        "class OwnConfig(BertConfig):\n    model_type = 'own'\n"
        "class Own(BertForSequenceClassification):\n    config_class = OwnConfig\n"
    )
    text_settings["model"] = {"name": str(folder)}
    text_settings["training"]["max_epochs"] = 1
    refused = train_text(text_settings, text_prepared, tmp_path / "run")
    assert refused.exit_code == 2
    assert refused.stderr.strip() == (
        f"error: {folder} runs code that comes with it; read that code, and add --trust-remote-code if you trust it."
    )
    assert not (tmp_path / "run").exists()
    trusted = train_text(text_settings, text_prepared, tmp_path / "run", "--trust-remote-code")
    assert trusted.exit_code == 0, trusted.output
    assert "own" in trusted.stdout
    predicted = runner.invoke(app, ["predict", str(tmp_path / "run"), "wow", "--trust-remote-code"])
    assert predicted.exit_code == 0, predicted.output
    assert runner.invoke(app, ["predict", str(tmp_path / "run"), "wow"]).exit_code == 2


def test_a_full_memory_while_scoring_is_a_sentence(monkeypatch, tmp_path):
    from emokit.modality.registry import modality

    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr(type(modality("text")), "train", full)
    with pytest.raises(MemoryFull) as error:
        fit_modality("text", None, {}, None, tmp_path / "run")
    assert str(error.value) == (
        "Out of memory while the run was trained or scored; free memory and add --resume, or train a smaller model."
    )


def test_trackers_are_named_with_track(experiment, small_prepared, tmp_path):
    plan = train(experiment, small_prepared, "--run", tmp_path / "run", "--dry-run", "--json", "--track", "tensorboard")
    assert plan.exit_code == 0, plan.stderr
    assert json.loads(plan.stdout)["settings"]["training"]["report_to"] == ["tensorboard"]
    for given, sentence in (
        (("--track", "tensorbord"), "--track has the unknown tracker 'tensorbord'; did you mean tensorboard?"),
        (("--track", "tensorboard,tensorboard"), "--track has tensorboard twice; give it once."),
    ):
        result = train(experiment, small_prepared, "--run", tmp_path / "run", *given)
        assert (result.exit_code, result.stderr.splitlines()[-1]) == (2, f"error: {sentence}")
    assert not (tmp_path / "run").exists()
