"""Training batches of texts of similar length, as tensors."""

from collections.abc import Iterator, Sequence

import numpy
import torch
from transformers import PreTrainedTokenizerBase

from emokit.text.features import Row, collate
from emokit.training.batches import LengthBatches
from emokit.training.objective import Batch


class TextBatches(LengthBatches):
    """Length-bucketed batches of the training split, regrouped in each epoch; every row is in one."""

    def __init__(
        self,
        rows: Sequence[Row],
        shares: numpy.ndarray,
        tokenizer: PreTrainedTokenizerBase,
        *,
        batch_size: int,
        max_tokens_per_batch: int,
        seed: int,
        balanced: bool = False,
    ) -> None:
        """Store the tokenized utterances and what the batches depend on.

        Args:
            rows: tokenized utterances.
            shares: (utterances, classes) share of each class in each utterance's target.
            tokenizer: pads the rows.
            batch_size: most utterances in a batch.
            max_tokens_per_batch: most tokens in a batch, padding included.
            seed: of the order.
            balanced: draw each class equally often, with replacement.
        """
        lengths = numpy.array([len(row["input_ids"]) for row in rows])
        super().__init__(
            lengths, shares, batch_size=batch_size, budget=max_tokens_per_batch, seed=seed, balanced=balanced
        )
        self.rows, self.shares, self.tokenizer = rows, shares, tokenizer

    def __call__(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch: the model's inputs (batch, tokens), and `targets` (batch, classes)."""
        for rows in self.of_epoch(epoch):
            yield {
                **collate([self.rows[row] for row in rows], self.tokenizer),
                "targets": torch.from_numpy(self.shares[rows]),
            }
