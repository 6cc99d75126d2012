"""The reliability diagram: its numbers are those of metrics.json, and its CSV reproduces them."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from emokit.predictions import Predictions
from emokit.report.figures.reliability import reliability
from emokit.report.read_runs import read_run


def test_the_csv_reproduces_the_calibration_error_of_metrics_json(
    make_tested: Callable[..., Path], tmp_path: Path
) -> None:
    run = read_run(make_tested("run"), "run")
    reliability(run.tested, "test").write(tmp_path, "reliability")
    with (tmp_path / "reliability.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    gaps = sum(int(row["count"]) * abs(float(row["confidence"]) - float(row["accuracy"])) for row in rows)
    assert run.test is not None
    assert gaps / 140 == pytest.approx(run.test.ece)
    assert sum(int(row["count"]) for row in rows) == 140
    assert all(float(row["bin_low"]) < float(row["confidence"]) <= float(row["bin_high"]) + 1e-6 for row in rows)


def test_a_bin_holds_the_utterances_of_its_confidence(predict: Callable[..., Predictions]) -> None:
    predictions = predict([("a", "sad", "sad"), ("a", "sad", "fear"), ("b", "sad", "sad")], confidence=0.7)
    drawing = reliability(predictions, "test")
    assert drawing.rows == [(10 / 15, 11 / 15, 3, pytest.approx(0.7), pytest.approx(2 / 3))]
    assert drawing.alt_text == (
        "Reliability on test: accuracy over confidence in 1 bin of 3 utterances; expected calibration error 3.3 %."
    )
