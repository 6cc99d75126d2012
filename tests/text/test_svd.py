"""Embeddings of a bag of words: a truncated SVD of the training texts' TF-IDF."""

import numpy
import pytest

from emokit.errors import DataError
from emokit.labels import LabelSet
from emokit.text import bag_of_words
from emokit.text.svd import Projection
from tests.text.test_classifier import sentences

LABELS = LabelSet(("a", "b"))


def fitted(texts):
    targets = numpy.arange(len(texts)) % 2
    return bag_of_words.fit(texts, numpy.eye(2, dtype=numpy.float32)[targets], texts, targets, LABELS)


def test_the_projection_is_that_of_the_singular_vectors():
    texts = sentences(30)
    model = fitted(texts)
    vectors = Projection(model, texts)(texts)
    assert vectors.shape == (30, 29)
    left, values, _ = numpy.linalg.svd(model.features(texts).toarray(), full_matrices=False)
    assert numpy.abs(vectors[:, :5]) == pytest.approx(numpy.abs(left * values)[:, :5], abs=1e-3)
    assert (Projection(model, texts)(texts[:3]) == vectors[:3]).all()


def test_a_single_text_cannot_be_projected():
    texts = sentences(4)
    with pytest.raises(DataError) as error:
        Projection(fitted(texts), texts[:1])
    assert str(error.value) == "An embedding of a bag of words needs two or more training texts; train on more."
