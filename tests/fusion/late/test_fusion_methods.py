"""The rungs: what each is fitted to, what it may not see, and how it is compared."""

import numpy
import pytest

from emokit import metrics
from emokit.fusion.late import fusion_methods
from emokit.fusion.late.combine import Weighted
from emokit.fusion.late.settings import SearchSettings
from emokit.fusion.late.stacking import fit_per_class, fit_stacked, fold_numbers

SETTINGS = SearchSettings(step=0.1, objective="accuracy", pooling="linear", resamples=100)


@pytest.fixture(scope="module")
def fitted(make_panel):
    panel = make_panel((1.6, 1.2, 0.2), size=300)
    return panel, fusion_methods.fit(panel, SETTINGS)


def test_every_rung_is_there_and_gives_probabilities(fitted, make_panel):
    _, rungs = fitted
    assert list(rungs) == list(fusion_methods.FUSION_METHODS)
    others = make_panel((1.6, 1.2, 0.2), size=80, seed=9, lacking=0.2)
    for rung in rungs.values():
        found = rung.pooled(others)
        assert found.shape == (80, 7)
        assert found.sum(axis=1) == pytest.approx(numpy.ones(80))


def test_the_single_modality_is_the_one_that_scores_best(fitted):
    panel, rungs = fitted
    alone = [(said.argmax(axis=1) == panel.targets).mean() for said in panel.probabilities]
    assert rungs["single"].weights == tuple(int(number == numpy.argmax(alone)) for number in range(3))


def test_the_plain_search_is_that_of_the_uncalibrated_probabilities(fitted):
    panel, rungs = fitted
    scores = {
        (first, second): (
            numpy.tensordot([first, second, 10 - first - second], panel.probabilities, 1).argmax(1) == panel.targets
        ).mean()
        for first in range(11)
        for second in range(11 - first)
    }
    study = rungs["study"]
    assert study.temperatures == (1.0, 1.0, 1.0)
    assert study.temperature == 1.0
    assert scores[study.weights[:2]] == max(scores.values())


def test_the_simplest_weights_use_no_more_modalities_than_the_best(fitted):
    _, rungs = fitted
    used = {name: sum(weight > 0 for weight in rungs[name].weights) for name in ("one_se", "searched")}
    assert used["one_se"] <= used["searched"]


def test_a_modality_alone_is_simplest_where_the_others_add_nothing(make_panel):
    panel = make_panel((2.0, 2.0), size=200)
    same = panel.saying(panel.probabilities[[0, 0]])
    found = fusion_methods.search(same, SETTINGS)
    weights, _ = found.points.at(fusion_methods.simplest(found, 0))
    assert weights == (10, 0)


def test_calibration_can_be_left_out(make_panel):
    panel = make_panel(size=150)
    settings = SETTINGS.model_copy(update={"calibrate": False})
    same, own = fusion_methods.calibrated(panel, settings)
    assert own == (1.0, 1.0, 1.0)
    assert (same.probabilities == panel.probabilities).all()
    assert fusion_methods.finished(Weighted((1, 0, 0), "linear", own), panel, settings).temperature == 1.0


def test_folds_keep_dialogues_whole_and_none_sees_its_own(make_panel):
    panel = make_panel(size=200)
    fold = fold_numbers(panel.clusters, 5)
    assert sorted(numpy.bincount(fold)) == [40] * 5
    assert all(len(set(fold[panel.clusters == name])) == 1 for name in set(panel.clusters))
    assert fold_numbers(panel.clusters[:20], 5).max() == 1  # two dialogues make two folds
    seen = []

    class Constant:
        def pooled(self, some):
            return numpy.full((len(some.table), 7), 1 / 7)

    def fit_some(rest):
        seen.append(set(rest.clusters))
        return {"constant": Constant()}

    found = fusion_methods.out_of_fold(panel, 5, fit_some)["constant"]
    assert (found == 1 / 7).all()
    assert all(sum(name not in clusters for clusters in seen) == 1 for name in set(panel.clusters))


def test_scores_and_differences_are_those_of_the_metrics_on_the_same_resamples(make_panel):
    panel = make_panel((1.5, 1.0), size=200)
    found = fusion_methods.compare(panel, {"single": panel.probabilities[0], "other": panel.probabilities[1]}, 5)
    scores = [metrics.plain_scores(panel.targets, said.argmax(axis=1)) for said in panel.probabilities]
    other = found["other"]["macro_f1"]
    assert other["score"] == pytest.approx(scores[1]["macro_f1"])
    assert other["difference"] == pytest.approx(scores[1]["macro_f1"] - scores[0]["macro_f1"])
    low, high = other["difference_interval"]
    assert low < other["difference"] < high
    assert found["single"]["nll"]["difference_interval"] == [0.0, 0.0]
    assert set(found["other"]) == {"accuracy", "uar", "weighted_f1", "macro_f1", "nll"}


def test_no_other_weights_per_class_cost_less(make_panel):
    panel = make_panel((1.5, 0.5), size=150)
    found = fit_per_class(panel, (1.0, 1.0))

    def cost(weights):
        powers = numpy.prod(panel.probabilities ** weights[:, None, :], axis=0)
        truth = (powers / powers.sum(axis=1, keepdims=True))[numpy.arange(150), panel.targets]
        return -numpy.log(truth).mean() + found.strength * ((weights - 0.5) ** 2).sum()

    least = cost(found.weights)
    for place in numpy.ndindex(found.weights.shape):
        for change in (-0.05, 0.05):
            moved = found.weights.copy()
            moved[place] += change
            assert cost(moved) > least


def test_a_strong_pull_leaves_weights_per_class_equal(make_panel):
    panel = make_panel((1.0, 1.0), size=200)
    found = type(fit_per_class(panel, (1.0, 1.0))).fit(panel, (1.0, 1.0), 1e6)
    assert found.weights == pytest.approx(numpy.full((2, 7), 0.5), abs=1e-4)


def test_stacking_knows_classes_that_dev_lacks(make_panel):
    panel = make_panel((1.5, 1.0), size=200)
    panel = panel.rows(panel.targets != 1)
    found = fit_stacked(panel, (1.0, 1.0)).pooled(panel)
    assert found.shape == (len(panel.table), 7)
    assert found[:, 1].max() < 0.05
    assert (found.argmax(axis=1) == panel.targets).mean() > 0.5
