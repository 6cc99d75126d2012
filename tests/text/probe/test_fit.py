"""A probe of text, end to end: its predictions and its plan."""

import numpy
import pytest

from emokit import predictions
from emokit.data.prepared import open_prepared
from emokit.text.predictor import load
from emokit.text.train import plan

pytestmark = pytest.mark.end_to_end


def test_a_run_predicts_as_it_was_scored(run, data):
    scored = predictions.read(run / "predictions" / "test.parquet")
    predicted, _ = load(run, "cpu").predict_split(open_prepared(data), "test")
    # The stored layers have the precision of float16.
    assert numpy.abs(predicted.probabilities - scored.probabilities).max() < 5e-3
    assert predicted.probabilities.sum(axis=1) == pytest.approx(1)


def test_a_plan_has_no_steps(data, probe_settings):
    assert plan(probe_settings(), open_prepared(data)).facts == {"steps_per_epoch": 0}
