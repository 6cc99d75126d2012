"""Batches by length: every row once an epoch, like lengths together, and the epoch's number decides all of it."""

import numpy
import pytest

from emokit.training.batches import BUCKET_RATIO, LengthBatches, buckets, cut

LENGTHS = numpy.random.default_rng(0).integers(3, 60, 500)
TARGETS = numpy.random.default_rng(1).choice([0, 4, 4, 4, 4, 5], 500)


def batches(**how):
    return LengthBatches(LENGTHS, TARGETS, **({"batch_size": 16, "budget": 400, "seed": 0} | how))


def test_the_lengths_of_a_bucket_lie_within_a_tenth_of_one_another():
    longest = buckets(LENGTHS)
    assert (longest >= LENGTHS).all()
    for bucket in set(longest):
        inside = LENGTHS[longest == bucket]
        assert inside.max() == bucket
        assert inside.max() <= BUCKET_RATIO * inside.min() + 1e-9


def test_batches_are_cut_by_rows_and_by_what_they_hold():
    lengths = numpy.array([2, 2, 2, 3, 5, 5, 9, 20])
    parts = [(part.start, part.stop) for part in cut(lengths, 3, 10)]
    assert parts == [
        (0, 3),
        (3, 5),
        (5, 6),
        (6, 7),
        (7, 8),
    ]  # three rows; 2 x 5; 5; 9; 20, which is alone too long
    assert cut(numpy.array([], int), 3, 10) == []


def test_every_row_stands_once_in_an_epoch():
    rows = numpy.concatenate(batches().of_epoch(3))
    assert sorted(rows) == list(range(500))


def test_no_batch_holds_more_rows_or_more_of_them_than_allowed():
    for rows in batches().of_epoch(1):
        assert len(rows) <= 16
        assert len(rows) * LENGTHS[rows].max() <= 400


def test_every_epoch_has_as_many_batches():
    of = batches()
    assert {len(of.of_epoch(epoch)) for epoch in range(1, 6)} == {len(of)}


def test_the_epochs_number_decides_the_batches():
    def spelled(found):
        return [rows.tolist() for rows in found]

    first, again = batches(), batches()
    assert spelled(first.of_epoch(2)) == spelled(again.of_epoch(2))
    assert spelled(first.of_epoch(2)) != spelled(first.of_epoch(3))
    assert spelled(first.of_epoch(2)) != spelled(batches(seed=1).of_epoch(2))


def test_rows_meet_others_in_another_epoch_and_short_batches_do_not_come_first():
    of = batches()
    together = [
        {frozenset((row, other)) for rows in of.of_epoch(epoch) for row in rows[:1] for other in rows}
        for epoch in (1, 2)
    ]
    assert together[0] != together[1]
    firsts = [LENGTHS[of.of_epoch(epoch)[0]].max() for epoch in range(1, 20)]
    assert len(set(firsts)) > 5


def test_little_of_a_batch_is_padding():
    assert batches().padding_share() < 0.1


def test_balanced_batches_draw_each_class_equally_often():
    of = batches(balanced=True, budget=1024)
    drawn = numpy.bincount(TARGETS[numpy.concatenate([rows for e in range(1, 11) for rows in of.of_epoch(e)])])
    assert drawn[[0, 4, 5]] / drawn.sum() == pytest.approx([1 / 3] * 3, abs=0.03)
    assert {len(of.of_epoch(epoch)) for epoch in range(1, 6)} == {len(of)}
