"""A run folder in Python."""

import json
import shutil
from pathlib import Path

import pytest

from emokit import predictions
from emokit.api.run import Run
from emokit.errors import DataError


def test_a_run_shows_its_scores_beside_baselines(audio_run):
    stored = audio_run.metrics["splits"]
    scores = audio_run.scores
    assert list(scores.index) == ["dev", "test"]
    assert list(scores.columns[:5]) == ["n", "accuracy", "uar", "weighted_f1", "macro_f1"]
    assert scores.loc["test", "uar"] == stored["test"]["uar"]
    assert scores.loc["test", "uar_majority"] == stored["test"]["baselines"]["majority"]["uar"]
    assert stored["test"]["num_clusters"] < 6  # too few speakers
    assert scores.loc["test", ["uar_low", "uar_high"]].isna().all()
    assert repr(audio_run) == (
        f"Run({str(audio_run.path)!r}: audio functionals, "
        f"dev UAR {stored['dev']['uar']:.3f}, test UAR {stored['test']['uar']:.3f})"
    )


def test_the_interval_of_enough_speakers_is_shown(audio_run, tmp_path):
    run = Run(Path(shutil.copytree(audio_run, tmp_path / "run")))
    content = run.metrics
    content["splits"]["test"] |= {"num_clusters": 6, "interval": {"uar": [0.25, 0.75]}}
    (run.path / "metrics.json").write_text(json.dumps(content))
    assert run.scores.loc["test", ["uar_low", "uar_high"]].tolist() == [0.25, 0.75]


def test_a_run_is_a_path_and_has_its_settings_and_predictions(audio_run):
    assert Path(audio_run) == audio_run.path
    assert audio_run.settings["model"]["kind"] == "functionals"
    expected = predictions.read(audio_run.path / "predictions/dev.parquet").table
    assert audio_run.predictions("dev").equals(expected)
    assert len(audio_run.predictions()) == audio_run.metrics["splits"]["test"]["n"]


def test_the_model_of_a_run_is_loaded(audio_run):
    assert list(audio_run.load("cpu").labels) == audio_run.metrics["labels"]


def test_a_run_that_is_not_complete_says_so(tmp_path):
    assert repr(Run(tmp_path)) == f"Run({str(tmp_path)!r}: not complete)"
    with pytest.raises(DataError):
        _ = Run(tmp_path).metrics
