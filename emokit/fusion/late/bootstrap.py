"""How sure the weights are: the whole search done again on resamples of the clusters, and the plateau around the best.

The optimism of a searched score is what it loses, on average, between the resample that it was searched on and the utterances
as they are (Efron 1983); the interval is that of the searched scores, moved down by the optimism (Noma et al. 2021).
"""

from typing import Any

import numpy

from emokit import metrics
from emokit.fusion.late.fusion_methods import Searched
from emokit.fusion.late.simplex import Points


def bootstrap(found: Searched, resamples: int, seed: int) -> dict[str, Any]:
    """Search again on each resample of the clusters; the temperatures stay as they were fitted on all.

    Returns:
        `weights`: per modality [low, high] of 95 %; `log`: the share of resamples in which log pooling was best; `apparent`,
        `optimism`, `corrected`: scores, the higher the better; `interval`: of the corrected score; `cloud`: per resample the
        best weights in whole steps; `plateau` and, per point, `low` and `high`: see `plateau`.
    """
    draws = metrics.bootstrap_weights(found.problem.num_clusters, resamples, seed)
    best, scores = found.problem.best(found.points, draws)
    weights = found.points.all_weights
    steps = int(weights[0].sum())
    optimism = float((scores - found.scores[best]).mean())
    apparent = float(found.scores[found.best])
    low, high = numpy.quantile(scores, [0.025, 0.975])
    bounds = numpy.quantile(weights[best] / steps, [0.025, 0.975], axis=0).T
    first_log = len(found.points.weights.get("linear", ()))
    return {
        "resamples": resamples,
        "clusters": found.problem.num_clusters,
        "weights": bounds.tolist(),
        "log": float((best >= first_log).mean()),
        "apparent": apparent,
        "optimism": optimism,
        "corrected": apparent - optimism,
        "interval": [float(low) - optimism, float(high) - optimism],
        "cloud": weights[best].tolist(),
    }


def plateau(found: Searched, resamples: int, seed: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Which points cannot be told apart from the best, and how sure each score is.

    Returns:
        (points,) whether the 95 % interval of the paired difference to the best reaches zero, and (points, 2) the interval of
        each point's own score.
    """
    draws = metrics.bootstrap_weights(found.problem.num_clusters, resamples, seed)
    weights, pooling = found.points.at(found.best)
    (_, best), *_ = found.problem.scores(Points({pooling: numpy.array([weights])}), draws)
    reaches, bounds = [], []
    for _, scores in found.problem.scores(found.points, draws):
        reaches.append((scores >= best - 1e-12).mean(axis=0) >= 0.025)
        bounds.append(numpy.quantile(scores, [0.025, 0.975], axis=0).T)
    return numpy.concatenate(reaches), numpy.concatenate(bounds)
