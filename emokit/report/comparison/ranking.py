"""Groups runs into experiments, ranks them, and computes their differences to the best."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from emokit.errors import DataError
from emokit.report.comparison.paired import Difference, uar_difference
from emokit.report.read_runs import Run
from emokit.settings import flat

NO_SETTINGS = ("name", "published")  # settings that do not change a result


@dataclass(frozen=True)
class Experiment:
    """Runs on the same data whose settings differ in `training.seed` only; most experiments are one run.

    Attributes:
        runs: the best test UAR first.
    """

    runs: tuple[Run, ...]

    @property
    def name(self) -> str:
        """The name of the run; of several runs, that of their settings."""
        first = self.runs[0]
        return first.name if len(self.runs) == 1 else str(first.settings.get("name") or first.metrics.name)

    @property
    def slug(self) -> str:
        """Prefix of its numbers' keys in the page; unique in the report."""
        return self.runs[0].slug if len(self.runs) == 1 else f"{self.runs[0].slug}/seeds"

    @property
    def seeds(self) -> list[int]:
        """The seed of each run."""
        return [run.settings["training"]["seed"] for run in self.runs]

    @property
    def is_tested(self) -> bool:
        """Whether all runs have scores on test."""
        return all(run.test for run in self.runs)

    def values(self, score: str) -> list[float]:
        """A score of each run on test."""
        return [getattr(run.test, score) for run in self.runs if run.test]

    def mean(self, score: str) -> float:
        """The mean of a score over the seeds."""
        return statistics.fmean(self.values(score))

    def deviation(self, score: str) -> float:
        """The standard deviation of a score over two or more seeds, with n - 1."""
        return statistics.stdev(self.values(score))


@dataclass(frozen=True)
class Standing:
    """An experiment and the difference of its test UAR to that of the best, on common utterances.

    Attributes:
        difference: None for the best itself, and where it cannot be computed.
        num_common: number of common utterances.
        problem: why there is no difference, in a sentence.
    """

    experiment: Experiment
    difference: Difference | None = None
    num_common: int = 0
    problem: str = ""

    @property
    def is_level(self) -> bool:
        """Whether it does not differ significantly from the best."""
        return self.difference is not None and not self.difference.is_certain


def experiments_of(runs: Sequence[Run]) -> list[Experiment]:
    """Group runs by experiment, the best mean test UAR first; a repeated seed starts another experiment."""
    groups: dict[str, dict[object, Run]] = {}
    for run in runs:
        seed = flat(run.settings).get("training.seed")
        key = _key(run) if isinstance(seed, int) else run.slug
        while seed in groups.setdefault(key, {}):
            key = f"{key} again"
        groups[key][seed] = run
    experiments = [
        Experiment(tuple(sorted(group.values(), key=lambda run: (-run.test.uar if run.test else 0, run.slug))))
        for group in groups.values()
    ]
    return sorted(
        experiments, key=lambda entry: (not entry.is_tested, -entry.mean("uar") if entry.is_tested else 0, entry.slug)
    )


def standings(experiments: Sequence[Experiment]) -> list[Standing]:
    """Compare every experiment with the first, which is the best."""
    best, *others = experiments
    return [Standing(best), *(_standing(best, other) for other in others)]


def _standing(best: Experiment, other: Experiment) -> Standing:
    if not (best.is_tested and other.is_tested):
        return Standing(other)
    try:
        sides = ([run.tested for run in best.runs], [run.tested for run in other.runs])
        return Standing(other, *uar_difference(*sides))
    except DataError as error:
        return Standing(other, problem=str(error))


def _key(run: Run) -> str:
    """Equal for runs that differ only in seed, folder and name."""
    settings = {key: value for key, value in flat(run.settings).items() if key.split(".")[0] not in NO_SETTINGS}
    settings.pop("training.seed")
    return json.dumps(
        [run.metrics.modality, run.metrics.policy, run.fingerprint, settings], sort_keys=True, default=str
    )
