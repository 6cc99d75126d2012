"""`metrics.json`: the scores of a run."""

from typing import Self

from pydantic import Field, model_validator

from emokit.schema.base import Count, Number, Schema, Share

# If two models were equally good, n clusters would all favour the same one with probability 1 / 2 ** (n - 1). Below 6 clusters
# that exceeds 5 %, so a 95 % interval over them cannot exclude zero, whatever its resamples give.
FEWEST_CLUSTERS = 6

Interval = tuple[Number, Number]
"""The lower and upper bound of a 95 % bootstrap interval over whole clusters."""


class Scores(Schema):
    """The four scores that runs, corpora and baselines have in common, each from 0 to 1."""

    accuracy: Share
    uar: Share
    weighted_f1: Share
    macro_f1: Share


class GroupScores(Scores):
    """The scores on the utterances of one corpus, or of the speakers of one gender."""

    n: Count


class Baseline(Scores):
    """The scores of a simple model on the same utterances."""

    description: str = ""
    interval: dict[str, Interval] = Field(default_factory=dict)
    confusion: list[list[Count]] = Field(default_factory=list)


class ClassScores(Schema):
    """The scores of one label; `support` is its number of utterances in the truth."""

    precision: Share | None
    recall: Share | None
    f1: Share | None
    support: Count


class Split(Scores):
    """The scores of one split. Rows of `confusion` are the truth; `interval` is None where a score has none."""

    n: Count
    num_clusters: Count | None = None
    cluster: str = "speaker"
    nll: Number | None = None
    ece: Share | None = None
    confusion: list[list[Count]]
    per_class: dict[str, ClassScores]
    per_corpus: dict[str, GroupScores] = Field(default_factory=dict)
    per_gender: dict[str, GroupScores] = Field(default_factory=dict)
    interval: dict[str, Interval | None] = Field(default_factory=dict)
    baselines: dict[str, Baseline] = Field(default_factory=dict)


class Fold(Scores):
    """The scores of one fold of a cross-validation on its own test utterances."""

    n: Count
    nll: Number | None = None
    ece: Share | None = None


class Spread(Schema):
    """Mean and standard deviation of a score over folds."""

    mean: Number
    deviation: Number


class Metrics(Schema):
    """A run's `metrics.json`.

    Attributes:
        labels: the label set, in the order of the confusion matrices.
        parameters: number of trained and frozen parameters.
        declared: what must be stated with the scores, without a full stop; empty for most runs.
        missing_labels: labels that the classifier never predicts.
        verdict: of a fused run, whether fusion helps.
        policy: of a cross-validated run, how its folds were drawn.
        folds: fold -> its scores; `splits["test"]` pools their utterances.
        over_folds: score -> its mean and spread over the folds.
        splits: split -> its scores.
    """

    name: str = ""
    modality: str = ""
    model: str = ""
    labels: list[str]
    parameters: Count | None = None
    epochs: Count | None = None
    best_epoch: Count | None = None
    declared: str = ""
    missing_labels: list[str] = Field(default_factory=list)
    verdict: str = ""
    policy: str = ""
    folds: dict[str, Fold] = Field(default_factory=dict)
    over_folds: dict[str, Spread] = Field(default_factory=dict)
    splits: dict[str, Split]

    @model_validator(mode="after")
    def _fits_the_labels(self) -> Self:
        size = len(self.labels)
        if size < 2 or len(set(self.labels)) < size:
            raise ValueError("has labels that are not two or more different ones")
        for name, split in self.splits.items():
            if [len(row) for row in split.confusion] != [size] * size:
                raise ValueError(f"has splits.{name}.confusion in another shape than its {size} labels")
            if missing := [label for label in self.labels if label not in split.per_class]:
                raise ValueError(f"has no splits.{name}.per_class.{missing[0]}")
            if (counted := sum(map(sum, split.confusion))) != split.n:
                raise ValueError(f"has splits.{name}.n = {split.n} and a confusion matrix of {counted} utterances")
            for score, bounds in split.interval.items():
                if bounds and bounds[0] > bounds[1]:
                    raise ValueError(f"has splits.{name}.interval.{score} from {bounds[0]:g} down to {bounds[1]:g}")
        return self
