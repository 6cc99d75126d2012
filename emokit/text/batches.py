"""Batches of texts of like length, as tensors."""

from collections.abc import Iterator, Sequence

import numpy
import torch
from transformers import PreTrainedTokenizerBase

from emokit.labels import NUM_LABELS
from emokit.text.features import Row, collate
from emokit.training.batches import LengthBatches
from emokit.training.loop import Batch


class TextBatches(LengthBatches):
    """Length-bucketed batches of the training split, put together anew in each epoch; none is left out."""

    def __init__(
        self,
        rows: Sequence[Row],
        targets: numpy.ndarray,
        tokenizer: PreTrainedTokenizerBase,
        *,
        batch_size: int,
        max_tokens_per_batch: int,
        seed: int,
        balanced: bool = False,
    ) -> None:
        """Take the tokens of the utterances and their targets (utterances,); `balanced` draws each class equally often."""
        lengths = numpy.array([len(row["input_ids"]) for row in rows])
        super().__init__(
            lengths, targets, batch_size=batch_size, budget=max_tokens_per_batch, seed=seed, balanced=balanced
        )
        self.rows, self.targets, self.tokenizer = rows, targets, tokenizer

    def __call__(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch: what the model takes (batch, tokens), and targets (batch, classes)."""
        for rows in self.of_epoch(epoch):
            targets = numpy.eye(NUM_LABELS, dtype=numpy.float32)[self.targets[rows]]
            yield {
                **collate([self.rows[row] for row in rows], self.tokenizer),
                "targets": torch.from_numpy(targets),
            }
