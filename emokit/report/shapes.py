"""What the report needs of `metrics.json` and `ledger.json`, checked at the door so that the page can rely on it.

Keys that the page does not show are let through: a later kind of run may write more.
"""

import reprlib
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from emokit.errors import DataError


class Schema(BaseModel):
    """The parent of every part of a file that is read: frozen, and without NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Scores(Schema):
    """The four scores that runs, corpora and baselines have in common, each a share from 0 to 1."""

    accuracy: float
    uar: float
    weighted_f1: float
    macro_f1: float


class CorpusScores(Scores):
    """The scores on the utterances of one corpus, or of the speakers of one sex."""

    n: int


class Baseline(Scores):
    """What a model that is no effort reaches on the same utterances."""

    description: str = ""


class ClassScores(Schema):
    """The scores of one label; `support` is its number of utterances in the truth."""

    precision: float | None
    recall: float | None
    f1: float | None
    support: int


class Split(Scores):
    """The scores of one split; `interval` holds (low, high) of 95 % from a bootstrap over whole clusters."""

    n: int
    num_clusters: int | None = None
    cluster: str = "speaker"
    nll: float | None = None
    ece: float | None = None
    confusion: list[list[int]]
    per_class: dict[str, ClassScores]
    per_corpus: dict[str, CorpusScores] = {}
    per_gender: dict[str, CorpusScores] = {}
    interval: dict[str, tuple[float, float] | None] = {}
    baselines: dict[str, Baseline] = {}


class Fold(Scores):
    """The scores of one fold of a cross-validation on its own test utterances."""

    n: int
    nll: float | None = None
    ece: float | None = None


class Spread(Schema):
    """Mean and standard deviation of a score over folds."""

    mean: float
    deviation: float


class Metrics(Schema):
    """A run's `metrics.json`; a cross-validated run has `folds`, whose test utterances `splits.test` holds together.

    `declared` is what has to be said beside its scores, without a full stop; empty for most.
    """

    name: str = ""
    modality: str = ""
    model: str = ""
    labels: list[str]
    parameters: int | None = None
    epochs: int | None = None
    best_epoch: int | None = None
    policy: str = ""
    declared: str = ""
    folds: dict[str, Fold] = {}
    over_folds: dict[str, Spread] = {}
    splits: dict[str, Split]

    @model_validator(mode="after")
    def _fits_the_labels(self) -> Self:
        size = len(self.labels)
        for name, split in self.splits.items():
            if [len(row) for row in split.confusion] != [size] * size:
                raise ValueError(f"has splits.{name}.confusion in another shape than its {size} labels")
            if missing := [label for label in self.labels if label not in split.per_class]:
                raise ValueError(f"has no splits.{name}.per_class.{missing[0]}")
        return self


class SplitOfCorpus(Schema):
    """How much of a corpus went into one split."""

    utterances: int
    speakers: list[str] = []


class CorpusLedger(Schema):
    """What became of one corpus; the three mappings go from a reason to the ids or paths it befell."""

    title: str = ""
    licence: str = ""
    expected: int | None = None
    found: int
    kept: int
    dropped: dict[str, list[str]] = {}
    repaired: dict[str, list[str]] = {}
    flagged: dict[str, list[str]] = {}
    labels: dict[str, int] = {}
    splits: dict[str, SplitOfCorpus] = {}
    notes: list[str] = []


class Ledger(Schema):
    """A run's `ledger.json`; `leakage` counts what two splits share: kind -> "train-test" -> number."""

    corpora: dict[str, CorpusLedger]
    leakage: dict[str, dict[str, int]] = {}


class Standing(Schema):
    """One score of one way to fuse: itself, and its difference to the best single modality, with intervals."""

    score: float
    interval: tuple[float, float]
    difference: float
    difference_interval: tuple[float, float]


class FusionMethod(Schema):
    """One way to fuse; `dev` and `test` go from a score's name to it."""

    name: str
    title: str
    about: str
    weights: list[float] = []
    pooling: str = ""
    dev: dict[str, Standing]
    test: dict[str, Standing]


class Quality(Schema):
    """How honest probabilities are; each bin is count, mean confidence, share right."""

    ece: float
    brier: float
    nll: float
    bins: list[tuple[int, float, float]]


class Calibration(Schema):
    """Of a modality or the fusion: its temperature, and `before` and `after` per split."""

    temperature: float
    dev: dict[str, Quality]
    test: dict[str, Quality]


class FusionSettings(Schema):
    """What the page says of how the weights were searched."""

    objective: str


class Search(Schema):
    """What was evaluated and found; `best` is in whole steps."""

    evaluated: int
    points: int
    exact: bool
    best: list[int]
    pooling: str


class Grid(Schema):
    """The points of the best pooling, in whole steps, with their scores and bounds; `plateau` is 1 or 0."""

    weights: list[list[int]]
    score: list[float]
    low: list[float]
    high: list[float]
    plateau: list[int]


class Bootstrap(Schema):
    """What the search finds on resamples; `cloud` holds the best weights of each, in whole steps."""

    resamples: int
    weights: list[tuple[float, float]]
    apparent: float
    optimism: float
    cloud: list[list[int]]


class Fusion(Schema):
    """A fused run's `fusion.json`."""

    modalities: list[str]
    labels: list[str]
    verdict: str
    settings: FusionSettings
    clusters: dict[str, int]
    cluster: str
    choice: str
    best_single: str
    search: Search
    grid: Grid
    bootstrap: Bootstrap
    ladder: list[FusionMethod]
    calibration: dict[str, Calibration]
    confusion: dict[str, dict[str, list[list[int]]]]


KindT = TypeVar("KindT", bound=Schema)


def check(shape: type[KindT], value: Any, path: Path) -> KindT:
    """Check what was read from `path`.

    Raises:
        DataError: names the file, the key and what is wrong with it.
    """
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
        if first["type"] == "missing":
            reason = f"has no {where}"
        elif where:
            reason = f"has {where} = {reprlib.repr(first['input'])}, but it {reason}"
        elif first["type"] != "value_error":
            reason = f"holds a {type(value).__name__} where a mapping was expected"
        raise DataError(f"{path} {reason}; make the run again, or leave it out.") from error
