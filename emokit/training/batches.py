"""Batches of utterances of similar length, which need little padding; the balancing sampler and Mixup of every modality."""

from typing import Any

import numpy

from emokit.runtime import derived_seed

# Lengths that differ by up to a tenth share a bucket: enough utterances to mix, and at most a tenth of a batch is padding.
BUCKET_RATIO = 1.1


def sampling_probabilities(shares: numpy.ndarray) -> numpy.ndarray:
    """(utterances,) the probability of drawing each utterance so that every class is drawn equally often.

    Args:
        shares: (utterances, classes) share of each class in each utterance's target.
    """
    counts = shares.sum(axis=0, dtype=numpy.float64)
    weights = (shares / numpy.where(counts > 0, counts, 1)).sum(axis=1)
    probabilities: numpy.ndarray = weights / weights.sum()
    return probabilities


def one_hot(targets: numpy.ndarray, num_classes: int) -> numpy.ndarray:
    """(utterances, classes) float32 soft targets of (utterances,) targets."""
    return numpy.eye(num_classes, dtype=numpy.float32)[targets]


def draw_mixup(alpha: float, size: int, random: numpy.random.Generator) -> tuple[float, numpy.ndarray]:
    """Mixup (Zhang et al. 2018, https://arxiv.org/abs/1710.09412): the weight of an utterance, and (size,) its partner's row."""
    return float(random.beta(alpha, alpha)), random.permutation(size)


def mix(values: Any, partners: Any, share: Any) -> Any:
    """Interpolate arrays or tensors of one shape: `share` of the values, the rest of their partners."""
    return share * values + (1 - share) * partners


def buckets(lengths: numpy.ndarray) -> numpy.ndarray:
    """(rows,) the longest length of each row's bucket, in the unit of the lengths."""
    number = numpy.ceil(numpy.log(lengths) / numpy.log(BUCKET_RATIO)).astype(int)
    longest = {bucket: lengths[number == bucket].max() for bucket in numpy.unique(number)}
    return numpy.array([longest[bucket] for bucket in number], dtype=numpy.int64)


def cut(ordered: numpy.ndarray, batch_size: int, budget: int) -> list[slice]:
    """Cut rows that are in ascending order of length into batches.

    Args:
        ordered: (rows,) lengths, ascending.
        batch_size: the largest number of rows in a batch.
        budget: the largest padded size of a batch, rows times the longest length; a single row may be longer.
    """
    batches, start = [], 0
    for row, length in enumerate(ordered):
        count = row - start
        if count and (count == batch_size or (count + 1) * length > budget):
            batches.append(slice(start, row))
            start = row
    return [*batches, slice(start, len(ordered))] if len(ordered) else []


class LengthBatches:
    """The rows of each batch of each epoch: rows of similar length, combined differently in each epoch; every row is used."""

    def __init__(
        self,
        lengths: numpy.ndarray,
        shares: numpy.ndarray,
        *,
        batch_size: int,
        budget: int,
        seed: int,
        balanced: bool = False,
    ) -> None:
        """Prepare the buckets.

        Args:
            lengths: (utterances,) in tokens or samples.
            shares: (utterances, classes) share of each class in each utterance's target.
            batch_size, budget: as `cut` takes them.
            seed: random seed of the order.
            balanced: draw each class equally often, with replacement, instead of each utterance once.
        """
        self.lengths, self.batch_size, self.budget, self.seed = lengths, batch_size, budget, seed
        self.buckets = buckets(lengths)
        self.probabilities = sampling_probabilities(shares) if balanced else None

    def __len__(self) -> int:
        # Cut by the lengths of the buckets, not of the rows, so that every epoch has the same number of batches.
        return len(cut(numpy.sort(self.buckets), self.batch_size, self.budget))

    def of_epoch(self, epoch: int) -> list[numpy.ndarray]:
        """The rows of each batch of an epoch."""
        random = numpy.random.default_rng(derived_seed(self.seed, epoch, 1))
        size = len(self.lengths)
        weights = self.probabilities
        drawn = random.permutation(size) if weights is None else random.choice(size, size, p=weights)
        drawn = drawn[numpy.argsort(self.buckets[drawn], kind="stable")]
        batches = [drawn[rows] for rows in cut(self.buckets[drawn], self.batch_size, self.budget)]
        return [batches[number] for number in random.permutation(len(batches))]

    def padding_share(self, epoch: int = 1) -> float:
        """The share of padding in the batches of an epoch."""
        batches = self.of_epoch(epoch)
        padded = sum(len(rows) * self.lengths[rows].max() for rows in batches)
        return float(1 - sum(self.lengths[rows].sum() for rows in batches) / padded)
