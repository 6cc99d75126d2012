"""What every wing does around the loop: class weights and dev scores, by hand."""

import numpy
import pytest

from emokit.training.run import class_weights, dev_metrics


def test_class_weights_are_inverse_to_frequency_and_one_on_average():
    targets = numpy.array([0] * 6 + [4] * 3 + [5])
    weights = class_weights(targets, "inverse").numpy()
    assert weights[[0, 4, 5]].tolist() == pytest.approx([10 / 18, 10 / 9, 10 / 3])
    assert weights[targets].mean() == pytest.approx(1.0)
    assert weights[1] == 1.0


def test_dev_scores_by_hand():
    probabilities = numpy.full((4, 7), 0.05)
    probabilities[[0, 1, 2, 3], [0, 0, 4, 4]] = 0.7
    found = dev_metrics(probabilities, numpy.array([0, 1, 4, 4]))
    assert found.loss == pytest.approx(-(3 * numpy.log(0.7) + numpy.log(0.05)) / 4)
    assert found.accuracy == pytest.approx(0.75)
    assert found.uar == pytest.approx(2 / 3)
    assert found.num_classes_predicted == 2


def test_effective_numbers_weigh_rare_classes_less_than_inverse_frequency_does():
    targets = numpy.repeat([0, 1], [5000, 50])
    inverse, effective = class_weights(targets, "inverse"), class_weights(targets, "effective")
    assert inverse[1] / inverse[0] == pytest.approx(100)
    assert effective[1] / effective[0] == pytest.approx((1 - 0.999**5000) / (1 - 0.999**50), rel=1e-4)
    assert effective.numpy()[targets].mean() == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("balancing", ["none", "sampler"])
def test_without_weights_the_loss_is_plain(balancing):
    assert class_weights(numpy.array([0, 1, 1]), balancing) is None
