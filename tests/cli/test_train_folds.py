"""`emokit train … --folds`: a line for each epoch and fold, and the folder above them."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from emokit.cli.app import app
from emokit.cli.train_folds import _FoldPrinter
from emokit.errors import Collapsed

runner = CliRunner()


def words_of(small_settings, small_prepared, tmp_path):
    small_settings["training"]["max_epochs"] = 1
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(small_settings))
    words = ["train", "audio", tmp_path / "small.yaml", "--data", small_prepared, "--run", tmp_path / "run"]
    return [*map(str, words), "--folds", "leave-one-speaker-out", "--device", "cpu"]


@pytest.mark.end_to_end
def test_each_epoch_and_fold_has_a_line(small_settings, small_prepared, tmp_path):
    result = runner.invoke(app, words_of(small_settings, small_prepared, tmp_path))
    assert result.exit_code == 0, result.output
    folds = json.loads((tmp_path / "run" / "metrics.json").read_text())["folds"]
    lines = result.stderr.splitlines()
    for name in folds:
        assert sum(line.startswith(f"fold {name}  epoch   1  train loss") for line in lines) == 1
        assert sum(line.startswith(f"fold {name}: test UAR ") for line in lines) == 1
    assert f"epochs: {len(folds)} of {len(folds)}" in lines
    assert f"{len(folds)} folds (leave-one-speaker-out) pooled" in " ".join(result.stdout.split())
    assert result.stdout.splitlines()[-1] == str(tmp_path / "run")


@pytest.mark.end_to_end
def test_the_progress_of_a_model_without_epochs_counts_folds(small_settings, small_prepared, tmp_path):
    small_settings["model"] = {"kind": "functionals"}
    del small_settings["training"]
    result = runner.invoke(app, words_of(small_settings | {"training": {}}, small_prepared, tmp_path))
    assert result.exit_code == 0, result.output
    folds = json.loads((tmp_path / "run" / "metrics.json").read_text())["folds"]
    lines = result.stderr.splitlines()
    assert f"folds: {len(folds)} of {len(folds)}" in lines
    assert not [line for line in lines if "epoch" in line]


def test_workers_without_folds_are_refused(small_settings, small_prepared, tmp_path):
    words = words_of(small_settings, small_prepared, tmp_path)
    position = words.index("--folds")
    result = runner.invoke(app, [*words[:position], "--workers", "2"])
    assert (result.exit_code, result.stderr.strip()) == (
        2,
        "error: --workers 2 was given without --folds, which are trained at once; give both.",
    )


def test_events_of_workers_are_printed(capfd, tmp_path):
    seen = []
    printer = _FoldPrinter(tmp_path, "best", lambda *progress: seen.append(progress))
    printer.begins(2)
    printer.replaced("03")
    printer.collapsed("08", Collapsed("The training collapsed."))
    printer.progress(1, 3)
    printer.batch(2, 5, 20)
    assert capfd.readouterr().err.splitlines() == [
        f"2 folds at once; the output of their workers is in {tmp_path / 'workers'}",
        "fold 03: its worker was killed or stopped; another one continues",
        "fold 08: The training collapsed.",
    ]
    assert seen == [(1, 3), (1.25, 3, "batch 5 of 20")]
