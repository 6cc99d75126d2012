"""Predictors: what a loaded model takes and returns, the same for every modality."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet

if TYPE_CHECKING:
    import numpy

    from emokit.data.prepared import Prepared
    from emokit.predictions import Predictions


@dataclass(frozen=True)
class Arguments:
    """What the command line of `emokit predict` names as inputs.

    Attributes:
        inputs: the positional arguments: files, folders, sentences, or `-` for standard input.
        options: the modality's own options that were given, such as `file` or `text`.
    """

    inputs: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Input:
    """One utterance to predict: a file, a text, or both.

    Attributes:
        name: names it in results and errors.
        path: its audio or video file.
        text: its words.
        number: of its line or row in a file; None counts the inputs.
    """

    name: str
    path: Path | None = None
    text: str | None = None
    number: int | None = None


@dataclass(frozen=True)
class Window:
    """A window of a recording, in seconds from its start, and its (classes,) probabilities."""

    start_seconds: float
    end_seconds: float
    probabilities: "numpy.ndarray"


@dataclass(frozen=True)
class Prediction:
    """The probabilities of one input.

    Attributes:
        labels: the label set.
        probabilities: (classes,) float64, sum to 1.
        given: identifies the input in JSON, such as `{"file": "a.wav"}`.
        cells: identify the input in a table, before and after the probabilities.
        details: further JSON keys, such as `{"cut": false}`.
        windows: of a recording.
        flags: what is odd about the input, and how it was repaired.

    Raises:
        DataError: a probability is not finite.
    """

    labels: LabelSet
    probabilities: "numpy.ndarray"
    given: Mapping[str, Any]
    cells: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    details: Mapping[str, Any] = field(default_factory=dict)
    windows: tuple[Window, ...] = ()
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse probabilities that are not finite: no label follows from them, and JSON has no such numbers."""
        arrays = (self.probabilities, *(window.probabilities for window in self.windows))
        if not all(math.isfinite(float(values.sum())) for values in arrays):
            raise DataError(
                f"{self.name} got probabilities that are not finite numbers; "
                "leave it out, or train the run again with --force if every input gets them."
            )

    @property
    def name(self) -> str:
        """Names the input in messages."""
        texts = [str(self.given[key]) for key in ("file", "text") if self.given.get(key)]
        return texts[0] if texts else "An input"

    @property
    def label(self) -> str:
        """The most probable label."""
        return self.labels[int(self.probabilities.argmax())]

    def as_dict(self) -> dict[str, Any]:
        """The JSON of `emokit predict --json`: probabilities rounded to six decimals."""
        result = {**self.given, **_scores(self.labels, self.probabilities), **self.details}
        if self.flags:
            result["flags"] = list(self.flags)
        if self.windows:
            result["windows"] = [
                {
                    "start_seconds": window.start_seconds,
                    "end_seconds": window.end_seconds,
                    **_scores(self.labels, window.probabilities),
                }
                for window in self.windows
            ]
        return result


def _scores(labels: LabelSet, probabilities: "numpy.ndarray") -> dict[str, Any]:
    rounded = {label: round(float(p), 6) for label, p in zip(labels, probabilities, strict=True)}
    return {"label": max(rounded, key=lambda label: rounded[label]), "probabilities": rounded}


@dataclass(frozen=True)
class Embedding:
    """The vectors of one input, before the classifier.

    Attributes:
        name: of the input.
        vectors: (steps, dim) float32; a single step unless more were asked for.
        flags: what is odd about the input, and how it was repaired.

    Raises:
        DataError: a value is not finite.
    """

    name: str
    vectors: "numpy.ndarray"
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse values that are not finite: every model that reads them would return numbers that are not."""
        if not math.isfinite(float(self.vectors.sum())):
            raise DataError(
                f"{self.name} got an embedding with values that are not finite numbers; "
                "leave it out, or train the run again with --force if every input gets them."
            )


class NothingToPredict(DataError):
    """An input without what the modality reads, such as a clip without a face; late fusion leaves the branch out."""


class Predictor(Protocol):
    """A loaded model that returns probabilities.

    Attributes:
        labels: the label set of its probabilities.
        columns: names of `Prediction.cells`, before and after the probabilities.
        notes: lines for the user before the first result, such as a branch that cannot be used.
    """

    labels: LabelSet
    columns: tuple[tuple[str, ...], tuple[str, ...]]
    notes: Sequence[str] = ()

    def predict_split(self, prepared: "Prepared", split: str) -> "tuple[Predictions, dict[str, int]]":
        """Predict a split of a prepared folder.

        Returns:
            the predictions, and counts of what is in them and what is missing, each with its description.

        Raises:
            UsageError: the split is unknown.
            DataError: the folder has no utterance of the split that the model can predict.
        """
        ...

    def inputs(self, arguments: Arguments) -> AbstractContextManager[Iterable[Input]]:
        """The inputs that a command line names; temporary files live as long as the context.

        Raises:
            UsageError: nothing, or a combination that cannot be predicted, was named.
            DataError: a file is missing or holds nothing to predict.
        """
        ...

    def accepts(self, item: Input) -> bool:
        """Whether the model can predict an input: whether what it reads is there."""
        ...

    def predict(self, inputs: "Iterable[Input | Path | str]") -> "Iterator[Prediction | DataError]":
        """Predict inputs in their order; what is wrong with one does not stop the others.

        Raises:
            DataError: the inputs as a whole cannot be used.
        """
        ...

    def embed(self, inputs: "Iterable[Input | Path | str]", steps: int = 1) -> "Iterator[Embedding | DataError]":
        """The vectors of inputs before the classifier, in their order; what is wrong with one does not stop the others.

        Args:
            inputs: as `predict` takes them.
            steps: largest number of vectors per input: its time steps, averaged over stretches of nearly equal length.

        Raises:
            UsageError: the model has no embeddings.
        """
        raise UsageError("This model has no embeddings; load a run of audio or text.")

    def header(self, options: Mapping[str, Any]) -> list[str]:
        """The column names of the table that `emokit predict` prints."""
        before, after = self.columns
        return [*before, "label", *self.labels, *after]

    def rows(self, prediction: Prediction, options: Mapping[str, Any]) -> list[list[str]]:
        """The rows of a prediction in that table."""
        before, after = prediction.cells
        return [[*before, prediction.label, *[f"{p:.3f}" for p in prediction.probabilities], *after]]

    def closing_note(self) -> str | None:
        """A line for the user after the last result, such as how many texts were cut."""
        return None
