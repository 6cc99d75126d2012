"""A bag of words and characters: TF-IDF with logistic regression. The baseline of every text run, and a run of its own.

It is kept without pickle: the vocabularies as JSON, the numbers as safetensors.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import scipy.sparse
from safetensors.numpy import load_file, save_file
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from emokit import metrics
from emokit.errors import DataError
from emokit.files import read_json, write_json
from emokit.labels import LABELS, NUM_LABELS

STRENGTHS = (3.0, 10.0)
PASSES = 20  # over the training texts; more of them change nothing that dev sees
DESCRIPTION = (
    "TF-IDF of words (1 and 2) and characters (2 to 5), logistic regression (classes weighted by the root of their rarity, "
    "C chosen on dev)"
)
VOCABULARIES = "vocabularies.json"
WEIGHTS = "model.safetensors"

# One-letter words count too: `I` tells more than most words.
VIEWS: dict[str, dict[str, Any]] = {
    "words": {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"},
    "characters": {"analyzer": "char_wb", "ngram_range": (2, 5)},
}
# In larger corpora a term must occur in more texts to be kept: one, and one more for each so many.
TEXTS_PER_OCCURRENCE = 15_000


@dataclass(frozen=True)
class BagOfWords:
    """A fitted model."""

    vectorizers: dict[str, TfidfVectorizer]
    coefficients: numpy.ndarray
    """(classes, features) float32."""
    intercepts: numpy.ndarray
    """(classes,) float32; minus infinity for a class that training did not have."""

    @property
    def num_parameters(self) -> int:
        """How many numbers were fitted."""
        return int(self.coefficients.size + self.intercepts.size)

    def probabilities(self, texts: Sequence[str]) -> numpy.ndarray:
        """(texts, classes) float64; each row sums to one."""
        return self.judge(_features(self.vectorizers, texts))

    def judge(self, features: Any) -> numpy.ndarray:
        """Sparse features (texts, features) -> probabilities (texts, classes)."""
        found: numpy.ndarray = softmax(features @ self.coefficients.T.astype(numpy.float64) + self.intercepts, axis=1)
        return found


def fit(
    train: Sequence[str], train_targets: numpy.ndarray, dev: Sequence[str], dev_targets: numpy.ndarray
) -> BagOfWords:
    """Fit with the strength of regularisation that has the highest macro F1 on dev (the strongest of them in a tie).

    Args:
        train, dev: texts.
        train_targets, dev_targets: (texts,) class numbers.
    """
    fewest = 1 + len(train) // TEXTS_PER_OCCURRENCE
    vectorizers = {name: TfidfVectorizer(**view, sublinear_tf=True, min_df=fewest) for name, view in VIEWS.items()}
    features = scipy.sparse.hstack([vectorizer.fit_transform(train) for vectorizer in vectorizers.values()]).tocsr()
    dev_features = _features(vectorizers, dev)
    counts = numpy.bincount(train_targets, minlength=NUM_LABELS)
    weights = {target: (len(train) / count) ** 0.5 for target, count in enumerate(counts) if count}
    scale = len(train) / sum(weight * counts[target] for target, weight in weights.items())
    best: tuple[float, BagOfWords] | None = None
    for strength in STRENGTHS:
        model = LogisticRegression(
            C=strength,
            class_weight={target: weight * scale for target, weight in weights.items()},
            solver="sag",
            max_iter=PASSES,
            random_state=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the number of passes is what ends it
            found = _bag(vectorizers, model.fit(features, train_targets))
        f1 = metrics.plain_scores(dev_targets, found.judge(dev_features).argmax(axis=1))["macro_f1"]
        if best is None or f1 > best[0]:
            best = (f1, found)
    if best is None:
        raise ValueError("no strength was tried")
    return best[1]


def save(model: BagOfWords, folder: Path) -> None:
    """Write a model as `read` reads it."""
    terms = {name: list(vectorizer.get_feature_names_out()) for name, vectorizer in model.vectorizers.items()}
    weights = {f"idf_{name}": vectorizer.idf_.astype(numpy.float64) for name, vectorizer in model.vectorizers.items()}
    write_json(folder / VOCABULARIES, terms)
    save_file(weights | {"coefficients": model.coefficients, "intercepts": model.intercepts}, folder / WEIGHTS)


def read(folder: Path) -> BagOfWords:
    """The model that lies in a folder.

    Raises:
        DataError: it is damaged.
    """
    terms = read_json(folder / VOCABULARIES)
    try:
        weights = load_file(folder / WEIGHTS)
        vectorizers = {}
        for name, view in VIEWS.items():
            vectorizers[name] = TfidfVectorizer(**view, sublinear_tf=True, vocabulary=terms[name])
            vectorizers[name].idf_ = weights[f"idf_{name}"]
        found = BagOfWords(vectorizers, weights["coefficients"], weights["intercepts"])
        if found.coefficients.shape != (NUM_LABELS, sum(map(len, terms.values()))):
            raise ValueError(f"coefficients of shape {found.coefficients.shape} for {len(LABELS)} labels")
    except Exception as error:  # safetensors and scikit-learn raise many kinds for a damaged folder
        raise DataError(f"{folder} holds no whole model ({error}); train the run again with --force.") from error
    return found


def _bag(vectorizers: dict[str, TfidfVectorizer], model: LogisticRegression) -> BagOfWords:
    """The fitted regression, with a row for every label."""
    own, intercepts = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # scikit-learn has one row for two classes: the second's against the first's
        own, intercepts = numpy.concatenate([-own / 2, own / 2]), numpy.concatenate([-intercepts / 2, intercepts / 2])
    coefficients = numpy.zeros((NUM_LABELS, own.shape[1]), dtype=numpy.float32)
    every = numpy.full(NUM_LABELS, -numpy.inf, dtype=numpy.float32)
    coefficients[model.classes_], every[model.classes_] = own, intercepts
    return BagOfWords(vectorizers, coefficients, every)


def _features(vectorizers: dict[str, TfidfVectorizer], texts: Sequence[str]) -> Any:
    """(texts, features) sparse float64."""
    return scipy.sparse.hstack([vectorizer.transform(texts) for vectorizer in vectorizers.values()]).tocsr()
