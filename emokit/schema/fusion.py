"""`fusion.json`: the search of late-fusion weights."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from emokit.schema.base import Count, Flag, Number, Schema, Whole

FUSION = "fusion.json"
# Where all predictions are right, or all wrong, the likelihood has no optimum at a finite temperature above 0.
SMALLEST_TEMPERATURE, LARGEST_TEMPERATURE = 0.05, 20.0
SUM_TOLERANCE = 1e-6
Weight = Annotated[float, Field(strict=True, ge=0, le=1 + SUM_TOLERANCE)]
"""A weight as a part of the whole."""
Temperature = Annotated[float, Field(strict=True, ge=SMALLEST_TEMPERATURE, le=LARGEST_TEMPERATURE)]

Interval = tuple[Number, Number]
WeightInterval = tuple[Weight, Weight]
Weights = list[Count]
"""A weight per modality, in whole steps of the grid."""


class MethodScore(Schema):
    """One score of a fusion method, and its difference to the best single modality; 95 % intervals over clusters."""

    score: Number
    interval: Interval
    difference: Number
    difference_interval: Interval


class FusionMethod(Schema):
    """A fusion method; `dev` (out of fold) and `test` map a score's name to it, `weights` sum to one."""

    name: str
    title: str
    about: str
    weights: list[Weight] = Field(default_factory=list)
    pooling: str = ""
    dev: dict[str, MethodScore]
    test: dict[str, MethodScore]

    @field_validator("weights")
    @classmethod
    def _sum_to_one(cls, weights: list[float]) -> list[float]:
        if weights and abs(sum(weights) - 1) > SUM_TOLERANCE:
            raise ValueError("should sum to 1")
        return weights


class Quality(Schema):
    """Calibration of probabilities; each bin is (count, mean confidence, accuracy)."""

    ece: Number
    brier: Number
    nll: Number
    bins: list[tuple[Count, Number, Number]]


EMPTY = Quality(ece=0, brier=0, nll=0, bins=[])


class Calibration(Schema):
    """The temperature of a modality or of the fusion; `dev` and `test` hold the quality `before` and `after` it."""

    temperature: Temperature
    dev: dict[str, Quality]
    test: dict[str, Quality]


class SearchSettings(Schema):
    """The settings of the search."""

    objective: Literal["weighted_f1", "macro_f1", "uar", "accuracy", "nll"]
    step: Number | None = None
    pooling: str = ""
    missing: str = ""
    label_map: dict[str, str] = Field(default_factory=dict)
    calibrate: Flag | None = None
    choice: str = ""
    folds: Whole | None = None
    resamples: Whole | None = None
    seed: Whole | None = None


class Search(Schema):
    """The points that were evaluated, and the best one.

    Attributes:
        points: size of the full grid.
        exact: whether every point of it was evaluated.
        ties: number of points with the best score.
    """

    evaluated: Count
    points: Count
    exact: Flag
    best: Weights
    pooling: str
    score: Number | None = None
    ties: Count | None = None


class Grid(Schema):
    """The points of the best pooling, with scores and bounds.

    Attributes:
        plateau: per point 1 if it does not differ significantly from the best, else 0.
        plateau_weights: per modality the lowest and the highest weight on the plateau.
    """

    weights: list[Weights]
    score: list[Number]
    low: list[Number]
    high: list[Number]
    plateau: list[Count]
    plateau_weights: list[WeightInterval] = Field(default_factory=list)


class Bootstrap(Schema):
    """The search repeated on resamples of the clusters.

    Attributes:
        weights: per modality the 95 % interval of its weight.
        log: share of resamples in which log pooling is best.
        apparent, optimism, corrected: the score of the search, how far it is too high, and their difference.
        interval: of the corrected score.
        cloud: per resample the best weights.
    """

    resamples: Count
    clusters: Count | None = None
    weights: list[WeightInterval]
    log: Number | None = None
    apparent: Number
    optimism: Number
    corrected: Number | None = None
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
    clusters: dict[str, Count]
    cluster: str
    choice: str
    best_single: str
    search: Search
    grid: Grid
    bootstrap: Bootstrap
    fusion_methods: list[FusionMethod]
    calibration: dict[str, Calibration]
    confusion: dict[str, dict[str, list[list[Count]]]]
    joined: dict[str, dict[str, Count]] = Field(default_factory=dict)
    declared: str = ""
    sources: dict[str, Source] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_its_modalities(self) -> Self:
        size, steps = len(self.modalities), sum(self.search.best)
        if len(self.labels) < 2 or len(set(self.labels)) < len(self.labels):
            raise ValueError("has labels that are not two or more different ones")
        if size < 1 or len(set(self.modalities)) < size:
            raise ValueError("has modalities that are not different ones")
        for name in self.modalities:
            rows = self.confusion.get(name, {}).get("test", [])
            if [len(row) for row in rows] != [len(self.labels)] * len(self.labels):
                raise ValueError(f"has no confusion.{name}.test of its labels")
        if steps < 1 or self.search.best not in self.grid.weights:
            raise ValueError("has a search.best that is no point of its grid")
        for key, points in (("grid.weights", self.grid.weights), ("bootstrap.cloud", self.bootstrap.cloud)):
            if any(len(point) != size or sum(point) != steps for point in points):
                raise ValueError(f"has {key} that do not sum to {steps} steps over its {size} modalities")
        columns = (self.grid.score, self.grid.low, self.grid.high, self.grid.plateau)
        if any(len(column) != len(self.grid.weights) for column in columns):
            raise ValueError("has a grid whose lists differ in length")
        if len(self.bootstrap.weights) != size or not self.bootstrap.cloud:
            raise ValueError("has a bootstrap of other modalities")
        if missing := [split for split in ("dev", "test") if split not in self.clusters]:
            raise ValueError(f"has no clusters.{missing[0]}")
        for method in self.fusion_methods:
            if method.weights and len(method.weights) != size:
                raise ValueError(
                    f"has weights of the method {method.name} that are not one for each of its {size} modalities"
                )
            if self.settings.objective not in method.dev or self.settings.objective not in method.test:
                raise ValueError(f"has no {self.settings.objective} of the method {method.name}")
        if not self.calibration:
            raise ValueError("has an empty calibration")
        for name, entry in self.calibration.items():
            if any(not entry.test.get(state, EMPTY).bins for state in ("before", "after")):
                raise ValueError(f"has no calibration.{name}.test before and after")
        return self
