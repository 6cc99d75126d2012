"""Fusion methods from the simplest to the richest, each fitted on dev only.

Scores on dev are out of fold: all parameters, temperatures included, are fitted without the dialogues that are scored.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy

from emokit import metrics, predictions
from emokit.fusion.late import calibrate
from emokit.fusion.late.combine import Weighted, tempered
from emokit.fusion.late.inputs import Panel
from emokit.fusion.late.search import SCORE_TOLERANCE, Problem, first_best
from emokit.fusion.late.settings import Pooling, SearchSettings
from emokit.fusion.late.simplex import Points, grid
from emokit.fusion.late.stacking import fit_per_class, fit_stacked, fold_numbers

# name -> (title, description)
FUSION_METHODS = {
    "single": ("best single modality", "the modality with the best score on dev, alone"),
    "equal": ("equal weights", "the same weight for every modality"),
    "study": ("plain grid search", "the best weights of the grid with linear pooling, uncalibrated"),
    "searched": ("searched weights", "the best weights of the grid"),
    "one_se": ("simplest weights", "the simplest weights within one standard error of the best"),
    "per_class": (
        "per-class weights",
        "log pooling with a weight per modality and class, regularised towards equal weights",
    ),
    "stacking": (
        "logistic stacking",
        "logistic regression on the log probabilities of all modalities, with an L2 penalty",
    ),
}
STANDARD_ERROR_RESAMPLES = 200
COMPARED = (*metrics.SCORES, "nll")


class FusionMethod(Protocol):
    """A fitted fusion method."""

    def pooled(self, panel: Panel) -> numpy.ndarray:
        """(utterances, classes) fused probabilities."""
        ...


@dataclass(frozen=True)
class Searched:
    """A search of the grid: the problem, the evaluated points, their scores, the index of the best."""

    problem: Problem
    points: Points
    scores: numpy.ndarray
    best: int


def poolings(settings: SearchSettings) -> tuple[Pooling, ...]:
    """The poolings to search."""
    return ("linear", "log") if settings.pooling == "both" else (settings.pooling,)


def search(panel: Panel, settings: SearchSettings, only: tuple[Pooling, ...] | None = None) -> Searched:
    """Search all weights on a panel, which is calibrated beforehand.

    Args:
        panel: the utterances.
        settings: step, objective and pooling.
        only: these poolings in place of those of the settings.
    """
    problem = Problem.from_panel(panel, only or poolings(settings), settings.objective)
    points = problem.refined(grid(len(panel.names), settings.steps, tuple(problem.terms)), settings.steps)
    scores = problem.plain_scores(points)
    return Searched(problem, points, scores, first_best(scores))


def calibrated(panel: Panel, settings: SearchSettings) -> tuple[Panel, tuple[float, ...]]:
    """The panel with calibrated probabilities, and the temperatures; all 1 without `calibrate`."""
    temperatures = calibrate.temperatures(panel) if settings.calibrate else (1.0,) * len(panel.names)
    return panel.with_probabilities(tempered(panel.probabilities, temperatures)), temperatures


def fit(panel: Panel, settings: SearchSettings) -> dict[str, FusionMethod]:
    """Fit all fusion methods, by name."""
    calibrated_panel, temperatures = calibrated(panel, settings)
    searched = search(calibrated_panel, settings)
    modalities = len(panel.names)
    vertices = Points({poolings(settings)[0]: numpy.eye(modalities, dtype=int)})
    equal = Points(dict.fromkeys(poolings(settings), numpy.ones((1, modalities), dtype=int)))
    chosen = {
        "single": vertices.at(first_best(searched.problem.plain_scores(vertices))),
        "equal": equal.at(first_best(searched.problem.plain_scores(equal))),
        "searched": searched.points.at(searched.best),
        "one_se": searched.points.at(simplest(searched, settings.seed)),
    }
    plain = search(panel, settings, ("linear",))
    weights, pooling = plain.points.at(plain.best)
    weighted = {
        name: with_final_temperature(Weighted(*point, temperatures=temperatures), panel, settings)
        for name, point in chosen.items()
    } | {"study": Weighted(weights, pooling, (1.0,) * modalities)}
    return {
        **{name: weighted[name] for name in ("single", "equal", "study", "searched", "one_se")},
        "per_class": fit_per_class(panel, temperatures),
        "stacking": fit_stacked(panel, temperatures),
    }


def with_final_temperature(weighted: Weighted, panel: Panel, settings: SearchSettings) -> Weighted:
    """The same weights with the temperature after pooling, fitted on the panel."""
    if not settings.calibrate:
        return weighted
    final = calibrate.temperature(weighted.pooled(panel), panel.targets)
    return Weighted(weighted.weights, weighted.pooling, weighted.temperatures, final)


def simplest(searched: Searched, seed: int) -> int:
    """The index of the simplest point whose score is within one standard error of the best.

    The standard error is that of the difference to the best on resamples of the clusters. Simplest means the fewest modalities,
    then the smallest distance to equal weights over them, then the first in the order of `simplex`.
    """
    problem, points = searched.problem, searched.points
    draws = metrics.bootstrap_weights(problem.num_clusters, STANDARD_ERROR_RESAMPLES, seed)
    weights, pooling = points.at(searched.best)
    (_, best), *_ = problem.scores(Points({pooling: numpy.array([weights])}), draws)
    errors = numpy.concatenate([(best - scores).std(axis=0) for _, scores in problem.scores(points, draws)])
    within = numpy.flatnonzero(searched.scores >= searched.scores[searched.best] - errors - SCORE_TOLERANCE)
    steps = points.all_weights[within]
    used = (steps > 0).sum(axis=1)
    total = steps[0].sum()
    distance = (numpy.where(steps > 0, used[:, None] * steps - total, 0) ** 2).sum(axis=1) / used**2
    return int(within[numpy.lexsort([within, distance, used])[0]])


def out_of_fold(
    panel: Panel, folds: int, fit_methods: Callable[[Panel], Mapping[str, FusionMethod]]
) -> dict[str, numpy.ndarray]:
    """Per fusion method (utterances, classes) probabilities; each utterance's cluster is held out of the fit.

    Args:
        panel: the utterances.
        folds: number of folds of whole clusters.
        fit_methods: a panel -> the fusion methods fitted on it.
    """
    fold = fold_numbers(panel.clusters, folds)
    probabilities: dict[str, numpy.ndarray] = {}
    for number in range(fold.max() + 1):
        held_out = panel.rows(fold == number)
        for name, method in fit_methods(panel.rows(fold != number)).items():
            rows = probabilities.setdefault(name, numpy.empty(panel.probabilities.shape[1:]))
            rows[fold == number] = method.pooled(held_out)
    return probabilities


def compare(panel: Panel, probabilities: Mapping[str, numpy.ndarray], seed: int) -> dict[str, dict[str, Any]]:
    """Per fusion method its scores and the differences to the best single modality, each with a 95 % interval over clusters.

    Args:
        panel: the utterances.
        probabilities: per fusion method (utterances, classes); the others are compared with `single`.
        seed: of the resamples, which are the same for all methods.
    """
    values, resampled = {}, {}
    for name, rows in probabilities.items():
        table = predictions.make(panel.table, rows, labels=panel.labels, model=name, fingerprint="")
        sums, clusters = metrics.cluster_sums(table)
        draws = metrics.bootstrap_weights(len(clusters), metrics.NUM_RESAMPLES, seed)
        values[name] = {
            key: float(value[0])
            for key, value in metrics.scores(sums.resampled(numpy.ones((1, len(clusters))))).items()
        }
        resampled[name] = metrics.scores(sums.resampled(draws))
    return {
        name: {
            key: {
                "score": values[name][key],
                "interval": _interval(resampled[name][key]),
                "difference": values[name][key] - values["single"][key],
                "difference_interval": _interval(resampled[name][key] - resampled["single"][key]),
            }
            for key in COMPARED
        }
        for name in probabilities
    }


def _interval(values: numpy.ndarray) -> list[float]:
    return [float(bound) for bound in numpy.quantile(values, [0.025, 0.975])]
