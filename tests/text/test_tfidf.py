"""TF-IDF of a text, against scikit-learn."""

import numpy
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from emokit.text.tfidf import VIEWS, View

TRAIN = ["I love this", "I hate this, I do", "a\tb  c", "你好 世界", "été ÉTÉ e\u0301", "I", "İstanbul", "x" * 40]
TRAIN += ["😂 so\n\nfunny 😂😂"]
TEXTS = [*TRAIN, "", "   ", "nothing known: q", "I I I love love", "to\u00a0be\u2028or  not", "ß ſ ﬁ"]


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_a_text_has_the_values_that_scikit_learn_computes(name: str) -> None:
    vectorizer = TfidfVectorizer(**VIEWS[name], sublinear_tf=True).fit(TRAIN)
    view = View(name, list(vectorizer.get_feature_names_out()), vectorizer.idf_)
    expected = vectorizer.transform(TEXTS).toarray()

    for text, row in zip(TEXTS, expected, strict=True):
        columns, values = view(text)
        assert columns.tolist() == numpy.flatnonzero(row).tolist()
        assert values == pytest.approx(row[columns], abs=1e-12)


@pytest.mark.parametrize("terms", [["a", "b", "a"], ["a", 1]])
def test_terms_that_are_repeated_or_no_text_are_refused(terms: list) -> None:
    with pytest.raises(ValueError, match="terms of words that are repeated or no text"):
        View("words", terms, numpy.ones(len(terms)))
