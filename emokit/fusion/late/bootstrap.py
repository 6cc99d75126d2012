"""Uncertainty of the weights: the search repeated on bootstrap resamples of the clusters, and the plateau around the optimum.

The optimism of a searched score is its mean drop from the resample that was searched to the original utterances (Efron 1983).
The interval is that of the searched scores, shifted by the optimism (Noma et al. 2021).
"""

from typing import Any

import numpy

from emokit import metrics
from emokit.fusion.late.fusion_methods import Searched
from emokit.fusion.late.search import SCORE_TOLERANCE
from emokit.fusion.late.simplex import Points


def bootstrap(searched: Searched, resamples: int, seed: int) -> dict[str, Any]:
    """Repeat the search on resamples of the clusters; temperatures are not refitted.

    Returns:
        `weights`: per modality [low, high] of 95 %; `log`: the fraction of resamples in which log pooling was best; `apparent`,
        `optimism`, `corrected`: scores, higher is better; `interval`: of the corrected score; `cloud`: per resample the best
        weights in steps.
    """
    draws = metrics.bootstrap_weights(searched.problem.num_clusters, resamples, seed)
    best, scores = searched.problem.best(searched.points, draws)
    weights = searched.points.all_weights
    steps = int(weights[0].sum())
    optimism = float((scores - searched.scores[best]).mean())
    apparent = float(searched.scores[searched.best])
    low, high = numpy.quantile(scores, [0.025, 0.975])
    bounds = numpy.quantile(weights[best] / steps, [0.025, 0.975], axis=0).T
    first_log = len(searched.points.weights.get("linear", ()))
    return {
        "resamples": resamples,
        "clusters": searched.problem.num_clusters,
        "weights": bounds.tolist(),
        "log": float((best >= first_log).mean()),
        "apparent": apparent,
        "optimism": optimism,
        "corrected": apparent - optimism,
        "interval": [float(low) - optimism, float(high) - optimism],
        "cloud": weights[best].tolist(),
    }


def plateau(searched: Searched, resamples: int, seed: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The points that do not differ significantly from the best, and an interval for the score of each point.

    Returns:
        (points,) whether the 95 % interval of the paired difference to the best contains zero, and (points, 2) the 95 % interval
        of each point's score.
    """
    draws = metrics.bootstrap_weights(searched.problem.num_clusters, resamples, seed)
    weights, pooling = searched.points.at(searched.best)
    (_, best), *_ = searched.problem.scores(Points({pooling: numpy.array([weights])}), draws)
    on_plateau, bounds = [], []
    for _, scores in searched.problem.scores(searched.points, draws):
        on_plateau.append((scores >= best - SCORE_TOLERANCE).mean(axis=0) >= 0.025)
        bounds.append(numpy.quantile(scores, [0.025, 0.975], axis=0).T)
    return numpy.concatenate(on_plateau), numpy.concatenate(bounds)
