"""Logistic regression on vectors: against scikit-learn, with strengths chosen on dev or by inner folds over speakers."""

import numpy
import pytest
import torch
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from emokit.errors import DataError
from emokit.training.batches import one_hot
from emokit.training.linear import fit
from emokit.training.linear.model import LinearClassifier
from emokit.training.linear.vectors import Vectors

CLASSES = 3
STRENGTHS = (1e-3, 1e-1, 10.0)


class Plain(LinearClassifier):
    """A regression of vectors and nothing else."""

    def __init__(self, dim):
        super().__init__()
        self.add_classifier(dim, CLASSES)


def planted(count, dim=40, seed=0, noise=1.5):
    """Vectors whose class is in their first values, of eight speakers with offsets of their own."""
    random = numpy.random.default_rng(seed)
    targets = random.integers(0, CLASSES, count)
    speakers = numpy.arange(count) % 8
    values = random.normal(0, noise, (count, dim)) + speakers[:, None] * 0.2
    values[numpy.arange(count), targets] += 2
    return Vectors(numpy.arange(count), values.astype(numpy.float32)), targets, speakers.tolist()


def standard(values, of=None):
    of = values if of is None else of
    return ((values - of.mean(axis=0)) / of.std(axis=0)).astype(numpy.float64)


@pytest.mark.parametrize("count", [30, 200])  # fewer windows than values, and more
def test_the_regression_is_that_of_scikit_learn(count):
    vectors, targets, _ = planted(count)
    model = Plain(40)
    fit.fit_on_dev(model, vectors, one_hot(targets, CLASSES), vectors, targets, [0.1])
    expected = LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000, tol=1e-8).fit(
        standard(vectors.values), targets
    )
    assert fit.probabilities(model, vectors) == pytest.approx(
        expected.predict_proba(standard(vectors.values)), abs=1e-3
    )


def test_the_strength_is_chosen_on_dev():
    vectors, targets, _ = planted(60)
    dev, dev_targets, _ = planted(60, seed=1)
    model, scores = Plain(40), {}
    for strength in STRENGTHS:
        fit.fit_on_dev(model, vectors, one_hot(targets, CLASSES), dev, dev_targets, [strength])
        predicted = fit.predict(model, dev, 60).argmax(axis=1)
        scores[strength] = numpy.mean([(predicted == dev_targets)[dev_targets == t].mean() for t in range(CLASSES)])
    assert len(set(scores.values())) > 1
    best = max(STRENGTHS, key=lambda strength: (scores[strength], -strength))
    fit.fit_on_dev(model, vectors, one_hot(targets, CLASSES), dev, dev_targets, [best])
    alone = model.linear.weight.clone()
    fit.fit_on_dev(model, vectors, one_hot(targets, CLASSES), dev, dev_targets, STRENGTHS)
    assert torch.equal(model.linear.weight, alone)


def test_inner_folds_predict_each_speaker_by_a_model_that_was_not_fitted_on_it():
    vectors, targets, speakers = planted(80)
    model = Plain(40)
    held_out = fit.fit_by_inner_folds(model, vectors, one_hot(targets, CLASSES), targets, speakers, [0.1])
    values = standard(vectors.values)
    for fitted, tested in GroupKFold(5).split(values, groups=speakers):
        assert not {speakers[row] for row in fitted} & {speakers[row] for row in tested}
        expected = LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000).fit(
            values[fitted], targets[fitted]
        )
        assert held_out[tested] == pytest.approx(expected.predict_proba(values[tested]), abs=1e-3)
    final = LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000).fit(values, targets)
    assert fit.predict(model, vectors, 80) == pytest.approx(final.predict_proba(values), abs=1e-3)


def test_labels_that_the_speaker_alone_tells_are_not_learnt_by_inner_folds():
    random = numpy.random.default_rng(0)
    speakers = numpy.repeat(numpy.arange(12), 10)
    targets = speakers % CLASSES
    values = random.normal(0, 0.1, (120, 12)).astype(numpy.float32)
    values[numpy.arange(120), speakers] += 3
    held_out = fit.fit_by_inner_folds(
        Plain(12), Vectors(numpy.arange(120), values), one_hot(targets, CLASSES), targets, speakers.tolist(), STRENGTHS
    )
    assert (held_out.argmax(axis=1) == targets).mean() < 0.5


def test_windows_of_an_utterance_stay_together_and_are_averaged():
    vectors, targets, speakers = planted(40)
    twice = Vectors(numpy.repeat(vectors.owners, 2), numpy.repeat(vectors.values, 2, axis=0))
    once, double = Plain(40), Plain(40)
    shares = one_hot(targets, CLASSES)
    alone = fit.fit_by_inner_folds(once, vectors, shares, targets, speakers, [0.1])
    pairs = fit.fit_by_inner_folds(
        double, twice, shares, targets, speakers, [0.05]
    )  # twice the windows, half the strength
    assert pairs == pytest.approx(alone, abs=2e-3)


def test_a_class_or_speaker_that_an_inner_fold_lacks_is_no_error():
    values = numpy.random.default_rng(0).normal(0, 1, (12, 4)).astype(numpy.float32)
    targets = numpy.array([0] * 6 + [1] * 6)
    by_class = ["a"] * 6 + ["b"] * 6  # each inner fold is fitted on one class
    shares = one_hot(targets, CLASSES)
    held_out = fit.fit_by_inner_folds(Plain(4), Vectors(numpy.arange(12), values), shares, targets, by_class, STRENGTHS)
    assert held_out.argmax(axis=1).tolist() == [1] * 6 + [0] * 6
    single = numpy.arange(CLASSES)
    with pytest.raises(DataError) as error:
        fit.fit_by_inner_folds(
            Plain(4), Vectors(single, values[:CLASSES]), one_hot(single, CLASSES), single, ["a"] * CLASSES, STRENGTHS
        )
    assert str(error.value) == (
        "3 utterances of one speaker have one label each, and the strength of a model is chosen by predicting a part of them "
        "from the others; prepare more utterances."
    )
    of_one = fit.fit_by_inner_folds(Plain(4), Vectors(numpy.arange(12), values), shares, targets, ["a"] * 12, STRENGTHS)
    assert of_one.sum(axis=1) == pytest.approx(numpy.ones(12))


def test_a_speakers_statistics_take_the_place_of_the_training_splits():
    vectors, _, _ = planted(6, dim=4)
    model = Plain(4)
    with torch.inference_mode():
        model.standardise_with(torch.from_numpy(vectors.values))
    statistics = numpy.stack([numpy.full(4, 1.0), numpy.full(4, 2.0)])[None].astype(numpy.float32)
    speakers = numpy.array([0, 0, 0, -1, -1, -1])
    by_speaker = fit.standardised(model, Vectors(vectors.owners, vectors.values, speakers, statistics))
    assert by_speaker[:3] == pytest.approx((vectors.values[:3] - 1) / 2)
    assert by_speaker[3:] == pytest.approx(standard(vectors.values)[3:], abs=1e-3)
    assert softmax(by_speaker, axis=1).shape == (6, 4)
