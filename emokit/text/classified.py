"""What a classifier of text returns, in which batches, and those classifiers that need no torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy

from emokit.engines.by_onnx import OnnxEngine
from emokit.engines.protocol import probabilities
from emokit.errors import DataError
from emokit.text.fast_tokenizer import FastTokenizer
from emokit.text.features import Row, Tokens, tokenize
from emokit.text.passages import Passage
from emokit.text.settings import TextSettings
from emokit.training.batches import cut

if TYPE_CHECKING:
    from emokit.text.bag_of_words import BagOfWords

BATCH_TOKENS = 8192
BATCH_TEXTS = 256


@dataclass(frozen=True)
class Classified:
    """The probabilities of passages."""

    probabilities: numpy.ndarray
    """(passages, classes) float64; each row sums to one."""
    is_cut: numpy.ndarray
    """(passages,) whether the text was truncated."""


class Classifier(Protocol):
    """A trained model of any kind."""

    def predict(self, passages: Sequence[Passage]) -> Classified:
        """The probabilities of passages, in their order.

        Raises:
            DataError: there are none.
        """

    def embed(self, passages: Sequence[Passage], steps: int) -> list[numpy.ndarray]:
        """(steps, dim) float32 of each passage, in their order.

        Args:
            passages: at least one.
            steps: largest number of vectors per passage.

        Raises:
            DataError: the texts that a bag of words was trained on are needed and are not there.
        """


@dataclass
class BagOfWordsClassifier:
    """A bag of words; it ignores context."""

    model: "BagOfWords"
    train: Callable[[], Sequence[str]]
    """Reads the training texts."""
    projection: Callable[[Sequence[str]], numpy.ndarray] | None = None
    """To embeddings; fitted when it is first needed."""

    def embed(self, passages: Sequence[Passage], steps: int) -> list[numpy.ndarray]:
        """As `Classifier.embed`: a truncated SVD; a text is one step."""
        from emokit.text.svd import Projection

        if self.projection is None:
            self.projection = Projection(self.model, self.train())
        return list(self.projection([passage.text for passage in passages])[:, None])

    def predict(self, passages: Sequence[Passage]) -> Classified:
        """The probabilities of passages, in their order."""
        probabilities = self.model.probabilities([passage.text for passage in passages])
        return Classified(probabilities, numpy.zeros(len(passages), dtype=bool))


@dataclass
class OnnxClassifier:
    """An encoder as ONNX Runtime computes it."""

    engine: OnnxEngine
    load: Callable[[], Classifier]
    """Loads the model for torch, which embeds."""

    @cached_property
    def tokenizer(self) -> FastTokenizer:
        """The tokenizer beside the export."""
        return FastTokenizer(self.engine.folder)

    @cached_property
    def by_torch(self) -> Classifier:
        """The model as torch computes it."""
        return self.load()

    def predict(self, passages: Sequence[Passage]) -> Classified:
        """The probabilities of passages, in their order."""
        tokens = tokenize(passages, self.tokenizer)
        logits = in_batches(tokens, lambda rows: list(self.engine(self.tokenizer.pad(rows))))
        return Classified(probabilities(numpy.stack(logits)), tokens.is_cut)

    def embed(self, passages: Sequence[Passage], steps: int) -> list[numpy.ndarray]:
        """As `Classifier.embed`, with torch: the export has logits only."""
        return self.by_torch.embed(passages, steps)


def without_onnx(settings: TextSettings) -> str | None:
    """Why the model of a run is not predicted with ONNX Runtime; None where it is."""
    kind = settings.model.kind
    return None if kind in ("pretrained", "tiny", "probe") else f"model.kind {kind} has no ONNX engine"


def in_batches(tokens: Tokens, compute: Callable[[list[Row]], list[numpy.ndarray]]) -> list[numpy.ndarray]:
    """What `compute` returns for the rows of a batch, for all passages, in the order of the tokens.

    Sorted by length, then by token ids: batches do not depend on the order of the input, and so neither does any digit.

    Raises:
        DataError: there is no passage.
    """
    lengths = tokens.lengths
    order = numpy.array(sorted(range(len(lengths)), key=lambda row: (lengths[row], tokens.rows[row]["input_ids"])), int)
    results: list[numpy.ndarray] = []
    for rows in cut(lengths[order], BATCH_TEXTS, BATCH_TOKENS):
        results += compute([tokens.rows[row] for row in order[rows]])
    if not results:
        raise DataError("There is no text to predict; name at least one.")
    return [results[place] for place in numpy.argsort(order)]
