"""How fast the search of fusion weights is: `make bench` runs it; every figure is measured anew.

1,326 weight triples on 1,109 utterances of 114 dialogues and 7 classes, as MELD's dev has them, against a loop over
scikit-learn's `f1_score`; 20,301 triples; 1,000 searches on resamples; and how much memory that took.
"""

import resource
import time
from collections.abc import Callable
from typing import Any

import numpy
import pandas
from sklearn.metrics import f1_score

from emokit.cli import console
from emokit.fusion.late.inputs import Panel
from emokit.fusion.late.search import Problem
from emokit.fusion.late.simplex import Points, grid
from emokit.labels import LABELS
from emokit.metrics import bootstrap_weights

UTTERANCES, DIALOGUES, RESAMPLES = 1_109, 114, 1_000


def panel() -> Panel:
    """Three modalities of noise that favours the truth more or less."""
    random = numpy.random.default_rng(0)
    targets = random.choice(7, UTTERANCES, p=[0.14, 0.02, 0.04, 0.15, 0.42, 0.1, 0.13])
    scores = random.normal(size=(3, UTTERANCES, 7))
    scores[:, numpy.arange(UTTERANCES), targets] += numpy.array([[1.5], [1.0], [0.5]])
    powers = numpy.exp(scores)
    dialogues = numpy.sort(numpy.append(numpy.arange(DIALOGUES), random.integers(0, DIALOGUES, UTTERANCES - DIALOGUES)))
    table = pandas.DataFrame(
        {
            "utterance_id": [f"meld/{number:04d}" for number in range(UTTERANCES)],
            "corpus": "meld",
            "speaker": "Ross",
            "dialogue": dialogues.astype(str),
            "split": "dev",
            "label": numpy.array(LABELS)[targets],
        }
    )
    present = numpy.ones((3, UTTERANCES), dtype=bool)
    return Panel(("audio", "text", "vision"), table, powers / powers.sum(axis=2, keepdims=True), present)


def measure(work: Callable[[], Any], times: int = 1) -> tuple[float, Any]:
    """The least seconds of some runs, and what the last one gave."""
    seconds = []
    found = None
    for _ in range(times):
        begun = time.perf_counter()
        found = work()
        seconds.append(time.perf_counter() - begun)
    return min(seconds), found


def main() -> None:
    """Measure and show."""
    data = panel()
    problem = Problem.of(data, ["linear"], "weighted_f1")
    points, finer = grid(3, 50, ["linear"]), grid(3, 200, ["linear"])

    def with_scikit_learn() -> numpy.ndarray:
        pooled = (numpy.tensordot(weights / 50, data.probabilities, 1) for weights in points.all_weights)
        return numpy.array([f1_score(data.targets, one.argmax(axis=1), average="weighted") for one in pooled])

    slow, expected = measure(with_scikit_learn)
    quick, found = measure(lambda: problem.plain_scores(points), times=3)
    fine, _ = measure(lambda: problem.plain_scores(finer))
    draws = bootstrap_weights(problem.num_clusters, RESAMPLES, 0)
    again, _ = measure(lambda: problem.best(points, draws))
    log_problem = Problem.of(data, ["log"], "nll")
    log_nll, _ = measure(lambda: log_problem.plain_scores(Points({"log": points.all_weights})))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    for what, value in {
        f"{len(points):,} points, a loop over scikit-learn's f1_score": f"{slow:.2f} s",
        f"{len(points):,} points, emokit": f"{quick:.3f} s, {slow / quick:.0f} times as fast",
        "largest difference of a score": f"{numpy.abs(found - expected).max():.1e}",
        f"{len(finer):,} points, emokit": f"{fine:.2f} s",
        f"{len(points):,} points by log pooling and NLL": f"{log_nll:.3f} s",
        f"{RESAMPLES:,} searches of {len(points):,} points on resamples of dialogues": f"{again:.2f} s",
        "most memory of the process": f"{peak:.2f} GiB",
    }.items():
        console.show(f"{what}: {value}")


if __name__ == "__main__":
    main()
