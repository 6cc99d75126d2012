"""Temperatures against a plain minimiser, and the measures by hand and against the metrics' own."""

import numpy
import pytest
from scipy.optimize import minimize_scalar

from emokit import metrics, predictions
from emokit.fusion.late.calibrate import quality, temperature, temperatures
from emokit.fusion.late.combine import tempered


def nll(probabilities, targets):
    return -numpy.log(probabilities[numpy.arange(len(targets)), targets]).mean()


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 3.0])
def test_the_temperature_is_that_of_least_negative_log_likelihood(make_panel, sharpness):
    panel = make_panel((1.0,), size=400)
    values = tempered(panel.probabilities[0], 1 / sharpness)
    plain = minimize_scalar(lambda t: nll(tempered(values, t), panel.targets), bounds=(0.05, 20), method="bounded")
    assert temperature(values, panel.targets) == pytest.approx(plain.x, rel=1e-4)


def test_a_class_that_does_not_occur_changes_nothing(make_panel):
    panel = make_panel((1.0,), size=400)
    panel = panel.rows(~numpy.isin(panel.targets, (1, 6)))
    values = panel.probabilities[0]
    plain = minimize_scalar(lambda t: nll(tempered(values, t), panel.targets), bounds=(0.05, 20), method="bounded")
    assert temperature(values, panel.targets) == pytest.approx(plain.x, rel=1e-4)


def test_predictions_that_are_all_right_or_all_wrong_do_not_run_away():
    sure = numpy.full((30, 7), 0.01)
    sure[numpy.arange(30), numpy.arange(30) % 7] = 0.94
    assert 0.05 <= temperature(sure, numpy.arange(30) % 7) < 0.2
    assert temperature(sure, (numpy.arange(30) + 1) % 7) == pytest.approx(20)


def test_a_modality_is_calibrated_on_what_it_says(make_panel):
    panel = make_panel(size=400, lacking=0.3)
    there = panel.present[1]
    assert temperatures(panel)[1] == temperature(panel.probabilities[1][there], panel.targets[there])


def test_the_measures_by_hand():
    probabilities = numpy.zeros((4, 7))
    probabilities[:, 0], probabilities[:, 1] = 0.8, 0.2
    found = quality(probabilities, numpy.array([0, 0, 0, 1]))
    assert found["ece"] == pytest.approx(0.05)  # three of four right at a confidence of 0.8
    assert found["brier"] == pytest.approx((3 * (0.2**2 + 0.2**2) + (0.8**2 + 0.8**2)) / 4)
    assert found["nll"] == pytest.approx(-(3 * numpy.log(0.8) + numpy.log(0.2)) / 4)
    assert found["bins"] == [[4, pytest.approx(0.8), 0.75]]


def test_the_measures_are_those_of_the_metrics(make_panel):
    panel = make_panel((1.0,), size=300)
    said = predictions.make(panel.table, panel.probabilities[0], model="a", fingerprint="")
    found, scored = quality(said.probabilities, said.targets), metrics.score(said, num_resamples=2)
    assert (found["ece"], found["nll"]) == pytest.approx((scored["ece"], scored["nll"]))
    assert sum(count for count, _, _ in found["bins"]) == 300
