"""What can be set of a fusion, and what it came to: weights, temperatures, pooling."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from emokit.settings import Settings

Objective = Literal["weighted_f1", "macro_f1", "uar", "accuracy", "nll"]
Pooling = Literal["linear", "log"]
Missing = Literal["drop", "renormalise"]


class SearchSettings(Settings):
    """How the weights are searched, and how sure of them one wants to be."""

    step: float = Field(0.02, ge=0.0005, le=1)
    """Distance from one weight to the next on the grid; must divide 1."""
    objective: Objective = "weighted_f1"
    """The score that the weights are chosen by, on dev: weighted_f1, macro_f1, uar, accuracy or nll."""
    pooling: Literal["linear", "log", "both"] = "both"
    """Weighted means of probabilities (linear), of their logarithms (log), or the better of the two on dev (both)."""
    missing: Missing = "drop"
    """An utterance that a modality lacks: drop it, or renormalise the weights over the modalities that have it."""
    calibrate: bool = True
    """Fit a temperature per modality on dev before pooling, and one more after it."""
    choice: Literal["searched", "one_se", "equal"] = "searched"
    """Which weights the run takes: the best of the grid, the simplest within one standard error of it, or equal ones."""
    folds: int = Field(5, ge=2, le=50)
    """Folds of whole dialogues (or speakers) of dev, for scores on utterances that nothing was fitted on."""
    resamples: int = Field(1000, ge=100, le=100_000)
    """How often the dialogues (or speakers) of dev are drawn anew to search the weights again."""
    seed: int = Field(0, ge=0)
    """Where the drawing begins."""

    @field_validator("step")
    @classmethod
    def _step_divides_one(cls, step: float) -> float:
        if abs(round(1 / step) * step - 1) > 1e-9:
            raise ValueError("must divide 1, as 0.05, 0.02 and 0.005 do")
        return step

    @property
    def steps(self) -> int:
        """How many steps make one: weights are whole numbers of steps."""
        return round(1 / self.step)


class Fused(Settings):
    """What was found: all that is needed to fuse new predictions in the same way."""

    weights: dict[str, float]
    """Per modality its weight; they sum to one."""
    pooling: Pooling
    """How the weighted modalities are put together."""
    temperatures: dict[str, float]
    """Per modality what its logarithms are divided by before pooling."""
    temperature: float
    """What the logarithms of the pooled probabilities are divided by."""


class FusionSettings(Settings):
    """Everything of one fused run."""

    name: str = Field("fused", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    """What the run is called in reports."""
    modality: Literal["late-fusion"] = "late-fusion"
    """The modality that the settings are for."""
    fusion: SearchSettings = SearchSettings()
    branches: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Per modality the run folder or the tables that its predictions come from, relative to the run folder."""
    result: Fused | None = None
    """What the search found; null until it has ended."""

    @model_validator(mode="after")
    def _result_is_of_the_branches(self) -> Self:
        if any(not paths for paths in self.branches.values()):
            raise ValueError("must name a run folder or a table for each of its branches")
        if self.result and not set(self.result.weights) == set(self.result.temperatures) == set(self.branches):
            raise ValueError("must have a weight and a temperature for each of its branches")
        return self
