"""Temperatures against a plain minimiser, and the measures by hand and against `metrics`."""

import numpy
import pytest
from scipy.optimize import minimize_scalar

from emokit import metrics, predictions
from emokit.fusion.late.calibrate import temperature, temperatures
from emokit.fusion.late.combine import tempered


def nll(probabilities, targets):
    return -numpy.log(probabilities[numpy.arange(len(targets)), targets]).mean()


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 3.0])
def test_the_temperature_minimises_the_negative_log_likelihood(make_panel, sharpness):
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


def test_the_temperature_stays_finite_where_all_predictions_are_right_or_all_wrong():
    confident = numpy.full((30, 7), 0.01)
    confident[numpy.arange(30), numpy.arange(30) % 7] = 0.94
    assert 0.05 <= temperature(confident, numpy.arange(30) % 7) < 0.2
    assert temperature(confident, (numpy.arange(30) + 1) % 7) == pytest.approx(20)


def test_a_modality_is_calibrated_on_the_utterances_that_have_it(make_panel):
    panel = make_panel(size=400, lacking=0.3)
    present = panel.present[1]
    assert temperatures(panel)[1] == temperature(panel.probabilities[1][present], panel.targets[present])


def test_the_measures_are_those_of_the_metrics(make_panel):
    panel = make_panel((1.0,), size=300)
    table = predictions.make(panel.table, panel.probabilities[0], labels=panel.labels, model="a", fingerprint="")
    measures, scored = metrics.quality(table.probabilities, table.targets), metrics.score(table, num_resamples=2)
    assert (measures["ece"], measures["nll"]) == pytest.approx((scored["ece"], scored["nll"]))
    assert sum(count for count, _, _ in measures["bins"]) == 300
