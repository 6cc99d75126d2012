"""A linear model on the splits of a training: dev chooses the strength, or is trained on and predicted by inner folds."""

import dataclasses

import numpy
import pytest

from emokit.audio.functionals.fit import new_model, vectors_of
from emokit.audio.linear.splits import fit_splits
from emokit.audio.settings import AudioSettings
from emokit.audio.splits import read_splits
from emokit.data.prepared import open_prepared
from emokit.training.linear import fit
from emokit.training.linear.vectors import Vectors


@pytest.fixture
def given(small_prepared, small_settings):
    def with_data(**data):
        settings = AudioSettings.make(small_settings | {"model": {"kind": "functionals"}, "data": data})
        splits = read_splits(settings, open_prepared(small_prepared))
        model = new_model(settings, settings.features, splits["train"].labels)
        return settings, splits, model, {name: vectors_of(model, s.log_mels, None) for name, s in splits.items()}

    return with_data


def test_dev_is_predicted_by_the_model_unless_it_is_trained_on(given):
    settings, splits, model, vectors = given()
    results = fit_splits(model, settings, splits, vectors, [1e-2])
    assert set(results) == {"dev", "test"}
    for split, values in results.items():
        assert values == pytest.approx(fit.predict(model, vectors[split], len(splits[split].table)))
    before = model.linear.weight.clone()

    settings, splits, model, vectors = given(train_on_dev=True)
    held_out = fit_splits(model, settings, splits, vectors, [1e-2])
    final = fit.predict(model, vectors["dev"], len(splits["dev"].table))
    assert numpy.abs(held_out["dev"] - final).max() > 0.05
    assert held_out["test"] == pytest.approx(fit.predict(model, vectors["test"], len(splits["test"].table)))
    assert (model.linear.weight - before).abs().max() > 1e-4


def test_the_labels_of_test_do_not_matter(given):
    settings, splits, model, vectors = given(train_on_dev=True)
    results = fit_splits(model, settings, splits, vectors, [1e-2])
    table = splits["test"].table
    shuffled = dataclasses.replace(splits["test"], table=table.assign(label=table["label"].to_numpy()[::-1]))
    again = fit_splits(model, settings, {**splits, "test": shuffled}, vectors, [1e-2])
    assert all((again[split] == values).all() for split, values in results.items())


def test_owners_of_dev_follow_those_of_train(given):
    settings, splits, model, vectors = given(train_on_dev=True)
    swapped = {**vectors, "dev": Vectors(vectors["dev"].owners, vectors["dev"].values[::-1].copy())}
    assert (
        numpy.abs(
            fit_splits(model, settings, splits, swapped, [1e-2])["dev"]
            - fit_splits(model, settings, splits, vectors, [1e-2])["dev"]
        ).max()
        > 1e-3
    )
