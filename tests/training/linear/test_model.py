"""The classifier of vectors: what it standardises, and what it does not amplify."""

import numpy
import torch

from emokit.training.linear.model import MAX_DEVIATIONS, LinearClassifier


def new(dim=3):
    model = LinearClassifier()
    model.add_classifier(dim, 2)
    return model


def test_values_are_standardised_clipped_and_not_amplified():
    model = new()
    vectors = torch.tensor([[1.0, 5.0, 7.0], [3.0, 5.0, 7.0]])
    model.standardise_with(vectors)
    assert model.standardised(vectors).tolist() == [[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    far = model.standardised(torch.tensor([[1e6, 5.0005, 6.0]]))
    assert torch.allclose(far, torch.tensor([[MAX_DEVIATIONS, 0.5, -MAX_DEVIATIONS]]), atol=1e-2)


def test_logits_are_those_of_the_regression():
    model = new()
    coefficients, intercepts = numpy.array([[1.0, 0.0, 2.0], [0.0, -1.0, 0.0]]), numpy.array([0.5, -0.5])
    with torch.inference_mode():
        model.set_regression(coefficients, intercepts)
        logits = model.classified(torch.tensor([[1.0, 2.0, 3.0]]))
    assert logits.tolist() == [[7.5, -2.5]]
