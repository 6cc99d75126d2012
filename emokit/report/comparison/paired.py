"""Paired comparison of two experiments on their common test utterances: differences with intervals, McNemar's test, each class.

Both sides are resampled together, whole speakers or dialogues at a time, which cancels the difficulty of the utterances. An
experiment of several seeds counts by the mean of their scores.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy
import pandas
from scipy import stats

from emokit import metrics
from emokit.errors import DataError
from emokit.labels import LabelSet
from emokit.predictions import KEYS, Predictions
from emokit.schema.metrics import FEWEST_CLUSTERS

# With fewer discordant pairs, McNemar's chi-squared is inaccurate and the binomial is computed.
FEW_DISCORDANT = 25


@dataclass(frozen=True)
class Difference:
    """A score of both sides, and the second minus the first; None where a side lacks the score.

    Attributes:
        interval: 95 % of the difference over resampled clusters; None with fewer than two clusters.
        too_few: whether it is over too few clusters to differ significantly from zero.
    """

    first: float | None
    second: float | None
    difference: float | None
    interval: tuple[float, float] | None
    too_few: bool = False

    @property
    def is_certain(self) -> bool:
        """Whether its interval excludes zero and is over enough clusters."""
        return self.interval is not None and not self.too_few and not self.interval[0] <= 0 <= self.interval[1]


@dataclass(frozen=True)
class McNemar:
    """Number of utterances that each of two runs predicts correctly, and the p-value of McNemar's test.

    Attributes:
        both, only_first, only_second, neither: utterances.
        test: the variant that was computed.
    """

    both: int
    only_first: int
    only_second: int
    neither: int
    test: str
    p: float


@dataclass(frozen=True)
class Comparison:
    """The differences of two experiments on their common test utterances.

    Attributes:
        num_common: utterances that every run of both was tested on; only these count.
        num_first, num_second: utterances that each side was tested on.
        scores: score -> difference.
        recall, f1: label -> difference.
        support: label -> number of common utterances.
        mcnemar: None where a side has several seeds.
    """

    num_common: int
    num_first: int
    num_second: int
    num_clusters: int
    cluster: str
    scores: dict[str, Difference]
    recall: dict[str, Difference]
    f1: dict[str, Difference]
    support: dict[str, int]
    mcnemar: McNemar | None


def compare(first: Sequence[Predictions], second: Sequence[Predictions]) -> Comparison:
    """Compare two experiments, each the test predictions of one run or of several seeds.

    Raises:
        DataError: they have different label sets, no common utterance, or different labels of one.
    """
    common = _common([*first, *second])
    sides = common[: len(first)], common[len(first) :]
    names, before, after = _resampled(sides)
    scores_before, scores_after = before.scores(), after.scores()
    recall_before, f1_before = before.classes()
    recall_after, f1_after = after.classes()
    table, labels = common[0].table, common[0].labels
    support = table["label"].value_counts()
    return Comparison(
        num_common=len(table),
        num_first=len(first[0].table),
        num_second=len(second[0].table),
        num_clusters=len(names),
        cluster=metrics.cluster_noun(table),
        scores={name: _difference(scores_before[name], scores_after[name], len(names)) for name in metrics.INTERVALS},
        recall=_by_label(labels, recall_before, recall_after, len(names)),
        f1=_by_label(labels, f1_before, f1_after, len(names)),
        support={label: int(support.get(label, 0)) for label in labels},
        mcnemar=_mcnemar(sides[0][0], sides[1][0]) if len(common) == 2 else None,
    )


def uar_difference(first: Sequence[Predictions], second: Sequence[Predictions]) -> tuple[Difference, int]:
    """The difference in UAR alone and the number of common utterances; for a ranking of many runs.

    Raises:
        DataError: they have different label sets, no common utterance, or different labels of one.
    """
    common = _common([*first, *second])
    names, before, after = _resampled((common[: len(first)], common[len(first) :]))
    uar_before, uar_after = (side.scores(("uar",))["uar"] for side in (before, after))
    return _difference(uar_before, uar_after, len(names)), len(common[0].table)


@dataclass(frozen=True)
class _Side:
    """The sums of each run: of the utterances as they are in the first row, of resamples in the others."""

    runs: tuple[metrics.Sums, ...]

    def scores(self, names: Sequence[str] = metrics.INTERVALS) -> dict[str, numpy.ndarray]:
        """Each score (1 + resamples,), the mean over the runs."""
        scores_of_runs = [metrics.scores(sums) for sums in self.runs]
        return {name: numpy.mean([scores[name] for scores in scores_of_runs], axis=0) for name in names}

    def classes(self) -> tuple[numpy.ndarray, numpy.ndarray]:
        """Recall and F1 (1 + resamples, classes), the mean over the runs; NaN where a class has nothing to count."""
        recalls, f1s = [], []
        for sums in self.runs:
            hits = numpy.diagonal(sums.confusion, axis1=1, axis2=2)
            support, predicted = sums.confusion.sum(axis=2), sums.confusion.sum(axis=1)
            with numpy.errstate(invalid="ignore"):
                recalls.append(hits / support)
                f1s.append(2 * hits / (support + predicted))
        return numpy.mean(recalls, axis=0), numpy.mean(f1s, axis=0)


def _common(runs: Sequence[Predictions]) -> list[Predictions]:
    """The utterances that all runs have, in one order and with the keys of the first."""
    labels = runs[0].labels
    for run in runs[1:]:
        if run.labels != labels:
            raise DataError(
                f"One run predicts the labels {', '.join(labels)} and another {', '.join(run.labels)}, so they cannot be "
                "compared; train them on the same label set."
            )
    tables = [run.table.set_index("utterance_id") for run in runs]
    ids = tables[0].index
    for table in tables[1:]:
        if not table.index.equals(ids):  # equal in most cases, and then much faster
            ids = ids[ids.isin(table.index)]
    if ids.empty:
        raise DataError(
            "The runs have no test utterance in common, so they cannot be compared; test them on the same corpora."
        )
    keys = tables[0].loc[ids].reset_index()[list(KEYS)]
    common = []
    for run, table in zip(runs, tables, strict=True):
        rows = (table if table.index.equals(ids) else table.loc[ids]).reset_index()
        wrong = numpy.flatnonzero(rows["label"].to_numpy() != keys["label"].to_numpy())
        if len(wrong):
            row = wrong[0]
            raise DataError(
                f"{keys['utterance_id'][row]} has the label {keys['label'][row]} in one run and {rows['label'][row]} in "
                "another, so they cannot be compared; prepare their data with the same map of labels."
            )
        common.append(replace(run, table=pandas.concat([keys, rows[labels.columns]], axis=1)))
    return common


def _resampled(sides: tuple[Sequence[Predictions], Sequence[Predictions]]) -> tuple[numpy.ndarray, _Side, _Side]:
    """The names of the clusters, and the sums of both sides on the same resamples of them."""
    sums_of_sides = [[metrics.cluster_sums(run) for run in side] for side in sides]
    names = sums_of_sides[0][0][1]
    draws = _draws(len(names), metrics.NUM_RESAMPLES)
    first, second = (_Side(tuple(sums.resampled(draws) for sums, _ in side)) for side in sums_of_sides)
    return names, first, second


@lru_cache(maxsize=4)
def _draws(num_clusters: int, num_resamples: int) -> numpy.ndarray:
    """(1 + resamples, clusters) how often each cluster counts: once in the first row; the same for every pair of runs."""
    draws = metrics.bootstrap_weights(num_clusters, num_resamples, seed=0)
    return numpy.concatenate([numpy.ones((1, num_clusters)), draws])


def _difference(before: numpy.ndarray, after: numpy.ndarray, num_clusters: int) -> Difference:
    """The difference of scores (1 + resamples,), the first of each without resampling."""
    change = after - before
    finite = change[1:][numpy.isfinite(change[1:])]
    interval = None
    if num_clusters > 1 and len(finite) and numpy.isfinite(change[0]):
        low, high = numpy.quantile(finite, [0.025, 0.975])
        interval = (float(low), float(high))
    first, second, difference = (
        float(value) if numpy.isfinite(value) else None for value in (before[0], after[0], change[0])
    )
    return Difference(first, second, difference, interval, num_clusters < FEWEST_CLUSTERS)


def _by_label(
    labels: LabelSet, before: numpy.ndarray, after: numpy.ndarray, num_clusters: int
) -> dict[str, Difference]:
    return {label: _difference(before[:, i], after[:, i], num_clusters) for i, label in enumerate(labels)}


def _mcnemar(first: Predictions, second: Predictions) -> McNemar:
    correct_first, correct_second = (run.probabilities.argmax(axis=1) == run.targets for run in (first, second))
    only_first, only_second = int((correct_first & ~correct_second).sum()), int((~correct_first & correct_second).sum())
    discordant = only_first + only_second
    if discordant < FEW_DISCORDANT:
        test = "exact binomial"
        p = float(stats.binomtest(only_first, discordant, 0.5).pvalue) if discordant else 1.0
    else:
        test = "chi-squared with Edwards's correction"
        p = float(stats.chi2.sf(max(abs(only_first - only_second) - 1, 0) ** 2 / discordant, 1))
    both, neither = int((correct_first & correct_second).sum()), int((~correct_first & ~correct_second).sum())
    return McNemar(both, only_first, only_second, neither, test, p)
