"""Label sets: the emotions that a model distinguishes, in a fixed order.

Data carry their label set; models, predictions and scores take it from their data. Only this module and `data/` name the default
set.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Self

from emokit.errors import UsageError

if TYPE_CHECKING:
    import numpy


class LabelSet(tuple[str, ...]):
    """The labels of a data set in their order; the target of a label is its position. Equal to a tuple of the same names."""

    __slots__ = ()

    def __new__(cls, names: Iterable[str]) -> Self:
        """Make a label set of unique names.

        Raises:
            UsageError: there are fewer than two names, or a name is empty or repeated.
        """
        labels = super().__new__(cls, names)
        if len(labels) < 2 or not all(isinstance(name, str) and name for name in labels):
            raise UsageError(f"A label set of {list(labels)!r} was given; name two or more labels, none of them empty.")
        repeated = next((name for name in labels if labels.count(name) > 1), None)
        if repeated is not None:
            raise UsageError(f"The label set names {repeated} twice; name each label once.")
        return labels

    @property
    def label2id(self) -> dict[str, int]:
        """Label -> target, as a transformers config stores it."""
        return {label: target for target, label in enumerate(self)}

    @property
    def id2label(self) -> dict[int, str]:
        """Target -> label, as a transformers config stores it."""
        return dict(enumerate(self))

    @property
    def columns(self) -> list[str]:
        """The probability columns of a table of predictions: `p_<label>`."""
        return [f"p_{label}" for label in self]

    def merged(self, label_map: Mapping[str, str]) -> "tuple[LabelSet, numpy.ndarray]":
        """The label set with labels renamed or merged, and (classes, new classes) the shares that carry probabilities over.

        Args:
            label_map: label -> its new name; other labels keep theirs. Labels with one name become one.

        Raises:
            UsageError: fewer than two labels are left.
        """
        import numpy

        names = [label_map.get(label, label) for label in self]
        merged = LabelSet(dict.fromkeys(names))
        return merged, numpy.array([[float(name == label) for label in merged] for name in names])

    def targets(self, labels: Iterable[str]) -> "numpy.ndarray":
        """(utterances,) int64 targets of a label per utterance, each one of this set."""
        import numpy

        label2id = self.label2id
        return numpy.array([label2id[label] for label in labels], dtype=numpy.int64)


DEFAULT_LABELS = LabelSet(("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"))
