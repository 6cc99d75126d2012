"""The names of a run folder: every run has only these, so that it can be replaced with --force."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emokit.cli.app import app
from emokit.foreign_files import refuse_foreign
from emokit.run_files import NAMES

RUNS = ("audio", "text", "late-fusion")


@pytest.mark.end_to_end
def test_every_run_has_only_known_names(modality_runs: Path) -> None:
    for name in RUNS:
        refuse_foreign(modality_runs / name, NAMES)


@pytest.mark.end_to_end
@pytest.mark.parametrize("name", ["model/notes.txt", "predictions/mine.csv"])
def test_train_with_force_deletes_no_file_of_the_users(name: str, modality_runs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(modality_runs / "text", run)
    (run / name).write_text("mine")
    data = json.loads((run / "environment.json").read_text())["data"]
    experiment = tmp_path / "text.yaml"
    experiment.write_bytes((run / "settings.yaml").read_bytes())
    words = ["train", "text", str(experiment), "--data", data, "--run", str(run), "--force"]
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, result.stderr) == (
        2,
        f"error: {run / name} is no part of the result that --force deletes; move it out of {run}, or name another folder.\n",
    )
    assert (run / name).read_text() == "mine"
    assert (run / "metrics.json").exists()
