"""Settings of late fusion: how the weights are searched, and the weights, pooling and temperatures that resulted."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from emokit.schema.fusion import LARGEST_TEMPERATURE as LARGEST_TEMPERATURE
from emokit.schema.fusion import SMALLEST_TEMPERATURE as SMALLEST_TEMPERATURE
from emokit.schema.fusion import Temperature
from emokit.settings import MOST_SEED, Name, Settings

MODALITY = "late-fusion"

AGAIN = "make the run again with `emokit fuse-search … --force`"

Objective = Literal["weighted_f1", "macro_f1", "uar", "accuracy", "nll"]
Pooling = Literal["linear", "log"]
Missing = Literal["drop", "renormalise"]

Weight = Annotated[float, Field(ge=0, le=1)]


class SearchSettings(Settings):
    """How the weights are searched and their uncertainty is estimated."""

    step: float = Field(0.02, ge=0.0005, le=1)
    """Distance between neighbouring weights on the grid; must divide 1."""
    objective: Objective = "weighted_f1"
    """Score on dev that the weights are chosen by: weighted_f1, macro_f1, uar, accuracy or nll."""
    pooling: Literal["linear", "log", "both"] = "both"
    """Weighted mean of probabilities (linear), of their logarithms (log), or the better of the two on dev (both)."""
    missing: Missing = "drop"
    """For an utterance that a modality lacks: drop the utterance, or renormalise the weights over the other modalities."""
    label_map: dict[str, str] = Field(default_factory=dict)
    """New names of labels, for branches with different label sets: the probabilities of labels with one name are added up."""
    calibrate: bool = True
    """Fit a temperature per modality on dev before pooling, and one more after pooling."""
    choice: Literal["one_se", "searched", "equal"] = "one_se"
    """Weights of the run: the simplest within one standard error of the best of the grid, that best, or equal weights."""
    folds: int = Field(5, ge=2, le=50)
    """Number of folds of whole dialogues (or speakers) of dev for out-of-fold scores."""
    resamples: int = Field(1000, ge=100, le=100_000)
    """Number of bootstrap resamples of the dialogues (or speakers) of dev; the weights are searched on each."""
    seed: int = Field(0, ge=0, le=MOST_SEED)
    """Random seed for bootstrap resampling."""

    @field_validator("step")
    @classmethod
    def _step_divides_one(cls, step: float) -> float:
        if abs(round(1 / step) * step - 1) > 1e-9:
            raise ValueError("must divide 1, as 0.05, 0.02 and 0.005 do")
        return step

    @property
    def steps(self) -> int:
        """The number of steps from 0 to 1; weights are integer numbers of steps."""
        return round(1 / self.step)


class FusionResult(Settings):
    """The result of the search: what is needed to fuse new predictions in the same way."""

    weights: dict[str, Weight]
    """Weight per modality; the weights sum to 1."""
    pooling: Pooling
    """Pooling of the weighted modalities: linear or log."""
    temperatures: dict[str, Temperature]
    """Temperature per modality, applied before pooling."""
    temperature: Temperature
    """Temperature applied after pooling."""


class FusionSettings(Settings):
    """Settings of one fused run."""

    name: Name = "fused"
    """Name of the run in reports."""
    modality: Literal["late-fusion"] = "late-fusion"
    """The modality that the settings are for."""
    fusion: SearchSettings = SearchSettings()
    branches: dict[Name, tuple[str, ...]] = Field(default_factory=dict)
    """Per modality the run folder or the tables of its predictions, relative to the fused run folder."""
    result: FusionResult | None = None
    """Result of the search; null until the search has ended."""

    @model_validator(mode="after")
    def _weights_sum_to_one(self) -> Self:
        if self.result and abs(sum(self.result.weights.values()) - 1) > 1e-6:
            total = sum(self.result.weights.values())
            raise ValueError(f"must have weights that sum to 1, and they sum to {total:g}; {AGAIN}")
        return self

    @model_validator(mode="after")
    def _result_fits_branches(self) -> Self:
        if any(not paths for paths in self.branches.values()):
            raise ValueError("must name a run folder or a table for each of its branches")
        if self.result and not set(self.result.weights) == set(self.result.temperatures) == set(self.branches):
            weights, temperatures = (
                ", ".join(given) or "none" for given in (self.result.weights, self.result.temperatures)
            )
            raise ValueError(
                f"must have a weight and a temperature for each of its branches ({', '.join(self.branches) or 'none'}), and has "
                f"weights of {weights} and temperatures of {temperatures}; {AGAIN}"
            )
        return self
