"""Intervals by simulation: known values must lie in them as often as their confidence level.

Two modalities with the same accuracy, whose confidence is random, are no more accurate together than alone: whichever of the two
predictions is taken, and for whatever reason, it is right with the same probability. So the accuracy of every weighting is known,
and the gain over one modality is zero.
"""

import numpy
import pandas
import pytest
from scipy.special import softmax
from scipy.stats import binom

from emokit.fusion.late import bootstrap, fusion_methods
from emokit.fusion.late.combine import Weighted
from emokit.fusion.late.inputs import Panel
from emokit.fusion.late.search import Problem, first_best
from emokit.fusion.late.settings import SearchSettings
from emokit.fusion.late.simplex import grid
from emokit.labels import DEFAULT_LABELS

NUM_LABELS = len(DEFAULT_LABELS)
ACCURACY = 0.5
KNOWN_WEIGHTS = numpy.array([0.5, 0.3, 0.2])
PER_DIALOGUE = 10
SETTINGS = SearchSettings(step=0.05, objective="accuracy", pooling="linear", calibrate=False, resamples=200)
SIMULATIONS = 150


def panel_of(targets: numpy.ndarray, values: numpy.ndarray) -> Panel:
    numbers = numpy.arange(len(targets))
    columns = {"utterance_id": [f"meld/{number:05d}" for number in numbers], "corpus": "meld", "speaker": "Ross"}
    columns |= {"dialogue": [f"{number // PER_DIALOGUE}" for number in numbers], "split": "dev"}
    table = pandas.DataFrame(columns | {"label": numpy.array(DEFAULT_LABELS)[targets]})
    present = numpy.ones(values.shape[:2], dtype=bool)
    return Panel(tuple("abc"[: len(values)]), DEFAULT_LABELS, table, values, present)


def uninformative(random: numpy.random.Generator, dialogues: int) -> Panel:
    """Two modalities, each right half of the time, more in some dialogues than in others, with random confidence."""
    size = dialogues * PER_DIALOGUE
    targets = random.integers(0, NUM_LABELS, size)
    rate = numpy.repeat(random.beta(6, 6, dialogues), PER_DIALOGUE)
    values = numpy.empty((2, size, NUM_LABELS))
    for probabilities in values:
        wrong = (targets + random.integers(1, NUM_LABELS, size)) % NUM_LABELS
        predicted = numpy.where(random.random(size) < rate, targets, wrong)
        confidence = random.uniform(0.4, 0.95, size)
        probabilities[:] = ((1 - confidence) / (NUM_LABELS - 1))[:, None]
        probabilities[numpy.arange(size), predicted] = confidence
    return panel_of(targets, values)


def complementary(random: numpy.random.Generator, dialogues: int) -> Panel:
    """Three modalities of independent evidence, each overconfident by one over its known weight: log pooling with these
    weights gives the true probabilities.
    """
    size = dialogues * PER_DIALOGUE
    targets = random.integers(0, NUM_LABELS, size)
    evidence = random.normal(size=(3, size, NUM_LABELS))
    evidence[:, numpy.arange(size), targets] += 1
    return panel_of(targets, softmax(evidence / KNOWN_WEIGHTS[:, None, None], axis=2))


def searched_weights(panel: Panel) -> Weighted:
    searched = fusion_methods.search(panel, SETTINGS)
    return Weighted(*searched.points.at(searched.best), temperatures=(1.0,) * len(panel.names))


@pytest.fixture(scope="module")
def simulations():
    """Per simulation: the gain's interval on test, the optimum on dev, the nested score, the corrected score."""
    random = numpy.random.default_rng(20)
    rows = []
    for _ in range(SIMULATIONS):
        dev, test = uninformative(random, 48), uninformative(random, 100)
        best = searched_weights(dev)
        alone = Weighted((1, 0), "linear", (1.0, 1.0))
        compared = fusion_methods.compare(test, {"single": alone.pooled(test), "searched": best.pooled(test)}, 0)
        nested = fusion_methods.out_of_fold(dev, 5, lambda panel: {"searched": searched_weights(panel)})["searched"]
        resampled = bootstrap.bootstrap(fusion_methods.search(dev, SETTINGS), SETTINGS.resamples, 0)
        rows.append(
            [
                *compared["searched"]["accuracy"]["difference_interval"],
                resampled["apparent"],
                (nested.argmax(axis=1) == dev.targets).mean(),
                resampled["corrected"],
            ]
        )
    return numpy.array(rows)


def test_the_interval_of_the_gain_covers_zero_at_its_rate_without_a_gain(simulations):
    low, high = simulations[:, 0], simulations[:, 1]
    differs = low < high  # where all weight went to the first modality, there is nothing to compare
    assert differs.sum() > 0.8 * SIMULATIONS
    covered = ((low <= 0) & (high >= 0))[differs]
    fewest, most = binom.interval(0.99, differs.sum(), 0.95)
    assert fewest <= covered.sum() <= most


def test_the_optimum_is_too_high_and_the_nested_score_is_not(simulations):
    apparent, nested = simulations[:, 2], simulations[:, 3]
    error = simulations[:, 2:4].std(axis=0) / SIMULATIONS**0.5
    assert apparent.mean() - ACCURACY > 5 * error[0]
    assert abs(nested.mean() - ACCURACY) < 3 * error[1]


def test_the_corrected_score_removes_most_of_the_optimism(simulations):
    apparent, corrected = simulations[:, 2].mean() - ACCURACY, simulations[:, 4].mean() - ACCURACY
    assert abs(corrected) < 0.5 * apparent


def test_the_intervals_of_the_weights_cover_the_known_best_ones():
    settings = SearchSettings(step=0.04, objective="nll", pooling="log", calibrate=False)
    random = numpy.random.default_rng(3)
    covered = numpy.zeros(3)
    for _ in range(60):
        searched = fusion_methods.search(complementary(random, 60), settings)
        bounds = numpy.array(bootstrap.bootstrap(searched, 200, 0)["weights"])
        covered += (bounds[:, 0] <= KNOWN_WEIGHTS + 1e-9) & (bounds[:, 1] >= KNOWN_WEIGHTS - 1e-9)
    assert (covered >= binom.interval(0.99, 60, 0.95)[0]).all()


def test_the_bootstrap_repeats_the_search_on_each_resample(make_panel):
    panel = make_panel(size=100)
    settings = SearchSettings(step=0.1, pooling="both", calibrate=False)
    searched = fusion_methods.search(panel, settings)
    resampled = bootstrap.bootstrap(searched, 100, 4)
    draws = bootstrap.metrics.bootstrap_weights(searched.problem.num_clusters, 100, 4)
    for number in (0, 57, 99):
        rows = numpy.repeat(numpy.arange(100), draws[number].astype(int)[searched.problem.cluster])
        resample = panel.rows(rows)
        alone = Problem.from_panel(resample, ["linear", "log"], "weighted_f1")
        points = grid(3, 10, ["linear", "log"])
        assert list(points.at(first_best(alone.plain_scores(points)))[0]) == resampled["cloud"][number]
    assert resampled["corrected"] == pytest.approx(resampled["apparent"] - resampled["optimism"])
    assert resampled["optimism"] > 0
    assert resampled["resamples"] == 100


def test_the_plateau_has_the_best_and_the_points_that_do_not_differ_from_it(make_panel):
    settings = SearchSettings(step=0.1, pooling="linear", calibrate=False)
    searched = fusion_methods.search(make_panel(size=200), settings)
    on_plateau, bounds = bootstrap.plateau(searched, 400, 0)
    draws = bootstrap.metrics.bootstrap_weights(searched.problem.num_clusters, 400, 0)
    scores = numpy.hstack([chunk for _, chunk in searched.problem.scores(searched.points, draws)])
    differences = scores - scores[:, [searched.best]]
    assert on_plateau[searched.best]
    assert 1 < on_plateau.sum() < len(on_plateau)
    contains_zero = numpy.quantile(differences, 0.975, axis=0, method="inverted_cdf") >= -1e-12
    assert (on_plateau == contains_zero).mean() > 0.98
    assert bounds == pytest.approx(numpy.quantile(scores, [0.025, 0.975], axis=0).T)
