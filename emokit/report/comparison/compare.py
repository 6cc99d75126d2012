"""`emokit report --compare`: the experiment named first against each of the others, in numbers and in words."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emokit.errors import DataError, UsageError
from emokit.report.comparison.paired import FEWEST_CLUSTERS, Comparison, Difference, compare
from emokit.report.comparison.ranking import Experiment, experiments_of
from emokit.report.read_runs import gather, other_classes, read_run
from emokit.report.wording import FEW_CLUSTERS, counted, points

# The scores that are shares; the other two are lower for the better.
SHARES = ("uar", "accuracy", "weighted_f1", "macro_f1")


@dataclass(frozen=True)
class Compared:
    """Two experiments and what they differ in."""

    first: Experiment
    second: Experiment
    found: Comparison

    @property
    def verdict(self) -> str:
        """What came out, in a sentence."""
        own = self.found.scores["uar"]
        on = f"On {self._utterances}"
        if self._has_clusters:
            on += f" of {counted(self.found.num_clusters, self.found.cluster)}"
        if own.first is None or own.second is None or own.difference is None:
            return f"{on} there is no UAR."
        first, second = self.names
        reach = f"{second} reaches a UAR of {100 * own.second:.1f}\u00a0% and {first} {100 * own.first:.1f}\u00a0%"
        if own.interval is None:
            return f"{on}, {reach}; no interval can be drawn over one {self.found.cluster}."
        sure = f"{points(own.difference)} points (95\u00a0% interval {points(own.interval[0])} to {points(own.interval[1])})"
        if own.too_few:
            few = f"{counted(self.found.num_clusters, self.found.cluster)}; it takes {FEWEST_CLUSTERS} or more"
            return f"{on}, {reach}: the difference of {sure} cannot be told from zero by {few}."
        return f"{on}, {reach}: the difference of {sure} " + (
            "is told apart from zero." if own.is_certain else "cannot be told from zero."
        )

    @property
    def notes(self) -> list[str]:
        """What to keep in mind: other data, utterances left out, what the tests take for granted."""
        found = self.found
        notes = []
        other_data = self.first.runs[0].fingerprint != self.second.runs[0].fingerprint
        if other_data or not found.num_common == found.num_first == found.num_second:
            made = (
                "The runs were made on different data" if other_data else "The runs were tested on different utterances"
            )
            notes.append(
                f"{made}, so only the {counted(found.num_common, 'test utterance')} that both have count "
                f"({self.names[0]} has {found.num_first:,}, {self.names[1]} {found.num_second:,})."
            )
        for name, side in zip(self.names, (self.first, self.second), strict=True):
            if declared := side.runs[0].metrics.declared:
                notes.append(f"To be declared with {name}: {declared}.")
        if found.num_clusters < FEW_CLUSTERS:
            notes.append(
                f"The intervals rest on only {counted(found.num_clusters, found.cluster)}, so they say little about new ones."
            )
        if found.mcnemar and self._has_clusters:
            notes.append(
                f"McNemar's test ({found.mcnemar.test}) takes utterances as independent, which those of one {found.cluster} "
                "are not; the intervals do not."
            )
        elif not found.mcnemar:
            notes.append(
                "The intervals are over the utterances' clusters with the mean over seeds; how much seeds differ is the "
                "spread. McNemar's test is of two single runs."
            )
        return notes

    @property
    def _has_clusters(self) -> bool:
        """Whether there are utterances that belong together; comments without a known author do not."""
        return self.found.num_clusters < self.found.num_common

    @property
    def _utterances(self) -> str:
        common = counted(self.found.num_common, "test utterance")
        return common if self.found.num_common == 1 else f"the {common} that both have"

    @property
    def names(self) -> tuple[str, str]:
        """What the two are called; by their folders where their names are the same."""
        first, second = self.first, self.second
        return (
            (first.name, second.name)
            if first.name != second.name
            else (str(first.runs[0].folder), str(second.runs[0].folder))
        )

    def as_dict(self) -> dict[str, Any]:
        """Everything, as plain values."""
        return {
            "first": _plain(self.first),
            "second": _plain(self.second),
            **asdict(self.found),
            "verdict": self.verdict,
            "notes": self.notes,
        }


def compare_runs(folders: Sequence[Path]) -> list[Compared]:
    """Compare the experiment of the run named first with each other experiment; runs that differ in their seed are one.

    Raises:
        UsageError: all runs are of one experiment, or there is only one.
        DataError: a run cannot be read, has no test predictions, tells other classes apart, or has no utterance in common.
    """
    gather(folders[:1])  # refuses no folder at all, and what is no run, in the words of a report
    named = list({folder.resolve(): folder for folder in folders}.values())
    runs = [read_run(folder, f"run-{number}") for number, folder in enumerate(named, start=1)]
    for run in runs[1:]:
        if run.metrics.labels != runs[0].metrics.labels:
            raise DataError(other_classes(run, runs[0]))
    found = sorted(experiments_of(runs), key=lambda one: min(runs.index(run) for run in one.runs))
    if len(found) < 2:
        what = "Only one run was named" if len(runs) == 1 else f"The {len(runs)} runs are seeds of one experiment"
        raise UsageError(f"{what}, so there is nothing to compare; name a run of another experiment beside it.")
    return [_compared(found[0], other) for other in found[1:]]


def _compared(first: Experiment, second: Experiment) -> Compared:
    return Compared(first, second, compare([run.tested for run in first.runs], [run.tested for run in second.runs]))


def _plain(experiment: Experiment) -> dict[str, Any]:
    """Its runs; of several seeds also the mean and spread of each score on all that they were tested on."""
    found: dict[str, Any] = {"name": experiment.name, "runs": [str(run.folder) for run in experiment.runs]}
    if len(experiment.runs) > 1 and experiment.is_tested:
        found["seeds"] = experiment.seeds
        found["mean"] = {score: experiment.mean(score) for score in SHARES}
        found["deviation"] = {score: experiment.deviation(score) for score in SHARES}
    return found


def said(difference: Difference) -> str:
    """A difference of shares in points as tables have it: `+3.1 (−0.5 to +6.7)`, a dash where there is none."""
    change = points(difference.difference)
    if difference.interval is None:
        return change
    return f"{change} ({points(difference.interval[0])} to {points(difference.interval[1])})"
