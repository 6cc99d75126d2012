"""Speed and memory of the search for fusion weights; run by `make bench`.

1,326 weight triples on 1,109 utterances of 114 dialogues and 7 classes (the size of MELD's dev split), against a loop over
scikit-learn's `f1_score`; 20,301 triples; and 1,000 searches on bootstrap resamples.
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
CLASSES = len(DEFAULT_LABELS)
CLASS_SHARES = [0.14, 0.02, 0.04, 0.15, 0.42, 0.1, 0.13]


def panel() -> Panel:
    """Random predictions of three modalities that are correct more or less often."""
    random = numpy.random.default_rng(0)
    targets = random.choice(CLASSES, UTTERANCES, p=CLASS_SHARES)
    logits = random.normal(size=(3, UTTERANCES, CLASSES))
    logits[:, numpy.arange(UTTERANCES), targets] += numpy.array([[1.5], [1.0], [0.5]])
    powers = numpy.exp(logits)
    probabilities = powers / powers.sum(axis=2, keepdims=True)
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
    present = numpy.ones((3, UTTERANCES), dtype=bool)
    return Panel(("audio", "text", "vision"), DEFAULT_LABELS, table, probabilities, present)


def measure(work: Callable[[], Any], repeats: int = 1) -> tuple[float, Any]:
    """The seconds of the fastest run, and the result of the last one."""
    seconds = []
    result = None
    for _ in range(repeats):
        started = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - started)
    return min(seconds), result


def main() -> None:
    """Measure and print."""
    data = panel()
    problem = Problem.from_panel(data, ["linear"], "weighted_f1")
    points, fine_points = grid(3, 50, ["linear"]), grid(3, 200, ["linear"])

    def with_scikit_learn() -> numpy.ndarray:
        pooled = (numpy.tensordot(weights / 50, data.probabilities, 1) for weights in points.all_weights)
        predictions = (probabilities.argmax(axis=1) for probabilities in pooled)
        return numpy.array([f1_score(data.targets, predicted, average="weighted") for predicted in predictions])

    loop_seconds, expected = measure(with_scikit_learn)
    seconds, scores = measure(lambda: problem.plain_scores(points), repeats=3)
    fine_seconds, _ = measure(lambda: problem.plain_scores(fine_points))
    draws = bootstrap_weights(problem.num_clusters, RESAMPLES, 0)
    search_seconds, _ = measure(lambda: problem.best(points, draws))
    log_problem = Problem.from_panel(data, ["log"], "nll")
    log_seconds, _ = measure(lambda: log_problem.plain_scores(Points({"log": points.all_weights})))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    for title, value in {
        f"{len(points):,} points, loop over scikit-learn's f1_score": f"{loop_seconds:.2f} s",
        f"{len(points):,} points, emokit": f"{seconds:.3f} s, {loop_seconds / seconds:.0f} times as fast",
        "largest difference of a score": f"{numpy.abs(scores - expected).max():.1e}",
        f"{len(fine_points):,} points, emokit": f"{fine_seconds:.2f} s",
        f"{len(points):,} points by log pooling and NLL": f"{log_seconds:.3f} s",
        f"{RESAMPLES:,} searches of {len(points):,} points on resamples of dialogues": f"{search_seconds:.2f} s",
        "peak memory of the process": f"{peak:.2f} GiB",
    }.items():
        console.show(f"{title}: {value}")


if __name__ == "__main__":
    main()
