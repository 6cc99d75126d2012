"""Every score of the search against scikit-learn's, on random, tied and missing predictions; resamples by hand."""

import numpy
import pytest
from sklearn import metrics as sk

from emokit.fusion.late.combine import Weighted
from emokit.fusion.late.search import Problem, first_best
from emokit.fusion.late.simplex import Points, grid
from emokit.metrics import bootstrap_weights


def scikit_learn_score(objective: str, truth: numpy.ndarray, pooled: numpy.ndarray) -> float:
    predicted = pooled.argmax(axis=1)
    if objective == "accuracy":
        return float(sk.accuracy_score(truth, predicted))
    if objective == "uar":
        return float(sk.recall_score(truth, predicted, average="macro", labels=numpy.unique(truth), zero_division=0))
    if objective == "nll":
        return -float(sk.log_loss(truth, pooled, labels=range(7)))
    return float(sk.f1_score(truth, predicted, average=objective.removesuffix("_f1"), zero_division=0))


def pooled_by_hand(values: numpy.ndarray, fractions: numpy.ndarray, pooling: str) -> numpy.ndarray:
    if pooling == "linear":
        return numpy.tensordot(fractions, values, 1)
    products = numpy.prod(values ** fractions[:, None, None], axis=0)
    return products / products.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("objective", ["weighted_f1", "macro_f1", "uar", "accuracy", "nll"])
@pytest.mark.parametrize("pooling", ["linear", "log"])
def test_every_point_scores_as_in_scikit_learn(make_panel, objective, pooling):
    panel = make_panel(size=200)
    points = grid(3, 10, [pooling])
    scores = Problem.from_panel(panel, [pooling], objective).plain_scores(points)
    expected = [
        scikit_learn_score(objective, panel.targets, pooled_by_hand(panel.probabilities, weights / 10, pooling))
        for weights in points.all_weights
    ]
    assert len(scores) == 66
    assert numpy.abs(scores - expected).max() < 1e-12


@pytest.mark.parametrize("objective", ["weighted_f1", "macro_f1", "uar", "accuracy"])
def test_tied_classes_go_to_the_first_as_in_numpy(make_panel, objective):
    panel = make_panel(size=200)
    # Eighths: with weights in quarters sums are exact, and most utterances have two equal classes somewhere on the grid.
    eighths = numpy.random.default_rng(5).multinomial(8, numpy.ones(7) / 7, size=(3, 200)) / 8
    panel = panel.with_probabilities(eighths)
    points = grid(3, 4, ["linear"])
    pooled = [numpy.tensordot(weights / 4, eighths, 1) for weights in points.all_weights]
    tied = [(values == values.max(axis=1, keepdims=True)).sum(axis=1) > 1 for values in pooled]
    assert numpy.mean(tied) > 0.2
    scores = Problem.from_panel(panel, ["linear"], objective).plain_scores(points)
    expected = [scikit_learn_score(objective, panel.targets, values) for values in pooled]
    assert numpy.abs(scores - expected).max() < 1e-12


@pytest.mark.parametrize("pooling", ["linear", "log"])
@pytest.mark.parametrize("objective", ["macro_f1", "nll"])
def test_where_a_modality_is_missing_the_others_weigh_more(make_panel, pooling, objective):
    panel = make_panel(size=150, lacking=0.4)
    points = grid(3, 5, [pooling])
    expected = []
    for weights in points.all_weights:
        rows = numpy.empty((150, 7))
        for row, present in enumerate(panel.present.T):
            used = weights * present if (weights * present).any() else present.astype(int)
            rows[row] = pooled_by_hand(panel.probabilities[:, [row]], used / used.sum(), pooling)[0]
        expected.append(scikit_learn_score(objective, panel.targets, rows))
    scores = Problem.from_panel(panel, [pooling], objective).plain_scores(points)
    assert numpy.abs(scores - expected).max() < 1e-12


@pytest.mark.parametrize("objective", ["weighted_f1", "uar", "nll"])
def test_a_resample_scores_as_the_utterances_repeated(make_panel, objective):
    panel = make_panel(size=120)
    problem = Problem.from_panel(panel, ["linear"], objective)
    points = grid(3, 4, ["linear"])
    draws = bootstrap_weights(problem.num_clusters, 5, 3)
    resampled = numpy.hstack([scores for _, scores in problem.scores(points, draws)])
    rows = [numpy.repeat(numpy.arange(120), draw.astype(int)[problem.cluster]) for draw in draws]
    for number, repeated in enumerate(rows):
        expected = [
            scikit_learn_score(
                objective, panel.targets[repeated], numpy.tensordot(weights / 4, panel.probabilities, 1)[repeated]
            )
            for weights in points.all_weights
        ]
        assert numpy.abs(resampled[number] - expected).max() < 1e-12
    best, scores = problem.best(points, draws)
    assert (scores == resampled.max(axis=1)).all()
    assert best.tolist() == [first_best(row) for row in resampled]


def test_chunks_are_bounded_and_change_nothing(make_panel, monkeypatch):
    panel = make_panel(size=100)
    problem = Problem.from_panel(panel, ["linear", "log"], "weighted_f1")
    points = grid(3, 10, ["linear", "log"])
    in_one_chunk = problem.plain_scores(points)
    monkeypatch.setattr("emokit.fusion.late.search.CHUNK_NUMBERS", 7 * 100 * 4)
    chunks = list(problem.scores(points))
    assert max(chunk.stop - chunk.start for chunk, _ in chunks) == 4
    assert (numpy.concatenate([scores[0] for _, scores in chunks]) == in_one_chunk).all()


def test_among_equal_scores_the_first_point_wins(make_panel):
    panel = make_panel((1.5, 1.0), size=50)
    equal = panel.with_probabilities(panel.probabilities[[0, 0]])
    problem = Problem.from_panel(equal, ["linear", "log"], "weighted_f1")
    points = grid(2, 10, ["linear", "log"])
    scores = problem.plain_scores(points)
    assert numpy.ptp(scores) < 1e-12
    assert points.at(first_best(scores)) == ((5, 5), "linear")
    assert first_best(numpy.array([0.3, 0.5 - 1e-14, 0.5])) == 1


def test_a_point_scores_as_its_pooled_probabilities(make_panel):
    panel = make_panel()
    for pooling in ("linear", "log"):
        problem = Problem.from_panel(panel, [pooling], "weighted_f1")
        points = Points({pooling: numpy.array([[14, 33, 3]])})
        pooled = Weighted((14, 33, 3), pooling, (1.0, 1.0, 1.0)).pooled(panel)
        assert problem.plain_scores(points)[0] == pytest.approx(
            scikit_learn_score("weighted_f1", panel.targets, pooled), abs=1e-12
        )
