"""Batches by length: every row once per epoch, similar lengths together, all decided by the number of the epoch."""

import numpy
import pytest

from emokit.training.batches import (
    BUCKET_RATIO,
    LengthBatches,
    buckets,
    cut,
    draw_mixup,
    mix,
    one_hot,
    sampling_probabilities,
)

LENGTHS = numpy.random.default_rng(0).integers(3, 60, 500)
TARGETS = numpy.random.default_rng(1).choice([0, 4, 4, 4, 4, 5], 500)


def batches(**options):
    return LengthBatches(LENGTHS, one_hot(TARGETS, 6), **({"batch_size": 16, "budget": 400, "seed": 0} | options))


def test_the_lengths_of_a_bucket_differ_by_up_to_a_tenth():
    longest = buckets(LENGTHS)
    assert (longest >= LENGTHS).all()
    for bucket in set(longest):
        inside = LENGTHS[longest == bucket]
        assert inside.max() == bucket
        assert inside.max() <= BUCKET_RATIO * inside.min() + 1e-9


def test_batches_are_cut_by_rows_and_by_padded_size():
    lengths = numpy.array([2, 2, 2, 3, 5, 5, 9, 20])
    # Three rows; 2 x 5; 5; 9; 20, a single row above the budget.
    expected = [(0, 3), (3, 5), (5, 6), (6, 7), (7, 8)]
    assert [(rows.start, rows.stop) for rows in cut(lengths, 3, 10)] == expected
    assert cut(numpy.array([], int), 3, 10) == []


def test_every_row_occurs_once_per_epoch():
    rows = numpy.concatenate(batches().of_epoch(3))
    assert sorted(rows) == list(range(500))


def test_no_batch_has_more_rows_or_a_larger_padded_size_than_allowed():
    for rows in batches().of_epoch(1):
        assert len(rows) <= 16
        assert len(rows) * LENGTHS[rows].max() <= 400


def test_every_epoch_has_the_same_number_of_batches():
    sampler = batches()
    assert {len(sampler.of_epoch(epoch)) for epoch in range(1, 6)} == {len(sampler)}


def test_the_epochs_number_decides_the_batches():
    def as_lists(epoch_batches):
        return [rows.tolist() for rows in epoch_batches]

    first, again = batches(), batches()
    assert as_lists(first.of_epoch(2)) == as_lists(again.of_epoch(2))
    assert as_lists(first.of_epoch(2)) != as_lists(first.of_epoch(3))
    assert as_lists(first.of_epoch(2)) != as_lists(batches(seed=1).of_epoch(2))


def test_each_epoch_combines_other_rows_and_short_batches_do_not_come_first():
    sampler = batches()
    together = [
        {frozenset((row, other)) for rows in sampler.of_epoch(epoch) for row in rows[:1] for other in rows}
        for epoch in (1, 2)
    ]
    assert together[0] != together[1]
    firsts = [LENGTHS[sampler.of_epoch(epoch)[0]].max() for epoch in range(1, 20)]
    assert len(set(firsts)) > 5


def test_little_of_a_batch_is_padding():
    assert batches().padding_share() < 0.1


def test_balanced_batches_draw_each_class_equally_often():
    sampler = batches(balanced=True, budget=1024)
    rows = numpy.concatenate([rows for epoch in range(1, 11) for rows in sampler.of_epoch(epoch)])
    drawn = numpy.bincount(TARGETS[rows])
    assert drawn[[0, 4, 5]] / drawn.sum() == pytest.approx([1 / 3] * 3, abs=0.03)
    assert {len(sampler.of_epoch(epoch)) for epoch in range(1, 6)} == {len(sampler)}


def test_sampling_probabilities_draw_each_class_equally_often():
    assert sampling_probabilities(one_hot(numpy.array([0, 2, 2, 2]), 3)).tolist() == pytest.approx(
        [1 / 2, 1 / 6, 1 / 6, 1 / 6]
    )


def test_mixup_interpolates_targets_with_those_of_the_partners():
    targets = one_hot(numpy.array([0, 2]), 3)
    assert mix(targets, targets[::-1], 0.75).tolist() == [[0.75, 0, 0.25], [0.25, 0, 0.75]]
    share, partners = draw_mixup(0.2, 5, numpy.random.default_rng(0))
    assert 0 <= share <= 1
    assert sorted(partners) == list(range(5))
