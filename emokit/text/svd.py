"""Embeddings of a bag of words: a truncated SVD of its TF-IDF, fitted on the training texts without their labels.

Latent semantic analysis: Deerwester et al. 1990, https://doi.org/10.1002/(SICI)1097-4571(199009)41:6<391::AID-ASI1>3.0.CO;2-9.
"""

from collections.abc import Sequence

import numpy
from sklearn.decomposition import TruncatedSVD

from emokit.errors import DataError
from emokit.text.bag_of_words import BagOfWords

DIM = 256


class Projection:
    """TF-IDF to at most `DIM` numbers per text."""

    def __init__(self, model: BagOfWords, train: Sequence[str]) -> None:
        """Fit; the same texts give the same numbers.

        Args:
            model: whose TF-IDF is projected.
            train: the training texts.

        Raises:
            DataError: there are fewer than two different texts.
        """
        features = model.features(train)
        most = min(DIM, features.shape[0] - 1, features.shape[1] - 1)
        if most < 1:
            raise DataError("An embedding of a bag of words needs two or more training texts; train on more.")
        self.model = model
        self.svd = TruncatedSVD(most, random_state=0).fit(features)

    def __call__(self, texts: Sequence[str]) -> numpy.ndarray:
        """(texts, dim) float32."""
        projected: numpy.ndarray = self.svd.transform(self.model.features(texts)).astype(numpy.float32)
        return projected
