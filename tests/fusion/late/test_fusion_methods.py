"""The fusion methods: what each is fitted to, what is held out of it, and how it is compared."""

import numpy
import pytest

from emokit import metrics
from emokit.fusion.late import fusion_methods
from emokit.fusion.late.combine import Weighted
from emokit.fusion.late.settings import SearchSettings

SETTINGS = SearchSettings(step=0.1, objective="accuracy", pooling="linear", resamples=100)


@pytest.fixture(scope="module")
def fitted(make_panel):
    panel = make_panel((1.6, 1.2, 0.2), size=300)
    return panel, fusion_methods.fit(panel, SETTINGS)


def test_every_method_is_fitted_and_gives_probabilities(fitted, make_panel):
    _, methods = fitted
    assert list(methods) == list(fusion_methods.FUSION_METHODS)
    others = make_panel((1.6, 1.2, 0.2), size=80, seed=9, lacking=0.2)
    for method in methods.values():
        pooled = method.pooled(others)
        assert pooled.shape == (80, 7)
        assert pooled.sum(axis=1) == pytest.approx(numpy.ones(80))


def test_the_single_modality_is_the_one_that_scores_best(fitted):
    panel, methods = fitted
    accuracies = [(values.argmax(axis=1) == panel.targets).mean() for values in panel.probabilities]
    assert methods["single"].weights == tuple(int(number == numpy.argmax(accuracies)) for number in range(3))


def test_the_plain_search_is_that_of_the_uncalibrated_probabilities(fitted):
    panel, methods = fitted
    scores = {
        (first, second): (
            numpy.tensordot([first, second, 10 - first - second], panel.probabilities, 1).argmax(1) == panel.targets
        ).mean()
        for first in range(11)
        for second in range(11 - first)
    }
    study = methods["study"]
    assert study.temperatures == (1.0, 1.0, 1.0)
    assert study.temperature == 1.0
    assert scores[study.weights[:2]] == max(scores.values())


def test_the_simplest_weights_use_no_more_modalities_than_the_best(fitted):
    _, methods = fitted
    used = {name: sum(weight > 0 for weight in methods[name].weights) for name in ("one_se", "searched")}
    assert used["one_se"] <= used["searched"]


def test_a_modality_alone_is_simplest_where_the_others_add_nothing(make_panel):
    panel = make_panel((2.0, 2.0), size=200)
    same = panel.with_probabilities(panel.probabilities[[0, 0]])
    searched = fusion_methods.search(same, SETTINGS)
    weights, _ = searched.points.at(fusion_methods.simplest(searched, 0))
    assert weights == (10, 0)


def test_calibration_can_be_left_out(make_panel):
    panel = make_panel(size=150)
    settings = SETTINGS.model_copy(update={"calibrate": False})
    same, temperatures = fusion_methods.calibrated(panel, settings)
    assert temperatures == (1.0, 1.0, 1.0)
    assert (same.probabilities == panel.probabilities).all()
    weighted = Weighted((1, 0, 0), "linear", temperatures)
    assert fusion_methods.with_final_temperature(weighted, panel, settings).temperature == 1.0


def test_no_dialogue_is_in_the_fit_that_scores_it(make_panel):
    panel = make_panel(size=200)
    fitted_on = []

    class Constant:
        def pooled(self, rows):
            return numpy.full((len(rows.table), 7), 1 / 7)

    def fit_methods(rows):
        fitted_on.append(set(rows.clusters))
        return {"constant": Constant()}

    pooled = fusion_methods.out_of_fold(panel, 5, fit_methods)["constant"]
    assert (pooled == 1 / 7).all()
    assert all(sum(name not in clusters for clusters in fitted_on) == 1 for name in set(panel.clusters))


def test_scores_and_differences_are_those_of_the_metrics_on_the_same_resamples(make_panel):
    panel = make_panel((1.5, 1.0), size=200)
    compared = fusion_methods.compare(panel, {"single": panel.probabilities[0], "other": panel.probabilities[1]}, 5)
    scores = [metrics.plain_scores(panel.targets, values.argmax(axis=1), 7) for values in panel.probabilities]
    other = compared["other"]["macro_f1"]
    assert other["score"] == pytest.approx(scores[1]["macro_f1"])
    assert other["difference"] == pytest.approx(scores[1]["macro_f1"] - scores[0]["macro_f1"])
    low, high = other["difference_interval"]
    assert low < other["difference"] < high
    assert compared["single"]["nll"]["difference_interval"] == [0.0, 0.0]
    assert set(compared["other"]) == {"accuracy", "uar", "weighted_f1", "macro_f1", "nll"}
