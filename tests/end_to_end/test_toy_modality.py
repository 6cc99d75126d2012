"""A modality is one folder and one line in the registry: a toy modality works in every command without another edit."""

import json
import re

import pytest
import yaml
from typer.testing import CliRunner

import emokit
from emokit import predictions
from emokit.cli.app import app
from emokit.modality import registry

pytestmark = pytest.mark.end_to_end
runner = CliRunner()


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """The line in the registry."""
    monkeypatch.setitem(registry.MODALITIES, "toy", "tests.end_to_end.toy.modality:TOY")


def run(*arguments):
    """Run a command that must succeed."""
    result = runner.invoke(app, [*map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture
def trained(small_prepared, tmp_path):
    """A complete run of the toy."""
    run("train", "toy", "--data", small_prepared, "--run", tmp_path / "toy", "--seed", 1)
    return tmp_path / "toy"


def test_it_is_in_the_help_and_in_the_settings():
    assert "Train a toy on durations." in run("train", "--help").stdout
    shown = run("train", "toy", "--help").stdout
    assert "--doubled" in shown
    assert "--batch-size" in shown
    assert "--trust-remote-code" not in shown
    assert "--seconds" in run("predict", "--help").stdout
    assert "model.hidden_size" in run("settings", "toy").stdout


def test_a_dry_run_shows_its_plan(small_prepared):
    shown = json.loads(run("train", "toy", "--data", small_prepared, "--dry-run", "--json").stdout)
    assert shown["steps_per_epoch"] == 1
    assert shown["settings"]["model"]["hidden_size"] == 4


def test_it_trains_predicts_and_has_a_card(trained, small_prepared, tmp_path):
    header, line = run("predict", trained, "--seconds", "1.5").stdout.splitlines()
    assert header.startswith("seconds\tlabel\t")
    assert line.startswith("1.5\t")
    (from_python,) = emokit.load(trained).predict(["1.5"])
    assert line.split("\t")[1] == from_python.label
    run("predict", trained, "--data", small_prepared, "--split", "dev", "--out", tmp_path / "dev.parquet")
    again = predictions.read(tmp_path / "dev.parquet").table
    assert again.equals(predictions.read(trained / "predictions" / "dev.parquet").table)
    card = (trained / "README.md").read_text()
    assert "Given the duration of an utterance, the model returns" in card
    assert "emokit predict RUN --seconds 1.5" in card


def test_an_option_of_another_modality_is_refused(trained):
    result = runner.invoke(app, ["predict", str(trained), "--timestamps", "--seconds", "1"])
    assert (result.exit_code, result.stderr.strip()) == (
        2,
        "error: --timestamps was given for toy, and it is an option of audio; leave it out.",
    )


def test_it_is_cross_validated(small_prepared, tmp_path):
    run("train", "toy", "--data", small_prepared, "--run", tmp_path / "folds", "--folds", "leave-one-speaker-out")
    assert len(json.loads((tmp_path / "folds" / "metrics.json").read_text())["folds"]) > 2


def test_it_is_swept(small_prepared, tmp_path):
    from emokit.sweep import run as sweeps
    from emokit.sweep.space import read_space

    space = {
        "name": "toys",
        "experiment": {"modality": "toy"},
        "space": {"model.hidden_size": {"grid": [2, 8]}},
        "confirm": {"best": 0},
    }
    (tmp_path / "space.yaml").write_text(yaml.safe_dump(space))
    plan = sweeps.begin(read_space(tmp_path / "space.yaml"), small_prepared, tmp_path / "sweep")
    summary = sweeps.work_here(plan, sweeps.order(plan, None, small_prepared, "cpu", "float32"))
    assert summary["counts"]["complete"] == 2
    assert "emokit train toy best.yaml" in (tmp_path / "sweep" / "best.yaml").read_text()


def test_it_is_fused_exported_and_reported(trained, small_prepared, tmp_path):
    other = tmp_path / "other"
    run("train", "toy", "--data", small_prepared, "--run", other, "--seed", 2)
    fused = tmp_path / "fused"
    run(
        "fuse-search",
        f"a={trained}",
        f"b={other}",
        "--run",
        fused,
        "--step",
        0.5,
        "--resamples",
        100,
        "--objective",
        "nll",
    )
    (prediction,) = emokit.load(fused).predict([emokit.modality.predictor.Input("1.5", text="1.5")])
    assert set(prediction.details["modalities"]) == {"a", "b"}
    pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
    run("export", trained, "--out", tmp_path / "onnx")
    assert json.loads((tmp_path / "onnx" / "emokit.json").read_text())["largest_difference"] <= 1e-4
    run("report", trained, other, fused, "--out", tmp_path / "report")
    page = (tmp_path / "report" / "index.html").read_text()
    assert "in durations" in page
    assert re.search(r'"fusion/fused/equal/test/difference">[+−]\d\.\d{3}</data>', page)
    assert f"emokit train toy {trained / 'settings.yaml'}" in page
