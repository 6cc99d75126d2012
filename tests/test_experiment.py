"""What every wing does around the loop: class weights and dev scores, by hand."""

import numpy
import pytest

from emokit.experiment import class_weights, dev_scores


def test_class_weights_are_inverse_to_frequency_and_one_on_average():
    targets = numpy.array([0] * 6 + [4] * 3 + [5])
    weights = class_weights(targets).numpy()
    assert weights[[0, 4, 5]].tolist() == pytest.approx([10 / 18, 10 / 9, 10 / 3])
    assert weights[targets].mean() == pytest.approx(1.0)
    assert weights[1] == 1.0


def test_dev_scores_by_hand():
    probabilities = numpy.full((4, 7), 0.05)
    probabilities[[0, 1, 2, 3], [0, 0, 4, 4]] = 0.7
    found = dev_scores(probabilities, numpy.array([0, 1, 4, 4]))
    assert found.loss == pytest.approx(-(3 * numpy.log(0.7) + numpy.log(0.05)) / 4)
    assert found.accuracy == pytest.approx(0.75)
    assert found.uar == pytest.approx(2 / 3)
    assert found.num_classes_predicted == 2
