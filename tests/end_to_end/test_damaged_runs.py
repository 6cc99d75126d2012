"""A run with a damaged file is refused by each of its readers, and one wrong input does not stop the others."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner, Result

import emokit
from emokit import runs
from emokit.cli.app import app
from emokit.errors import DataError
from emokit.modality.registry import find

pytestmark = pytest.mark.end_to_end
COMPLETE = ("audio", "text", "late-fusion")


def emokit_with(*words: object) -> Result:
    return CliRunner().invoke(app, list(map(str, words)))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{}", "has no labels"),
        ("[]", "holds a list where a mapping was expected"),
        ('{"labels": 7, "splits": {}}', "has labels = 7, but it should be a valid list"),
        ('{"labels": ["low", "low"], "splits": {}}', "has labels that are not two or more different ones"),
        ('{"labels": ["low", "high"], "splits": {"dev": {}}}', "has no splits.dev.accuracy"),
    ],
)
@pytest.mark.parametrize("kind", COMPLETE)
def test_the_last_file_of_a_run_is_checked_by_every_reader(
    modality_runs: Path, tmp_path: Path, kind: str, text: str, fault: str
) -> None:
    run = shutil.copytree(modality_runs / kind, tmp_path / "run")
    (run / "metrics.json").write_text(text)
    sentence = f"{run / 'metrics.json'} {fault}; make the run again, or leave it out."
    for use in (runs.check_complete, runs.read_metrics, runs.read_labels, find, emokit.load):
        with pytest.raises(DataError) as caught:
            use(run)
        assert str(caught.value) == sentence
    for words in (["predict", run, "fine"], ["export", run], ["report", run, "--out", tmp_path / "page"]):
        result = emokit_with(*words)
        assert (result.exit_code, result.stderr) == (3, f"error: {sentence}\n")


def test_another_text_model_than_the_trained_one_does_not_answer(modality_runs: Path, tmp_path: Path) -> None:
    run = shutil.copytree(modality_runs / "text", tmp_path / "run")
    config, metrics = (
        json.loads((run / "model/config.json").read_text()),
        json.loads((run / "metrics.json").read_text()),
    )
    labels = metrics["labels"]
    (run / "metrics.json").write_text(json.dumps(metrics | {"labels": labels[::-1]}))
    with pytest.raises(DataError) as caught:
        emokit.load(run, "cpu")
    assert str(caught.value) == (
        f"{run / 'model'} has a model of the labels {', '.join(labels)} and its run has {', '.join(labels[::-1])}; "
        "train the run again with force=True."
    )
    (run / "model/config.json").write_text(json.dumps(config | {"num_hidden_layers": 0}))
    with pytest.raises(DataError) as caught:
        emokit.load(run, "cpu")
    assert str(caught.value) == (
        f"{run / 'model' / 'config.json'} has num_hidden_layers = 0 where a whole number above 0 was expected; train the run "
        "again with force=True."
    )


def test_another_audio_model_than_the_trained_one_does_not_answer(modality_runs: Path, tmp_path: Path) -> None:
    run = shutil.copytree(modality_runs / "audio", tmp_path / "run")
    weights = load_file(run / "model/model.safetensors")
    first = min(weights)
    for changed, fault in (
        (weights | {"zzz": weights[first].clone()}, "zzz has no place in the model of its config.json"),
        (weights | {first: weights[first][:-1].clone()}, f"{first} has another shape than its config.json states"),
        ({name: values for name, values in weights.items() if name != first}, f"{first} is missing"),
    ):
        save_file(changed, run / "model/model.safetensors", {"format": "pt"})
        with pytest.raises(DataError) as caught:
            emokit.load(run, "cpu")
        assert str(caught.value) == (
            f"{run / 'model'} has a damaged model ({fault}); train the run again with force=True."
        )


@pytest.mark.parametrize(
    ("name", "key", "value", "words"),
    [
        ("tokenizer_config.json", "model_max_length", -1, "where a number of tokens was expected; make it again."),
        ("tokenizer_config.json", "model_max_length", "9", "where a number of tokens was expected; make it again."),
        ("tokenizer_config.json", "model_max_length", 9, "and its run has {was}; train the run again with --force."),
        ("config.json", "num_attention_heads", 1, "and its run has {was}; train the run again with --force."),
    ],
)
def test_a_text_model_whose_files_differ_from_the_runs_settings_does_not_answer(
    modality_runs: Path, tmp_path: Path, name: str, key: str, value: object, words: str
) -> None:
    file = shutil.copytree(modality_runs / "text", tmp_path / "run") / "model" / name
    values = json.loads(file.read_text())
    file.write_text(json.dumps(values | {key: value}))
    result = emokit_with("predict", tmp_path / "run", "fine")
    sentence = f"error: {file} has {key} = {value!r} {words.format(was=values[key])}\n"
    assert (result.exit_code, result.stderr) == (3, sentence)


def test_an_empty_sentence_does_not_stop_the_others(modality_runs: Path) -> None:
    result = emokit_with("predict", modality_runs / "text", "--json", "", "fine")
    assert result.exit_code == 3
    assert [json.loads(line)["text"] for line in result.stdout.splitlines()] == ["fine"]
    assert result.stderr == (
        "error: Sentence 1 has an empty text; write one or leave it out.\n1 of 2 inputs could not be predicted\n"
    )


def test_a_branch_that_another_run_replaced_is_noted(modality_runs: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(modality_runs, tmp_path / "runs")
    assert emokit.load(folder / "late-fusion", "cpu").predictor.notes == ()
    for file, key, what in (("environment.json", "data_fingerprint", "data"), ("settings.yaml", "name", "run")):
        text = (folder / "text" / file).read_text()
        before = (yaml.safe_load(text))[key]
        (folder / "text" / file).write_text(text.replace(before, "other", 1))
        with pytest.warns(UserWarning, match="is now a run of the"):
            (note,) = emokit.load(folder / "late-fusion", "cpu").predictor.notes
        assert note == (
            f"text: {folder / 'text'} is now a run of the {what} other, and the weights were searched with {before}; search them "
            "again with `emokit fuse-search`"
        )
