"""Weights per class and logistic stacking against what they minimise, and the folds that choose their penalties."""

import numpy
import pytest

from emokit.fusion.late.stacking import fit_per_class, fit_stacked, fold_numbers


def test_a_dialogue_is_in_one_fold(make_panel):
    panel = make_panel(size=200)
    fold = fold_numbers(panel.clusters, 5)
    assert sorted(numpy.bincount(fold)) == [40] * 5
    assert all(len(set(fold[panel.clusters == name])) == 1 for name in set(panel.clusters))
    assert fold_numbers(panel.clusters[:20], 5).max() == 1  # two dialogues make two folds


def test_no_other_weights_per_class_cost_less(make_panel):
    panel = make_panel((1.5, 0.5), size=150)
    fitted = fit_per_class(panel, (1.0, 1.0))

    def cost(weights):
        powers = numpy.prod(panel.probabilities ** weights[:, None, :], axis=0)
        truth = (powers / powers.sum(axis=1, keepdims=True))[numpy.arange(150), panel.targets]
        return -numpy.log(truth).mean() + fitted.strength * ((weights - 0.5) ** 2).sum()

    least = cost(fitted.weights)
    for index in numpy.ndindex(fitted.weights.shape):
        for change in (-0.05, 0.05):
            moved = fitted.weights.copy()
            moved[index] += change
            assert cost(moved) > least


def test_a_strong_penalty_leaves_weights_per_class_equal(make_panel):
    panel = make_panel((1.0, 1.0), size=200)
    fitted = type(fit_per_class(panel, (1.0, 1.0))).fit(panel, (1.0, 1.0), 1e6)
    assert fitted.weights == pytest.approx(numpy.full((2, 7), 0.5), abs=1e-4)


def test_stacking_predicts_classes_that_dev_lacks(make_panel):
    panel = make_panel((1.5, 1.0), size=200)
    panel = panel.rows(panel.targets != 1)
    pooled = fit_stacked(panel, (1.0, 1.0)).pooled(panel)
    assert pooled.shape == (len(panel.table), 7)
    assert pooled[:, 1].max() < 0.05
    assert (pooled.argmax(axis=1) == panel.targets).mean() > 0.5
