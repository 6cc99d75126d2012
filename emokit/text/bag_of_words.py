"""A bag of words and characters: TF-IDF with logistic regression. The simple baseline of every text run, and a kind of model.

It is saved without pickle: label set and vocabularies as JSON, numbers as safetensors.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
from safetensors.numpy import load_file, save_file

from emokit.engines.protocol import probabilities
from emokit.errors import DataError
from emokit.files import read_json, write_json
from emokit.labels import LabelSet
from emokit.read_files import in_words
from emokit.text.tfidf import VIEWS, View

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

INVERSE_REGULARISATION = (3.0, 10.0)  # values of C to choose from
MAX_ITERATIONS = 20  # passes over the training texts; more change nothing on dev
VOCABULARIES = "vocabularies.json"
LABELS_KEY = "labels"
WEIGHTS = "model.safetensors"

# A term must occur in one text, and in one more for each of these many training texts.
TEXTS_PER_OCCURRENCE = 15_000


@dataclass(frozen=True)
class BagOfWords:
    """A fitted model."""

    labels: LabelSet
    views: dict[str, View]
    coefficients: numpy.ndarray
    """(classes, features) float32."""
    intercepts: numpy.ndarray
    """(classes,) float32; minus infinity for a class that train lacks."""

    @property
    def num_parameters(self) -> int:
        """Number of fitted parameters."""
        return int(self.coefficients.size + self.intercepts.size)

    def features(self, texts: Sequence[str]) -> Any:
        """(texts, features) sparse float64 TF-IDF."""
        import scipy.sparse

        sizes = [len(view.terms) for view in self.views.values()]
        per_view = []
        for view, size in zip(self.views.values(), sizes, strict=True):
            rows = [view(text) for text in texts]
            columns, values = ([row[part] for row in rows] for part in (0, 1))
            ends = numpy.cumsum([0, *map(len, columns)])
            cells = numpy.concatenate([numpy.zeros(0), *values]), numpy.concatenate([numpy.zeros(0, int), *columns])
            per_view.append(scipy.sparse.csr_matrix((*cells, ends), shape=(len(texts), size)))
        return scipy.sparse.hstack(per_view).tocsr()

    def probabilities(self, texts: Sequence[str]) -> numpy.ndarray:
        """(texts, classes) float64; each row sums to one."""
        logits = numpy.empty((len(texts), len(self.labels)))
        for row, text in zip(logits, texts, strict=True):
            row[:], first = self.intercepts, 0
            for view in self.views.values():
                columns, values = view(text)
                row += self.coefficients[:, first + columns].astype(numpy.float64) @ values
                first += len(view.terms)
        return probabilities(logits)


def fit(
    train: Sequence[str],
    train_shares: numpy.ndarray,
    dev: Sequence[str],
    dev_targets: numpy.ndarray,
    labels: LabelSet,
) -> BagOfWords:
    """Fit with the C that has the highest macro F1 on dev (the smallest C in a tie).

    Args:
        train, dev: texts.
        train_shares: (texts, classes) share of each class in each text's target.
        dev_targets: (texts,) int64.
        labels: the label set of the targets.
    """
    import scipy.sparse
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    from emokit import metrics
    from emokit.training.splits import square_root_weights, weighted_rows

    min_df = 1 + len(train) // TEXTS_PER_OCCURRENCE
    vectorizers = {name: TfidfVectorizer(**view, sublinear_tf=True, min_df=min_df) for name, view in VIEWS.items()}
    features = scipy.sparse.hstack([vectorizer.fit_transform(train) for vectorizer in vectorizers.values()]).tocsr()
    views = {
        name: View(name, list(vectorizer.get_feature_names_out()), vectorizer.idf_.astype(numpy.float64))
        for name, vectorizer in vectorizers.items()
    }
    rows, targets, row_weights = weighted_rows(train_shares)
    fitted = features if row_weights is None else features[rows]
    best: tuple[float, BagOfWords] | None = None
    for inverse_regularisation in INVERSE_REGULARISATION:
        regression = LogisticRegression(
            C=inverse_regularisation,
            class_weight=square_root_weights(train_shares),
            solver="sag",
            max_iter=MAX_ITERATIONS,
            random_state=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # fitting ends after a fixed number of passes
            model = _all_classes(labels, views, regression.fit(fitted, targets, row_weights))
        predicted = model.probabilities(dev).argmax(axis=1)
        f1 = metrics.plain_scores(dev_targets, predicted, len(labels))["macro_f1"]
        if best is None or f1 > best[0]:
            best = (f1, model)
    if best is None:
        raise ValueError("INVERSE_REGULARISATION is empty")
    return best[1]


def save(model: BagOfWords, folder: Path) -> None:
    """Write a model as `load` reads it."""
    terms = {name: view.terms for name, view in model.views.items()}
    weights = {f"idf_{name}": view.idf for name, view in model.views.items()}
    write_json(folder / VOCABULARIES, {LABELS_KEY: list(model.labels), **terms})
    save_file(weights | {"coefficients": model.coefficients, "intercepts": model.intercepts}, folder / WEIGHTS)


def load(folder: Path, labels: LabelSet) -> BagOfWords:
    """Load a model from a folder.

    Args:
        folder: as `save` wrote it.
        labels: the label set that it must have.

    Raises:
        DataError: the model is damaged or has another label set.
    """
    stored = read_json(folder / VOCABULARIES)
    try:
        weights = load_file(folder / WEIGHTS)
        views, num_features = {}, 0
        expected = {f"idf_{name}" for name in VIEWS} | {"coefficients", "intercepts"}
        if unexpected := sorted(weights.keys() - expected):
            raise ValueError(f"{unexpected[0]} has no place in the model")
        for name in VIEWS:
            if weights[f"idf_{name}"].shape != (len(stored[name]),):
                raise ValueError(f"idf_{name} of shape {weights[f'idf_{name}'].shape} for {len(stored[name])} terms")
            views[name] = View(name, stored[name], weights[f"idf_{name}"])
            num_features += len(stored[name])
        model = BagOfWords(LabelSet(stored[LABELS_KEY]), views, weights["coefficients"], weights["intercepts"])
        if model.coefficients.shape != (len(model.labels), num_features):
            raise ValueError(f"coefficients of shape {model.coefficients.shape} for {len(model.labels)} labels")
        if not all(numpy.isfinite(weights[name]).all() for name in weights if name != "intercepts"):
            raise ValueError("weights that are no finite numbers")
        if not all((view.idf > 0).all() for view in views.values()):
            raise ValueError("inverse document frequencies that are not above 0")
        if model.intercepts.shape != (len(model.labels),):  # of another shape, they would be repeated
            raise ValueError(f"intercepts of shape {model.intercepts.shape} for {len(model.labels)} labels")
    except Exception as error:  # safetensors and scikit-learn raise many kinds for a damaged folder
        raise DataError(
            f"{folder} has a damaged model ({in_words(error)}); train the run again with --force."
        ) from error
    if model.labels != labels:
        raise DataError(
            f"{folder} has a model of the labels {', '.join(model.labels)} and its run has {', '.join(labels)}; "
            "train the run again with --force."
        )
    return model


def _all_classes(labels: LabelSet, views: dict[str, View], regression: "LogisticRegression") -> BagOfWords:
    """The fitted regression with a row for every class, those that train lacks included."""
    rows, row_intercepts = regression.coef_, regression.intercept_
    if len(regression.classes_) == 2:  # scikit-learn has one row for two classes: of the second against the first
        rows = numpy.concatenate([-rows / 2, rows / 2])
        row_intercepts = numpy.concatenate([-row_intercepts / 2, row_intercepts / 2])
    coefficients = numpy.zeros((len(labels), rows.shape[1]), dtype=numpy.float32)
    intercepts = numpy.full(len(labels), -numpy.inf, dtype=numpy.float32)
    coefficients[regression.classes_], intercepts[regression.classes_] = rows, row_intercepts
    return BagOfWords(labels, views, coefficients, intercepts)
