"""The ladder: ways to fuse from the plainest to the richest, each fitted on dev alone.

On dev a rung is judged out of fold: everything, temperatures included, is fitted anew without the dialogues it is judged on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy

from emokit import metrics, predictions
from emokit.fusion.late import calibrate
from emokit.fusion.late.combine import Weighted, tempered
from emokit.fusion.late.inputs import Panel
from emokit.fusion.late.search import Problem, first_best
from emokit.fusion.late.settings import Pooling, SearchSettings
from emokit.fusion.late.simplex import Points, grid
from emokit.fusion.late.stacking import fit_per_class, fit_stacked, fold_numbers

# name -> (what it is called, what it is)
FUSION_METHODS = {
    "single": ("best single modality", "the modality that scores best on dev, alone"),
    "equal": ("equal weights", "every modality weighs the same"),
    "study": ("plain grid search", "the best weights of the grid by linear pooling, nothing calibrated"),
    "searched": ("searched weights", "the best weights of the grid"),
    "one_se": ("simplest weights", "the simplest weights within one standard error of the best"),
    "per_class": ("per-class weights", "a weight per modality and class on the logarithms, drawn towards equal ones"),
    "stacking": ("logistic stacking", "logistic regression on all logarithms, with an L2 penalty"),
}
STANDARD_ERROR_RESAMPLES = 200
COMPARED = (*metrics.SCORES, "nll")


class Combiner(Protocol):
    """What a rung comes to: from what the modalities say to one probability per class."""

    def pooled(self, panel: Panel) -> numpy.ndarray:
        """(utterances, classes) probabilities."""
        ...


@dataclass(frozen=True)
class Searched:
    """One search of the grid: the problem, the points that were evaluated, their scores, the best."""

    problem: Problem
    points: Points
    scores: numpy.ndarray
    best: int


def poolings(settings: SearchSettings) -> tuple[Pooling, ...]:
    """The poolings that are searched."""
    return ("linear", "log") if settings.pooling == "both" else (settings.pooling,)


def search(panel: Panel, settings: SearchSettings, which: tuple[Pooling, ...] | None = None) -> Searched:
    """Search all weights on a panel; what is to be calibrated is calibrated already."""
    problem = Problem.of(panel, which or poolings(settings), settings.objective)
    points = problem.refined(grid(len(panel.names), settings.steps, tuple(problem.terms)), settings.steps)
    scores = problem.plain_scores(points)
    return Searched(problem, points, scores, first_best(scores))


def calibrated(panel: Panel, settings: SearchSettings) -> tuple[Panel, tuple[float, ...]]:
    """The panel with each modality's own temperature, and the temperatures; all 1 where nothing is to be calibrated."""
    found = calibrate.temperatures(panel) if settings.calibrate else (1.0,) * len(panel.names)
    return panel.saying(tempered(panel.probabilities, found)), found


def fit(panel: Panel, settings: SearchSettings) -> dict[str, Combiner]:
    """Fit every rung."""
    warm, own = calibrated(panel, settings)
    found = search(warm, settings)
    modalities = len(panel.names)
    vertices = Points({poolings(settings)[0]: numpy.eye(modalities, dtype=int)})
    equal = Points(dict.fromkeys(poolings(settings), numpy.ones((1, modalities), dtype=int)))
    chosen = {
        "single": vertices.at(first_best(found.problem.plain_scores(vertices))),
        "equal": equal.at(first_best(found.problem.plain_scores(equal))),
        "searched": found.points.at(found.best),
        "one_se": found.points.at(simplest(found, settings.seed)),
    }
    plain = search(panel, settings, ("linear",))
    weights, pooling = plain.points.at(plain.best)
    weighted = {
        name: finished(Weighted(*point, temperatures=own), panel, settings) for name, point in chosen.items()
    } | {"study": Weighted(weights, pooling, (1.0,) * modalities)}
    return {
        **{name: weighted[name] for name in ("single", "equal", "study", "searched", "one_se")},
        "per_class": fit_per_class(panel, own),
        "stacking": fit_stacked(panel, own),
    }


def finished(weighted: Weighted, panel: Panel, settings: SearchSettings) -> Weighted:
    """With the temperature after pooling, fitted on the panel."""
    if not settings.calibrate:
        return weighted
    after = calibrate.temperature(weighted.pooled(panel), panel.targets)
    return Weighted(weighted.weights, weighted.pooling, weighted.temperatures, after)


def simplest(found: Searched, seed: int) -> int:
    """The simplest point whose score is within one standard error of the best.

    The standard error is that of the difference to the best on resamples of the clusters. Simplest is: the fewest modalities,
    among those the nearest to equal weights on them, among those the first in the order of `simplex`.
    """
    problem, points = found.problem, found.points
    draws = metrics.bootstrap_weights(problem.num_clusters, STANDARD_ERROR_RESAMPLES, seed)
    weights, pooling = points.at(found.best)
    (_, best), *_ = problem.scores(Points({pooling: numpy.array([weights])}), draws)
    errors = numpy.concatenate([(best - scores).std(axis=0) for _, scores in problem.scores(points, draws)])
    within = numpy.flatnonzero(found.scores >= found.scores[found.best] - errors - 1e-12)
    steps = points.all_weights[within]
    used = (steps > 0).sum(axis=1)
    total = steps[0].sum()
    away = (numpy.where(steps > 0, used[:, None] * steps - total, 0) ** 2).sum(axis=1) / used**2
    return int(within[numpy.lexsort([within, away, used])[0]])


def out_of_fold(
    panel: Panel, folds: int, fit_some: Callable[[Panel], Mapping[str, Combiner]]
) -> dict[str, numpy.ndarray]:
    """Per rung (utterances, classes) probabilities by what was fitted without the utterance's cluster.

    Args:
        panel: the utterances.
        folds: of whole clusters.
        fit_some: a panel -> the rungs fitted on it.
    """
    fold = fold_numbers(panel.clusters, folds)
    found: dict[str, numpy.ndarray] = {}
    for number in range(fold.max() + 1):
        held_out = panel.rows(fold == number)
        for name, combiner in fit_some(panel.rows(fold != number)).items():
            found.setdefault(name, numpy.empty(panel.probabilities.shape[1:]))[fold == number] = combiner.pooled(
                held_out
            )
    return found


def compare(panel: Panel, found: Mapping[str, numpy.ndarray], seed: int) -> dict[str, dict[str, Any]]:
    """Per rung its scores, and the differences to the best single modality, each with a 95 % interval over clusters.

    Args:
        panel: whose utterances they are.
        found: per rung (utterances, classes) probabilities; `single` is what the others are held against.
        seed: of the resamples, which are the same for all rungs.
    """
    values, resampled = {}, {}
    for name, probabilities in found.items():
        sums, clusters = metrics.cluster_sums(predictions.make(panel.table, probabilities, model=name, fingerprint=""))
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
        for name in found
    }


def _interval(values: numpy.ndarray) -> list[float]:
    return [float(bound) for bound in numpy.quantile(values, [0.025, 0.975])]
