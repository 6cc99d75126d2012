"""`emokit export`, as a user types it."""

import shutil

import pytest
from typer.testing import CliRunner

from emokit.cli.app import app

runner = CliRunner()


@pytest.fixture
def run(tmp_path):
    """A folder that looks like a complete fused run."""
    (tmp_path / "settings.yaml").write_text("modality: late-fusion\n")
    (tmp_path / "metrics.json").write_text('{"labels": ["low", "high"], "splits": {}}')
    return tmp_path


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--format", "onxx"], "--format onxx is unknown; choose onnx."),
        (["--format", "safetensors"], "{run}/model holds the model as safetensors already; use it as it is."),
        ([], "{run} is a run of late-fusion, which cannot be exported; name a run of audio or text."),
    ],
)
def test_a_wrong_request_costs_one_sentence(run, more, sentence):
    result = runner.invoke(app, ["export", str(run), *more])
    assert result.exit_code == 2
    assert result.stderr.strip() == f"error: {sentence.format(run=run)}"


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ([], "{folder} is a prepared folder, which has no model; choose --format datasets, csv or audiofolder."),
        (["--format", "cvs"], "--format cvs is unknown; choose datasets, csv or audiofolder."),
        (["--format", "csv"], "No folder was named for the data of {folder}; name a new one with --out."),
        (
            ["--format", "csv", "--trust-remote-code"],
            "--trust-remote-code is for a run, and {folder} is a prepared folder; leave it out.",
        ),
    ],
)
def test_a_wrong_request_for_a_prepared_folder_costs_one_sentence(small_prepared, more, sentence):
    result = runner.invoke(app, ["export", str(small_prepared), *more])
    assert result.exit_code == 2
    assert result.stderr.strip() == f"error: {sentence.format(folder=small_prepared)}"


def test_a_run_is_not_exported_as_data(run):
    result = runner.invoke(app, ["export", str(run), "--format", "csv"])
    assert result.exit_code == 2
    assert result.stderr.strip() == f"error: {run} is a run, and --format csv is for a prepared folder; choose onnx."


def test_the_next_command_prepares_an_export_again(small_prepared, tmp_path):
    out = tmp_path / "my data"
    result = runner.invoke(app, ["export", str(small_prepared), "--format", "csv", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(out)
    assert result.stderr.startswith(f"next: emokit prepare 'mine={out}/utterances.csv' --audio-root ")


def test_an_option_of_another_modality_is_refused(run):
    (run / "settings.yaml").write_text("modality: audio\n")
    result = runner.invoke(app, ["export", str(run), "--trust-remote-code"])
    assert result.exit_code == 2
    assert result.stderr.strip() == (
        "error: --trust-remote-code was given for audio, and it is an option of text; leave it out."
    )


def test_an_incomplete_run_is_named(run):
    (run / "metrics.json").unlink()
    result = runner.invoke(app, ["export", str(run)])
    assert result.exit_code == 3
    assert result.stderr.strip() == (
        f"error: {run} has no metrics.json, so its training did not end; resume it by adding --resume."
    )


def test_a_prepared_folder_without_its_settings_is_no_run(small_prepared, tmp_path):
    folder = shutil.copytree(small_prepared, tmp_path / "prepared")
    (folder / "settings.yaml").unlink()
    result = runner.invoke(app, ["export", str(folder), "--format", "csv", "--out", str(tmp_path / "out")])
    assert result.exit_code == 3
    assert result.stderr.startswith(f"error: {folder}/settings.yaml ")
    assert "run folder" not in result.stderr
    assert not (tmp_path / "out").exists()
