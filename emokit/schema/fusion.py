"""`fusion.json`: the search of late-fusion weights."""

from typing import Self

from pydantic import Field, model_validator

from emokit.schema.base import Schema

FUSION = "fusion.json"

Interval = tuple[float, float]
Weights = list[int]
"""A weight per modality, in whole steps of the grid."""


class MethodScore(Schema):
    """One score of a fusion method, and its difference to the best single modality; 95 % intervals over clusters."""

    score: float
    interval: Interval
    difference: float
    difference_interval: Interval


class FusionMethod(Schema):
    """A fusion method; `dev` (out of fold) and `test` map a score's name to it, `weights` sum to one."""

    name: str
    title: str
    about: str
    weights: list[float] = Field(default_factory=list)
    pooling: str = ""
    dev: dict[str, MethodScore]
    test: dict[str, MethodScore]


class Quality(Schema):
    """Calibration of probabilities; each bin is (count, mean confidence, accuracy)."""

    ece: float
    brier: float
    nll: float
    bins: list[tuple[int, float, float]]


class Calibration(Schema):
    """The temperature of a modality or of the fusion; `dev` and `test` hold the quality `before` and `after` it."""

    temperature: float
    dev: dict[str, Quality]
    test: dict[str, Quality]


class SearchSettings(Schema):
    """The settings of the search."""

    objective: str
    step: float | None = None
    pooling: str = ""
    missing: str = ""
    calibrate: bool | None = None
    choice: str = ""
    folds: int | None = None
    resamples: int | None = None
    seed: int | None = None


class Search(Schema):
    """The points that were evaluated, and the best one.

    Attributes:
        points: size of the full grid.
        exact: whether every point of it was evaluated.
        ties: number of points with the best score.
    """

    evaluated: int
    points: int
    exact: bool
    best: Weights
    pooling: str
    score: float | None = None
    ties: int | None = None


class Grid(Schema):
    """The points of the best pooling, with scores and bounds.

    Attributes:
        plateau: per point 1 if it does not differ significantly from the best, else 0.
        plateau_weights: per modality the lowest and the highest weight on the plateau.
    """

    weights: list[Weights]
    score: list[float]
    low: list[float]
    high: list[float]
    plateau: list[int]
    plateau_weights: list[Interval] = Field(default_factory=list)


class Bootstrap(Schema):
    """The search repeated on resamples of the clusters.

    Attributes:
        weights: per modality the 95 % interval of its weight.
        log: share of resamples in which log pooling is best.
        apparent, optimism, corrected: the score of the search, how far it is too high, and their difference.
        interval: of the corrected score.
        cloud: per resample the best weights.
    """

    resamples: int
    clusters: int | None = None
    weights: list[Interval]
    log: float | None = None
    apparent: float
    optimism: float
    corrected: float | None = None
    interval: Interval | None = None
    cloud: list[Weights]


class Source(Schema):
    """Where the predictions of a modality come from."""

    model: str
    fingerprint: str
    paths: list[str]


class Fusion(Schema):
    """A fused run's `fusion.json`.

    Attributes:
        clusters: split -> number of clusters, each a `cluster` (speaker or dialogue).
        choice: name of the method that the run uses.
        fusion_methods: all of them, from the simplest on.
        calibration: modality, or `fused` -> its calibration.
        confusion: modality -> split -> matrix, rows are the truth.
        joined: split -> counts of utterances: all, used, lacking a modality.
        declared: what must be stated with the scores, without a full stop.
    """

    modalities: list[str]
    labels: list[str]
    verdict: str
    settings: SearchSettings
    clusters: dict[str, int]
    cluster: str
    choice: str
    best_single: str
    search: Search
    grid: Grid
    bootstrap: Bootstrap
    fusion_methods: list[FusionMethod]
    calibration: dict[str, Calibration]
    confusion: dict[str, dict[str, list[list[int]]]]
    joined: dict[str, dict[str, int]] = Field(default_factory=dict)
    declared: str = ""
    sources: dict[str, Source] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        size = len(self.labels)
        if missing := [split for split in ("dev", "test") if split not in self.clusters]:
            raise ValueError(f"has no clusters.{missing[0]}")
        for name in self.modalities:
            rows = self.confusion.get(name, {}).get("test", [])
            if [len(row) for row in rows] != [size] * size:
                raise ValueError(f"has no confusion.{name}.test of its {size} labels")
        return self
