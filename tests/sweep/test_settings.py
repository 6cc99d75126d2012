from typing import Any

import pytest

from emokit.errors import UsageError
from emokit.sweep.settings import Dimension, SweepSettings


def values(**changes: Any) -> dict[str, Any]:
    return {"experiment": {"modality": "toy"}, "space": {"training.lr": {"grid": [1e-4, 1e-3]}}, **changes}


def test_a_number_that_yaml_reads_as_a_string_is_a_number() -> None:
    assert Dimension.make({"grid": ["1e-4", "3E-4", "linear"]}).grid == (0.0001, 0.0003, "linear")


def test_a_sweep_is_a_grid_if_every_dimension_is_one_branches_included(toy: Any) -> None:
    assert SweepSettings.make(values()).is_grid
    inner = {"training.max_grad_norm": {"choice": [1, 2]}}
    branches = [{"when": {"training.lr": 1e-4}, "space": inner}]
    assert not SweepSettings.make(values(branches=branches)).is_grid
    assert not SweepSettings.make(values(sampler="tpe")).is_grid


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"space": {"training.lr": {"grid": [0.1], "float": [0.1, 0.2]}}},
            "FILE has space.training.lr = {'grid': [0.1], 'float': [0.1, 0.2]}, "
            "but it must have exactly one of grid, choice, float and int.",
        ),
        (
            {"space": {"training.lr": {"float": [0.2, 0.1]}}},
            "FILE has space.training.lr = {'float': [0.2, 0.1]}, but it must have float as [lowest, highest].",
        ),
        (
            {"space": {"training.lr": {"float": [0, 1], "log": True}}},
            "FILE has space.training.lr = {'float': [0, 1], 'log': True}, "
            "but it must have a lowest number above 0 for log.",
        ),
        (
            {"space": {"training.lr": {"grid": [0.1, 0.2], "log": True}}},
            "FILE has space.training.lr = {'grid': [0.1, 0.2], 'log': True}, "
            "but it must have log only with float or int.",
        ),
        (
            {"space": {"training.lr": {"choice": [0.1, 0.1]}}},
            "FILE has space.training.lr = {'choice': [0.1, 0.1]}, but it must not list a value twice.",
        ),
        (
            {"objective": {"split": "test"}},
            "FILE has objective.split = 'test', but it must be dev: a sweep never reads test.",
        ),
        ({"pruner": "hyper"}, "FILE has pruner = 'hyper', but it should be 'none', 'median' or 'hyperband'."),
        (
            {"zzz": 3},
            "FILE has the unknown key zzz; expected one of name, kind, experiment.modality, experiment.file, "
            "experiment.settings, space, branches, objective.metric, objective.split, sampler, pruner, budget.trials, "
            "budget.hours, seeds, confirm.best, confirm.seeds, seed.",
        ),
        ({"trails": 3}, "FILE has the unknown key trails; did you mean budget.trials?"),
    ],
)
def test_settings_that_make_no_sweep_are_refused_in_a_sentence(
    changes: dict[str, Any], expected: str, toy: Any
) -> None:
    with pytest.raises(UsageError) as error:
        SweepSettings.make(values(**changes), "FILE")
    assert str(error.value) == expected


@pytest.mark.parametrize("name", ["smell", "toy"])
def test_a_modality_that_cannot_be_trained_is_refused_with_those_that_can(
    name: str, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy.TOY, "is_trainable", False)
    monkeypatch.setattr("emokit.sweep.settings.trainable", lambda: ["audio", "text"])
    with pytest.raises(UsageError) as error:
        SweepSettings.make(values(experiment={"modality": name}), "FILE")
    assert str(error.value) == f"FILE has experiment.modality = '{name}', but it should be one of audio, text."


def test_a_space_without_a_modality_is_refused_in_a_sentence() -> None:
    with pytest.raises(UsageError) as error:
        SweepSettings.make({"experiment": {}, "space": {"training.lr": {"grid": [0.1]}}}, "space.yaml")
    assert str(error.value) == "space.yaml has no experiment.modality, which is needed; add it."


@pytest.mark.parametrize("values", [(1, 1.0), ([1, 2], [1.0, 2.0]), ("a", "a")])
def test_values_that_train_the_same_are_listed_once(values):
    with pytest.raises(ValueError, match="must not list a value twice"):
        Dimension(grid=values)


@pytest.mark.parametrize("values", [(1, True), (0, False), ("1", 1), ([1], [2]), (None, 0)])
def test_values_that_train_differently_are_a_grid(values):
    assert Dimension(grid=values).values == values
