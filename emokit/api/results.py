"""What `Model.predict` returns: a result per input, and a list of them."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from emokit.errors import EmokitError
from emokit.labels import LabelSet
from emokit.modality.predictor import Prediction

if TYPE_CHECKING:
    import numpy
    import pandas


@dataclass(frozen=True)
class ResultWindow:
    """A window of a recording, in seconds from its start.

    Attributes:
        label: the most probable label.
        probabilities: label -> probability, in the order of the label set.
    """

    start_seconds: float
    end_seconds: float
    label: str
    probabilities: dict[str, float]


@dataclass(frozen=True, repr=False)
class Result:
    """The prediction of one input.

    Attributes:
        name: of the input: its file, its text, or its place in the list.
        label: the most probable label.
        probabilities: label -> probability, in the order of the label set; they sum to one.
        windows: of a recording, whose probabilities are the mean over them.
        flags: what is odd about the input, and how it was repaired.
        details: what the modality adds, such as whether a text was cut.
    """

    name: str
    label: str
    probabilities: dict[str, float]
    windows: tuple[ResultWindow, ...] = ()
    flags: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, prediction: Prediction) -> "Result":
        """The result of a prediction."""
        windows = [
            ResultWindow(
                window.start_seconds,
                window.end_seconds,
                *_label_and_probabilities(prediction.labels, window.probabilities),
            )
            for window in prediction.windows
        ]
        label, probabilities = _label_and_probabilities(prediction.labels, prediction.probabilities)
        return cls(prediction.name, label, probabilities, tuple(windows), prediction.flags, prediction.details)

    def __repr__(self) -> str:
        return f"Result({self.name!r}: {self.label} {self.probabilities[self.label]:.3f})"


class Results(list[Result | EmokitError]):
    """The results of several inputs in their order; an input that cannot be predicted has an error in its place."""

    def __init__(
        self,
        results: Iterable[Result | EmokitError],
        labels: LabelSet,
        names: Sequence[str | None],
        index: Sequence[Hashable] | None = None,
    ) -> None:
        """Take the results, the label set, the names of the inputs, and the index of the data frame, if they are of one."""
        super().__init__(results)
        self.labels, self._names, self._index = labels, names, index

    @property
    def errors(self) -> list[EmokitError]:
        """The errors of the inputs that could not be predicted."""
        return [result for result in self if isinstance(result, EmokitError)]

    def to_frame(self) -> "pandas.DataFrame":
        """`name`, `label`, `p_<label>…` and `error`, one row per input; what an input has not is missing.

        The index is that of the data frame that was predicted, so that `frame.join(results.to_frame())` adds the columns.
        """
        import pandas

        rows = [_row(result, self.labels, name) for result, name in zip(self, self._names, strict=True)]
        columns = ["name", "label", *self.labels.columns, "error"]
        frame = pandas.DataFrame(rows, columns=columns, index=self._index)
        return frame.astype(dict.fromkeys(self.labels.columns, float))


def _row(result: Result | EmokitError, labels: LabelSet, name: str | None) -> dict[str, Any]:
    if isinstance(result, EmokitError):
        return {"name": name, "error": str(result)}
    scores = {column: result.probabilities[label] for label, column in zip(labels, labels.columns, strict=True)}
    return {"name": result.name, "label": result.label, **scores}


def _label_and_probabilities(labels: LabelSet, values: "numpy.ndarray") -> tuple[str, dict[str, float]]:
    return labels[int(values.argmax())], dict(zip(labels, map(float, values), strict=True))
