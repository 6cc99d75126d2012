"""What would be lost, ignored or half-made is refused before anything is done, in every command alike."""

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

import emokit
from emokit.cli.app import app
from emokit.errors import DataError, UsageError
from emokit.fusion.late.inputs import parse
from emokit.modality.predictor import Arguments

pytestmark = pytest.mark.end_to_end
ODD = os.fsdecode(b"caf\xe9")


def emokit_with(*words: object) -> Result:
    return CliRunner().invoke(app, list(map(str, words)))


@pytest.mark.parametrize(
    "line",
    [
        "prepare emodb --out OUT",
        "train audio --run OUT",
        "train text --run OUT",
        "sweep demo_sweep --run OUT",
        "fuse-search a=b --run OUT",
        "predict RUN hello --out OUT/t.parquet",
        "export RUN --out OUT",
        "export OUT",
        "report RUN --out OUT",
        "demo --out OUT",
    ],
)
def test_an_output_whose_path_is_not_utf_8_is_refused_before_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [word.replace("OUT", ODD) for word in line.split()]
    result = emokit_with(*words)
    shown = r"caf\xe9/t.parquet" if "t.parquet" in line else r"caf\xe9"
    assert (result.exit_code, result.stderr) == (
        2,
        f"error: {shown} has a path that is not UTF-8, which cannot be written to; name another.\n",
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["audio", "text"])
def test_closed_standard_input_is_a_sentence(modality_runs: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    predictor = emokit.load(modality_runs / kind, "cpu").predictor
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageError) as caught, predictor.inputs(Arguments(("-",))) as inputs:
        list(inputs)
    assert str(caught.value) == "- was given and standard input is closed; pipe the input to -, or name files."


def test_a_sentence_that_no_branch_reads_is_refused(modality_runs: Path) -> None:
    fused = emokit.load(modality_runs / "late-fusion", "cpu").predictor
    deaf = replace(fused, branches=tuple(branch for branch in fused.branches if branch.modality != "text"))
    with pytest.raises(UsageError) as caught, deaf.inputs(Arguments(("a.wav",), {"text": ["hello"]})):
        pass
    assert str(caught.value) == "--text was given, and no branch that can predict reads text; leave it out."


def test_force_does_not_delete_the_data_that_the_training_reads(
    modality_runs: Path, text_prepared: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(modality_runs / "text", tmp_path / "run")
    data = shutil.copytree(text_prepared, run / "data")
    before = sorted(run.rglob("*"))
    for flags in (["--dry-run"], []):
        result = emokit_with("train", "text", "tfidf", "--data", data, "--run", run, "--force", *flags)
        assert (result.exit_code, result.stderr) == (
            2,
            f"error: {run} has {data} in it, which --force would delete; name another --run.\n",
        )
    assert sorted(run.rglob("*")) == before


@pytest.mark.parametrize(
    ("result", "fault"),
    [
        (
            {"weights": {"audio": -0.5, "text": 1.0}},
            "result.weights.audio = -0.5, but it should be greater than or equal to 0.",
        ),
        ({"weights": {"audio": 0.9, "text": 0.9}}, None),
        ({"temperature": 1e-300}, "result.temperature = 1e-300, but it should be greater than or equal to 0.05."),
    ],
)
def test_weights_and_temperatures_that_no_search_gives_are_damage(
    modality_runs: Path, tmp_path: Path, result: dict[str, object], fault: str | None
) -> None:
    run = shutil.copytree(modality_runs / "late-fusion", tmp_path / "run")
    settings = yaml.safe_load((run / "settings.yaml").read_text())
    settings["result"] |= result
    (run / "settings.yaml").write_text(yaml.safe_dump(settings))
    with pytest.raises(DataError) as caught:
        emokit.load(run, "cpu")
    path = run / "settings.yaml"
    of_sum = (
        "must have weights that sum to 1, and they sum to 1.8; make the run again with `emokit fuse-search … --force`."
    )
    assert str(caught.value) == (f"{path} has {fault}" if fault else f"{path}: {of_sum}")


def test_a_run_folder_does_not_hide_the_experiment_of_its_name(
    text_prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tfidf").mkdir()
    result = emokit_with("train", "text", "tfidf", "--data", text_prepared, "--dry-run")
    assert result.exit_code == 0, result.output


def test_a_resumed_run_that_was_never_begun_is_said(text_prepared: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = emokit_with("train", "text", "tfidf", "--data", text_prepared, "--run", run, "--resume", "--dry-run")
    assert result.stderr == f"{run} does not exist, so nothing is resumed and the run starts\n"


def test_no_predictions_named_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        parse([])
    assert str(caught.value) == "No predictions were named; name them as NAME=PATH, such as audio=runs/a text=runs/t."
