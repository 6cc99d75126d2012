"""The simple baseline."""

import numpy

from emokit.audio.baseline import fit_baseline, summary


def test_a_summary_is_the_mean_and_the_deviation_of_each_bin():
    log_mel = numpy.array([[1, 10], [3, 30]], dtype=numpy.float16)
    assert summary([log_mel]).tolist() == [[2, 20, 1, 10]]


def test_the_strength_with_the_highest_uar_on_dev_is_taken():
    random = numpy.random.default_rng(0)
    targets = numpy.arange(210) % 7
    train = random.normal(size=(210, 12)) + numpy.eye(7)[targets] @ random.normal(size=(7, 12)) * 2
    model = fit_baseline(train[:140], targets[:140], train[140:], targets[140:])
    assert (model.predict(train[140:]) == targets[140:]).mean() > 0.6
