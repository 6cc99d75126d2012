"""Two experiments on the utterances that both were tested on: differences with intervals, McNemar's test, each class.

Both sides are resampled together, whole speakers or dialogues at a time, so what is hard for both cancels out. An experiment
of several seeds counts by the mean of their scores.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy
import pandas
from scipy import stats

from emokit import metrics
from emokit.errors import DataError
from emokit.labels import LABELS
from emokit.predictions import KEYS, PROBABILITIES, Predictions

# McNemar's chi-squared is said to hold from this many discordant pairs on; below, the binomial is computed.
FEW_DISCORDANT = 25
# Were both sides as good, n clusters would all favour one of them once in 2 ** (n - 1) times: below 6 that is above 5 %, so
# no interval over them can leave out zero at 95 %, whatever its resamples say.
FEWEST_CLUSTERS = 6


@dataclass(frozen=True)
class Difference:
    """A score of both sides and the second less the first; None where a side has no such score.

    Attributes:
        interval: 95 % of the difference over resampled clusters; None where there are fewer than two clusters.
        too_few: whether it rests on fewer clusters than can tell a difference from zero.
    """

    first: float | None
    second: float | None
    difference: float | None
    interval: tuple[float, float] | None
    too_few: bool = False

    @property
    def is_certain(self) -> bool:
        """Whether its interval leaves out zero, and rests on enough clusters to mean it."""
        return self.interval is not None and not self.too_few and not self.interval[0] <= 0 <= self.interval[1]


@dataclass(frozen=True)
class McNemar:
    """How many utterances each of two runs got right, and how probable so uneven a count is were both as good.

    Attributes:
        both, only_first, only_second, neither: utterances.
        test: what was computed.
    """

    both: int
    only_first: int
    only_second: int
    neither: int
    test: str
    p: float


@dataclass(frozen=True)
class Comparison:
    """What two experiments differ in on their common test utterances.

    Attributes:
        num_common: utterances that every run of both was tested on; only these count.
        num_first, num_second: utterances that each side was tested on.
        scores: a score's name -> its difference.
        recall, f1: label -> its difference.
        support: label -> its common utterances.
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
        DataError: they have no utterance in common, or give one of them different labels.
    """
    common = _common([*first, *second])
    sides = common[: len(first)], common[len(first) :]
    names, one, other = _resampled(sides)
    before, after = one.scores(), other.scores()
    classes = one.classes(), other.classes()
    table = common[0].table
    support = table["label"].value_counts()
    return Comparison(
        num_common=len(table),
        num_first=len(first[0].table),
        num_second=len(second[0].table),
        num_clusters=len(names),
        cluster=metrics.cluster_noun(table["dialogue"].notna()),
        scores={name: _difference(before[name], after[name], len(names)) for name in metrics.INTERVALS},
        recall=_by_label(classes[0][0], classes[1][0], len(names)),
        f1=_by_label(classes[0][1], classes[1][1], len(names)),
        support={label: int(support.get(label, 0)) for label in LABELS},
        mcnemar=_mcnemar(sides[0][0], sides[1][0]) if len(common) == 2 else None,
    )


def uar_difference(first: Sequence[Predictions], second: Sequence[Predictions]) -> tuple[Difference, int]:
    """The difference in UAR alone, and on how many common utterances; for a ranking of many runs.

    Raises:
        DataError: they have no utterance in common, or give one of them different labels.
    """
    common = _common([*first, *second])
    names, one, other = _resampled((common[: len(first)], common[len(first) :]))
    before, after = (side.scores(("uar",))["uar"] for side in (one, other))
    return _difference(before, after, len(names)), len(common[0].table)


@dataclass(frozen=True)
class _Side:
    """The sums of each run, the utterances as they are in the first row and resamples in the others."""

    runs: tuple[metrics.Sums, ...]

    def scores(self, names: Sequence[str] = metrics.INTERVALS) -> dict[str, numpy.ndarray]:
        """Each score (1 + resamples,), its mean over the runs."""
        found = [metrics.scores(sums) for sums in self.runs]
        return {name: numpy.mean([own[name] for own in found], axis=0) for name in names}

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
    """The utterances that all have, in one order and with the keys of the first."""
    tables = [run.table.set_index("utterance_id") for run in runs]
    ids = tables[0].index
    for table in tables[1:]:
        if not table.index.equals(ids):  # as it mostly is, and then much faster
            ids = ids[ids.isin(table.index)]
    if ids.empty:
        raise DataError(
            "The runs have no test utterance in common, so they cannot be compared; test them on the same corpora."
        )
    keys = tables[0].loc[ids].reset_index()[list(KEYS)]
    found = []
    for run, table in zip(runs, tables, strict=True):
        own = (table if table.index.equals(ids) else table.loc[ids]).reset_index()
        wrong = numpy.flatnonzero(own["label"].to_numpy() != keys["label"].to_numpy())
        if len(wrong):
            where = wrong[0]
            raise DataError(
                f"{keys['utterance_id'][where]} has the label {keys['label'][where]} in one run and {own['label'][where]} in "
                "another, so they cannot be compared; prepare their data with the same map of labels."
            )
        found.append(replace(run, table=pandas.concat([keys, own[list(PROBABILITIES)]], axis=1)))
    return found


def _resampled(sides: tuple[Sequence[Predictions], Sequence[Predictions]]) -> tuple[numpy.ndarray, _Side, _Side]:
    """The clusters' names, and both sides' sums on the same resamples of them."""
    sums = [[metrics.cluster_sums(run) for run in side] for side in sides]
    names = sums[0][0][1]
    draws = _draws(len(names), metrics.NUM_RESAMPLES)
    one, other = (_Side(tuple(own.resampled(draws) for own, _ in side)) for side in sums)
    return names, one, other


@lru_cache(maxsize=4)
def _draws(num_clusters: int, num_resamples: int) -> numpy.ndarray:
    """(1 + resamples, clusters) how often each cluster counts: once in the first row; the same for every pair of runs."""
    draws = metrics.bootstrap_weights(num_clusters, num_resamples, seed=0)
    return numpy.concatenate([numpy.ones((1, num_clusters)), draws])


def _difference(before: numpy.ndarray, after: numpy.ndarray, num_clusters: int) -> Difference:
    """Of values whose first is that of the utterances as they are."""
    change = after - before
    some = change[1:][numpy.isfinite(change[1:])]
    interval = None
    if num_clusters > 1 and len(some) and numpy.isfinite(change[0]):
        low, high = numpy.quantile(some, [0.025, 0.975])
        interval = (float(low), float(high))
    first, second, difference = (
        float(value) if numpy.isfinite(value) else None for value in (before[0], after[0], change[0])
    )
    return Difference(first, second, difference, interval, num_clusters < FEWEST_CLUSTERS)


def _by_label(before: numpy.ndarray, after: numpy.ndarray, num_clusters: int) -> dict[str, Difference]:
    return {label: _difference(before[:, i], after[:, i], num_clusters) for i, label in enumerate(LABELS)}


def _mcnemar(first: Predictions, second: Predictions) -> McNemar:
    right, too = (run.probabilities.argmax(axis=1) == run.targets for run in (first, second))
    only_first, only_second = int((right & ~too).sum()), int((~right & too).sum())
    discordant = only_first + only_second
    if discordant < FEW_DISCORDANT:
        test = "exact binomial"
        p = float(stats.binomtest(only_first, discordant, 0.5).pvalue) if discordant else 1.0
    else:
        test = "chi-squared with Edwards's correction"
        p = float(stats.chi2.sf(max(abs(only_first - only_second) - 1, 0) ** 2 / discordant, 1))
    return McNemar(int((right & too).sum()), only_first, only_second, int((~right & ~too).sum()), test, p)
