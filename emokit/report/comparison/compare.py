"""`emokit report --compare`: the first experiment against each of the others, in numbers and sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet
from emokit.predictions import check_label_map, relabelled
from emokit.report.comparison.paired import Comparison, Difference, compare
from emokit.report.comparison.ranking import Experiment, experiments_of
from emokit.report.read_runs import gather, other_label_set, read_run
from emokit.report.wording import FEW_CLUSTERS, counted, points
from emokit.schema.metrics import FEWEST_CLUSTERS

SHARES = ("uar", "accuracy", "weighted_f1", "macro_f1")  # scores from 0 to 1 of which higher is better


@dataclass(frozen=True)
class Compared:
    """Two experiments and their differences."""

    first: Experiment
    second: Experiment
    comparison: Comparison

    @property
    def verdict(self) -> str:
        """The result in a sentence."""
        uar, cluster = self.comparison.scores["uar"], self.comparison.cluster
        clusters = counted(self.comparison.num_clusters, cluster)
        on = f"On the {counted(self.comparison.num_common, 'common test utterance')}"
        if self._has_clusters:
            on += f" of {clusters}"
        if uar.first is None or uar.second is None or uar.difference is None:
            return f"{on} there is no UAR."
        first, second = self.names
        scores = f"{second} has a UAR of {100 * uar.second:.1f}\u00a0% and {first} {100 * uar.first:.1f}\u00a0%"
        if uar.interval is None:
            return f"{on}, {scores}; no interval can be computed over one {cluster}."
        low, high = map(points, uar.interval)
        change = f"the difference of {points(uar.difference)} points (95\u00a0% interval {low} to {high})"
        if uar.too_few:
            return f"{on}, {scores}: {change} cannot be significant over {clusters}; at least {FEWEST_CLUSTERS} are needed."
        return f"{on}, {scores}: {change} is {'' if uar.is_certain else 'not '}significant."

    @property
    def notes(self) -> list[str]:
        """Caveats: different data, utterances left out, assumptions of the tests."""
        comparison = self.comparison
        notes = []
        other_data = self.first.runs[0].fingerprint != self.second.runs[0].fingerprint
        if other_data or not comparison.num_common == comparison.num_first == comparison.num_second:
            reason = "made from different data" if other_data else "tested on different utterances"
            notes.append(
                f"The runs were {reason}, so only their {counted(comparison.num_common, 'common test utterance')} count "
                f"({self.names[0]} has {comparison.num_first:,}, {self.names[1]} {comparison.num_second:,})."
            )
        for name, side in zip(self.names, (self.first, self.second), strict=True):
            if declared := side.runs[0].metrics.declared:
                notes.append(f"To be declared with {name}: {declared}.")
        if comparison.num_clusters < FEW_CLUSTERS:
            notes.append(
                f"The intervals are over only {counted(comparison.num_clusters, comparison.cluster)}, "
                "so they say little about new ones."
            )
        if comparison.mcnemar and self._has_clusters:
            notes.append(
                f"McNemar's test ({comparison.mcnemar.test}) assumes independent utterances, "
                f"which those of one {comparison.cluster} are not; the intervals do not assume it."
            )
        elif not comparison.mcnemar:
            notes.append(
                "The intervals are over clusters, with the mean over seeds; the standard deviation is over seeds. "
                "McNemar's test applies to two single runs only."
            )
        return notes

    @property
    def _has_clusters(self) -> bool:
        """Whether some utterances share a cluster; comments without a known author do not."""
        return self.comparison.num_clusters < self.comparison.num_common

    @property
    def names(self) -> tuple[str, str]:
        """The two names; the folders where the names are equal."""
        first, second = self.first, self.second
        return (
            (first.name, second.name)
            if first.name != second.name
            else (str(first.runs[0].folder), str(second.runs[0].folder))
        )

    def as_dict(self) -> dict[str, Any]:
        """The whole comparison as plain values."""
        return {
            "first": _plain(self.first),
            "second": _plain(self.second),
            **asdict(self.comparison),
            "verdict": self.verdict,
            "notes": self.notes,
        }


def compare_runs(folders: Sequence[Path], label_map: Mapping[str, str] | None = None) -> list[Compared]:
    """Compare the experiment of the first run with each other experiment; runs that differ only in their seed are one.

    Args:
        folders: of runs.
        label_map: new names of labels, for runs with different label sets; they are compared with the merged labels.

    Raises:
        UsageError: a run is named twice, or there is one experiment only; or a map with several seeds or of no label.
        DataError: a run cannot be read, has no test predictions, another label set, or no utterance in common.
    """
    gather(folders[:1])  # raises the errors of a report for no folder and for a folder that is not a run
    _refuse_repeated(folders)
    runs = [read_run(folder, f"run-{number}") for number, folder in enumerate(folders, start=1)]
    label_map = label_map or {}
    check_label_map(label_map, (LabelSet(run.metrics.labels) for run in runs))
    merged = [LabelSet(run.metrics.labels).merged(label_map)[0] for run in runs]
    for run, labels in zip(runs, merged, strict=True):
        if set(labels) != set(merged[0]):
            raise DataError(other_label_set(run, runs[0]))
    experiments = sorted(experiments_of(runs), key=lambda experiment: min(runs.index(run) for run in experiment.runs))
    if len(experiments) < 2:
        what = "Only one run was named" if len(runs) == 1 else f"The {len(runs)} runs are seeds of one experiment"
        raise UsageError(f"{what}, so there is nothing to compare; name a run of another experiment beside it.")
    if label_map and any(len(experiment.runs) > 1 for experiment in experiments):
        raise UsageError("--map was given with several seeds of one experiment; name one run of each.")
    return [_compared(experiments[0], other, label_map) for other in experiments[1:]]


def _refuse_repeated(folders: Sequence[Path]) -> None:
    """Refuse a run that is named twice: it would count once, and the comparison would lack a part without a word.

    Raises:
        UsageError: names it.
    """
    seen: set[Path] = set()
    for folder in folders:
        if folder.resolve() in seen:
            raise UsageError(f"{folder} was named twice, and a comparison is between different runs; name it once.")
        seen.add(folder.resolve())


def _compared(first: Experiment, second: Experiment, label_map: Mapping[str, str]) -> Compared:
    before, after = ([relabelled(run.tested, label_map) for run in side.runs] for side in (first, second))
    # The tables have the same labels, perhaps in another order.
    before, after = ([replace(table, labels=before[0].labels) for table in tables] for tables in (before, after))
    return Compared(first, second, compare(before, after))


def _plain(experiment: Experiment) -> dict[str, Any]:
    """Its runs; of several seeds also mean and deviation of each score on all their test utterances."""
    plain: dict[str, Any] = {"name": experiment.name, "runs": [str(run.folder) for run in experiment.runs]}
    if len(experiment.runs) > 1 and experiment.is_tested:
        plain["seeds"] = experiment.seeds
        plain["mean"] = {score: experiment.mean(score) for score in SHARES}
        plain["deviation"] = {score: experiment.deviation(score) for score in SHARES}
    return plain


def points_with_interval(difference: Difference) -> str:
    """A difference of shares in points: `+3.1 (−0.5 to +6.7)`; a dash where there is none."""
    change = points(difference.difference)
    if difference.interval is None:
        return change
    return f"{change} ({points(difference.interval[0])} to {points(difference.interval[1])})"
