"""A loaded model in Python: `emokit.load(run).predict(x)`."""

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emokit.api.inputs import Given, checked, is_frame, is_several, read_frame, read_input
from emokit.api.results import Result, Results
from emokit.errors import EmokitError
from emokit.labels import LabelSet
from emokit.modality.predictor import Input, Predictor

ALONE = "The input"


class Model:
    """A trained or pretrained model that predicts whatever its modality reads.

    Attributes:
        predictor: as the commands use it, for splits of prepared folders.
        labels: the label set, in the order of all probabilities.
    """

    def __init__(self, predictor: Predictor) -> None:
        """Wrap a predictor; what it notes, such as a branch of a fused run that cannot be used, becomes a warning."""
        self.predictor = predictor
        self.labels: LabelSet = predictor.labels
        for note in predictor.notes:
            warnings.warn(note, stacklevel=3)

    def predict(self, inputs: Any) -> Any:
        """Predict one input or several.

        Args:
            inputs: one input: a path, the bytes of an audio file, a pair (array, sample_rate), a sentence, or a dictionary with
                `path` and `text` for a model that reads both. A `str` is a sentence for a model that reads text, else a path; a
                `pathlib.Path` is always a file. Several: a list of them, or a data frame with a column `path`, `text` or both.

        Returns:
            a `Result` for one input, `Results` in the order of several; there, an input that cannot be predicted has an error in
            its place, and the others are predicted.

        Raises:
            UsageError: one input was given and has another type, or a data frame has no such column.
            DataError: one input was given and cannot be predicted.
        """
        with tempfile.TemporaryDirectory(prefix="emokit-") as name:
            folder = Path(name)
            if is_frame(inputs):
                rows = read_frame(inputs, self.predictor, folder)
                return Results(self._predict(rows), self.labels, _names(rows), inputs.index)
            if is_several(inputs):
                given = [read_input(value, f"inputs[{i}]", folder) for i, value in enumerate(inputs)]
                return Results(self._predict(given), self.labels, _names(given))
            (result,) = self._predict([read_input(inputs, ALONE, folder)])
        if isinstance(result, EmokitError):
            raise result
        return result

    def __repr__(self) -> str:
        return f"Model({type(self.predictor).__name__}: {', '.join(self.labels)})"

    def _predict(self, given: Sequence[Given]) -> list[Result | EmokitError]:
        """The result or the error of each input."""
        entries = [checked(entry, self.predictor) for entry in given]
        readable = [entry for entry in entries if not isinstance(entry, EmokitError)]
        predicted = iter(self.predictor.predict(readable)) if readable else iter(())
        results: list[Result | EmokitError] = []
        for entry in entries:
            prediction = entry if isinstance(entry, EmokitError) else next(predicted)
            results.append(prediction if isinstance(prediction, EmokitError) else Result.of(prediction))
        return results


def _names(given: Sequence[Given]) -> list[str | None]:
    """What names each input in a table: its file or text, or its place; None of one that could not be read at all."""
    return [
        None if isinstance(entry, EmokitError) else entry.name if isinstance(entry, Input) else str(entry)
        for entry in given
    ]
