"""Speed of the search of fusion weights; `make bench` runs it and measures every figure.

1,326 weight triples on 1,109 utterances of 114 dialogues and 7 classes, the size of MELD's dev, against a loop over
scikit-learn's `f1_score`; 20,301 triples; 1,000 searches on resamples; and the peak memory.
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
from emokit.labels import DEFAULT_LABELS
from emokit.metrics import bootstrap_weights

UTTERANCES, DIALOGUES, RESAMPLES = 1_109, 114, 1_000


def synthetic_panel() -> Panel:
    """Three modalities of random probabilities that favour the truth to different degrees."""
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
            "label": numpy.array(DEFAULT_LABELS)[targets],
        }
    )
    probabilities = powers / powers.sum(axis=2, keepdims=True)
    present = numpy.ones((3, UTTERANCES), dtype=bool)
    return Panel(("audio", "text", "vision"), DEFAULT_LABELS, table, probabilities, present)


def measure(function: Callable[[], Any], repetitions: int = 1) -> tuple[float, Any]:
    """The shortest duration in seconds of some calls, and the result of the last one."""
    seconds = []
    result = None
    for _ in range(repetitions):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def main() -> None:
    """Measure and show."""
    panel = synthetic_panel()
    problem = Problem.from_panel(panel, ["linear"], "weighted_f1")
    points, finer_points = grid(3, 50, ["linear"]), grid(3, 200, ["linear"])

    def with_scikit_learn() -> numpy.ndarray:
        pooled = (numpy.tensordot(weights / 50, panel.probabilities, 1) for weights in points.all_weights)
        return numpy.array([f1_score(panel.targets, values.argmax(axis=1), average="weighted") for values in pooled])

    loop_seconds, expected = measure(with_scikit_learn)
    search_seconds, scores = measure(lambda: problem.plain_scores(points), repetitions=3)
    finer_seconds, _ = measure(lambda: problem.plain_scores(finer_points))
    draws = bootstrap_weights(problem.num_clusters, RESAMPLES, 0)
    bootstrap_seconds, _ = measure(lambda: problem.best(points, draws))
    log_problem = Problem.from_panel(panel, ["log"], "nll")
    nll_seconds, _ = measure(lambda: log_problem.plain_scores(Points({"log": points.all_weights})))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    for name, value in {
        f"{len(points):,} points, a loop over scikit-learn's f1_score": f"{loop_seconds:.2f} s",
        f"{len(points):,} points, emokit": f"{search_seconds:.3f} s, {loop_seconds / search_seconds:.0f} times as fast",
        "largest difference of a score": f"{numpy.abs(scores - expected).max():.1e}",
        f"{len(finer_points):,} points, emokit": f"{finer_seconds:.2f} s",
        f"{len(points):,} points with log pooling and NLL": f"{nll_seconds:.3f} s",
        f"{RESAMPLES:,} searches of {len(points):,} points on resamples of dialogues": f"{bootstrap_seconds:.2f} s",
        "peak memory of the process": f"{peak:.2f} GiB",
    }.items():
        console.show(f"{name}: {value}")


if __name__ == "__main__":
    main()
