"""Pooling and temperatures, by hand."""

from dataclasses import replace

import numpy
import pytest

from emokit.fusion.late.combine import Terms, Weighted, first_largest, tempered
from emokit.fusion.late.settings import FusionResult

ROW = numpy.array([0.5, 0.25, 0.05, 0.05, 0.05, 0.05, 0.05])
OTHER = numpy.array([0.1, 0.4, 0.1, 0.1, 0.1, 0.1, 0.1])


def one_utterance(make_panel, present=((True,), (True,))):
    panel = make_panel((1.0, 1.0), size=7).rows(numpy.arange(7) == 0)
    values = numpy.array([[ROW], [OTHER]])
    present = numpy.array(present)
    values[~present] = 1 / 7
    return replace(panel, probabilities=values, present=present)


def test_a_linear_pool_is_the_weighted_mean(make_panel):
    pooled = Weighted((3, 1), "linear", (1.0, 1.0)).pooled(one_utterance(make_panel))[0]
    assert pooled == pytest.approx(0.75 * ROW + 0.25 * OTHER, abs=1e-10)


def test_a_log_pool_is_the_weighted_geometric_mean(make_panel):
    pooled = Weighted((3, 1), "log", (1.0, 1.0)).pooled(one_utterance(make_panel))[0]
    product = ROW**0.75 * OTHER**0.25
    assert pooled == pytest.approx(product / product.sum(), abs=1e-10)


@pytest.mark.parametrize("pooling", ["linear", "log"])
@pytest.mark.parametrize("weights", [(3, 1), (4, 0)])
def test_a_missing_modality_has_no_influence_even_where_the_others_weigh_nothing(make_panel, pooling, weights):
    panel = one_utterance(make_panel, present=((False,), (True,)))
    assert Weighted(weights, pooling, (1.0, 1.0)).pooled(panel)[0] == pytest.approx(OTHER, abs=1e-10)


def test_a_temperature_of_two_takes_square_roots(make_panel):
    assert tempered(ROW, 2.0) == pytest.approx(numpy.sqrt(ROW) / numpy.sqrt(ROW).sum())
    assert tempered(ROW, 1.0) is ROW
    both = tempered(numpy.array([[ROW], [OTHER]]), [2.0, 1.0])
    assert both[0, 0] == pytest.approx(tempered(ROW, 2.0))
    assert both[1, 0] == pytest.approx(OTHER)
    pooled = Weighted((1, 1), "linear", (2.0, 1.0), 0.5).pooled(one_utterance(make_panel))[0]
    mean = (tempered(ROW, 2.0) + OTHER) / 2
    assert pooled == pytest.approx(mean**2 / (mean**2).sum(), abs=1e-9)


def test_sums_are_exact_so_equal_classes_stay_equal(make_panel):
    # 0.1 and 0.2 are not dyadic: in plain floating point 3 * 0.1 and 0.3 differ.
    panel = make_panel((1.0, 1.0, 1.0), size=7)
    values = numpy.zeros((3, 7, 7))
    values[:, :, 0], values[:, :, 1] = [[0.1], [0.2], [0.3]], [[0.3], [0.2], [0.1]]
    values[:, :, 2] = 1 - values.sum(axis=2)
    terms = Terms.from_panel(panel.with_probabilities(values), "linear")
    sums = terms.sums(numpy.array([[1, 1, 1], [7, 3, 7], [333, 334, 333]]))
    assert (sums[:, 0] == sums[:, 1]).all()


@pytest.mark.parametrize("classes", [7, 200])
def test_the_first_of_the_largest_is_predicted_as_in_numpy(classes):
    sums = numpy.random.default_rng(0).integers(0, 3, (4, classes, 50)).astype(float)
    assert (first_largest(sums) == sums.argmax(axis=1)).all()
    sums[:, -1] = 9
    assert (first_largest(sums) == classes - 1).all()


def test_weights_survive_the_settings():
    weighted = Weighted((14, 33, 3), "log", (1.5, 0.5, 2.0), 0.75)
    names = ("audio", "text", "vision")
    result = weighted.as_result(names)
    assert result.weights == {"audio": 0.28, "text": 0.66, "vision": 0.06}
    assert Weighted.from_result(FusionResult.make(result.as_dict()), names) == weighted
    third = Weighted((1, 1, 1), "linear", (1.0, 1.0, 1.0))
    assert Weighted.from_result(third.as_result(names), names) == third
