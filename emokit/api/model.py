"""A loaded model in Python: `emokit.load(run).predict(x)`."""

import tempfile
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from emokit.api.inputs import Given, checked, is_frame, is_several, read_frame, read_input
from emokit.api.results import Result, Results
from emokit.api.wording import names_arguments, reworded
from emokit.errors import EmokitError, UsageError
from emokit.labels import LabelSet
from emokit.modality.predictor import Embedding, Input, Predictor

ALONE = "The input"
MOST_STEPS = 64


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
            warnings.warn(note, stacklevel=4)  # of the function that calls `emokit.load`, which is decorated

    @names_arguments
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
        outputs, given, index = self._each(inputs, self.predictor.predict, Result.of)
        if given is None:
            return outputs[0]
        return Results(outputs, self.labels, _names(given), index)

    @names_arguments
    def embed(self, inputs: Any, *, steps: int = 1) -> Any:
        """The vectors of one input or several before the classifier.

        Args:
            inputs: as `predict` takes them.
            steps: 1 for one vector per input; more for its time steps, averaged over at most that many stretches.

        Returns:
            for one input (dim,) float32, or (steps, dim) where more than one step is asked for; for several a list of these, in
            which an input that cannot be embedded has an error in its place.

        Raises:
            UsageError: the model has no embeddings, `steps` is not 1 to 64, or as `predict`.
            DataError: as `predict`.
        """
        if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= MOST_STEPS:
            raise UsageError(f"steps is {steps!r} where a number from 1 to {MOST_STEPS} was expected; correct it.")

        def vectors(embedding: Embedding) -> Any:
            return embedding.vectors if steps > 1 else embedding.vectors[0]

        outputs, given, _ = self._each(inputs, partial(self.predictor.embed, steps=steps), vectors)
        return outputs[0] if given is None else outputs

    def __repr__(self) -> str:
        return f"Model({type(self.predictor).__name__}: {', '.join(self.labels)})"

    def _each(
        self, inputs: Any, compute: Callable[[list[Any]], Iterable[Any]], output: Callable[[Any], Any]
    ) -> tuple[list[Any], list[Given] | None, Any]:
        """What `compute` yields for each input, as `output` returns it, or the input's error.

        Returns:
            the outputs, and the inputs that were read with the index of their data frame, if they are of one; None for one input.

        Raises:
            UsageError, DataError: the only input cannot be read or computed.
        """
        with tempfile.TemporaryDirectory(prefix="emokit-") as name:
            folder, index, several = Path(name), None, True
            if is_frame(inputs):
                given, index = read_frame(inputs, self.predictor, folder), inputs.index
            elif is_several(inputs):
                given = [read_input(value, f"inputs[{i}]", folder) for i, value in enumerate(inputs)]
            else:
                given, several = [read_input(inputs, ALONE, folder)], False
            entries = [checked(entry, self.predictor) for entry in given]
            readable = [entry for entry in entries if not isinstance(entry, EmokitError)]
            computed = iter(compute(readable)) if readable else iter(())
            outputs = []
            for entry in entries:
                result = entry if isinstance(entry, EmokitError) else next(computed)
                outputs.append(reworded(result) if isinstance(result, EmokitError) else output(result))
        if several:
            return outputs, given, index
        if isinstance(outputs[0], EmokitError):
            raise outputs[0]
        return outputs, None, None


def _names(given: Sequence[Given]) -> list[str | None]:
    """What names each input in a table: its file or text, or its place; None of one that could not be read at all."""
    return [
        None if isinstance(entry, EmokitError) else entry.name if isinstance(entry, Input) else str(entry)
        for entry in given
    ]
