"""Batches of texts of like length, so that little of them is padding; the number of an epoch decides who is in them."""

from collections.abc import Iterator, Sequence

import numpy
import torch
from transformers import PreTrainedTokenizerBase

from emokit.labels import NUM_LABELS
from emokit.runtime import derived_seed
from emokit.text.features import Row, collate
from emokit.training.loop import Batch

# Lengths within a tenth of one another share a bucket: wide enough to mix, and at most a tenth of a batch is padding.
BUCKET_RATIO = 1.1


def buckets(lengths: numpy.ndarray) -> numpy.ndarray:
    """(rows,) the longest length of each row's bucket, in tokens."""
    number = numpy.ceil(numpy.log(lengths) / numpy.log(BUCKET_RATIO)).astype(int)
    longest = {bucket: lengths[number == bucket].max() for bucket in numpy.unique(number)}
    return numpy.array([longest[bucket] for bucket in number], dtype=numpy.int64)


def cut(ordered: numpy.ndarray, batch_size: int, batch_tokens: int) -> list[slice]:
    """Cut rows that are in ascending order of length into batches.

    Args:
        ordered: (rows,) lengths in tokens, ascending.
        batch_size: the most rows in a batch.
        batch_tokens: the most tokens in a batch when its rows are padded to the longest; one row may have more.
    """
    found, start = [], 0
    for row, length in enumerate(ordered):
        count = row - start
        if count and (count == batch_size or (count + 1) * length > batch_tokens):
            found.append(slice(start, row))
            start = row
    return [*found, slice(start, len(ordered))] if len(ordered) else []


class TextBatches:
    """Length-bucketed batches of the training split, put together anew in each epoch; none is left out."""

    def __init__(
        self,
        rows: Sequence[Row],
        targets: numpy.ndarray,
        tokenizer: PreTrainedTokenizerBase,
        *,
        batch_size: int,
        batch_tokens: int,
        seed: int,
        balanced: bool = False,
    ) -> None:
        """Take the tokens of the utterances and their targets (utterances,); `balanced` draws each class equally often."""
        self.rows, self.targets, self.tokenizer = rows, targets, tokenizer
        self.batch_size, self.batch_tokens, self.seed = batch_size, batch_tokens, seed
        self.buckets = buckets(numpy.array([len(row["input_ids"]) for row in rows]))
        share = 1 / numpy.bincount(targets, minlength=NUM_LABELS).clip(1)[targets]
        self.chances = share / share.sum() if balanced else None

    def __len__(self) -> int:
        # Cut by the buckets' lengths and not by the rows' own: every epoch then has as many batches.
        return len(cut(numpy.sort(self.buckets), self.batch_size, self.batch_tokens))

    def of_epoch(self, epoch: int) -> list[numpy.ndarray]:
        """The rows of each batch of an epoch."""
        random = numpy.random.default_rng(derived_seed(self.seed, epoch, 1))
        size = len(self.rows)
        drawn = random.permutation(size) if self.chances is None else random.choice(size, size, p=self.chances)
        drawn = drawn[numpy.argsort(self.buckets[drawn], kind="stable")]
        batches = [drawn[part] for part in cut(self.buckets[drawn], self.batch_size, self.batch_tokens)]
        return [batches[number] for number in random.permutation(len(batches))]

    def padding_share(self, epoch: int = 1) -> float:
        """The share of an epoch's tokens that are padding."""
        lengths = numpy.array([len(row["input_ids"]) for row in self.rows])
        batches = self.of_epoch(epoch)
        slots = sum(len(rows) * lengths[rows].max() for rows in batches)
        return float(1 - sum(lengths[rows].sum() for rows in batches) / slots)

    def __call__(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch: what the model takes (batch, tokens), and targets (batch, classes)."""
        for rows in self.of_epoch(epoch):
            targets = numpy.eye(NUM_LABELS, dtype=numpy.float32)[self.targets[rows]]
            yield {
                **collate([self.rows[row] for row in rows], self.tokenizer),
                "targets": torch.from_numpy(targets),
            }
