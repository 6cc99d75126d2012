from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml

from emokit.errors import UsageError
from emokit.files import resource
from emokit.sweep.space import as_params, as_point, grid, grid_size, read_space, settings_of, suggest

FRACTIONS = ("training.lr", "training.weight_decay", "training.label_smoothing")
SPACE: dict[str, Any] = {
    "experiment": {"modality": "toy"},
    "space": {"training.lr": {"grid": [1e-4, 1e-3]}, "training.batch_size": {"grid": [16, 32]}},
}


@pytest.fixture
def path(tmp_path: Path, toy: Any) -> Path:
    """The file of a space over the toy modality's settings."""
    return tmp_path / "space.yaml"


def write(path: Path, **changes: Any) -> Path:
    path.write_text(yaml.safe_dump({**SPACE, **changes}, sort_keys=False))
    return path


def refusal(path: Path, **changes: Any) -> str:
    """The sentence that refuses a space, with FILE in place of its path."""
    with pytest.raises(UsageError) as error:
        read_space(write(path, **changes))
    return str(error.value).replace(str(path), "FILE")


def test_a_grid_has_every_pair_once_in_the_order_of_the_file(path: Path) -> None:
    points = [tuple(point.values()) for point in grid(read_space(write(path)))]
    assert points == [(1e-4, 16), (1e-4, 32), (1e-3, 16), (1e-3, 32)]


def test_a_branch_is_open_only_where_its_field_has_its_value(path: Path) -> None:
    space = {"training.schedule": {"grid": ["cosine", "plateau"]}, "training.lr": {"grid": [0.1, 0.2]}}
    inner = {"training.plateau_patience": {"grid": [2, 4, 6]}}
    branches = [{"when": {"training.schedule": "plateau"}, "space": inner}]
    sweep = read_space(write(path, space=space, branches=branches))
    points = grid(sweep)
    assert len(points) == grid_size(sweep) == 2 * (1 + 3)
    assert points[2:4] == [
        {"training.schedule": "plateau", "training.lr": 0.1, "training.plateau_patience": 2},
        {"training.schedule": "plateau", "training.lr": 0.1, "training.plateau_patience": 4},
    ]
    assert all(("training.plateau_patience" in point) == (point["training.schedule"] == "plateau") for point in points)


def test_a_grid_of_any_size_is_counted_without_being_listed(path: Path) -> None:
    space = {field: {"grid": [number / 1000 for number in range(1, 101)]} for field in FRACTIONS}
    sizes = {"training.batch_size": {"grid": list(range(2, 102))}}
    assert grid_size(read_space(write(path, space=space | sizes))) == 10**8


def test_values_are_sampled_in_open_branches_only(path: Path) -> None:
    space = {
        "training.schedule": {"choice": ["cosine", "plateau"]},
        "training.lr": {"float": [1e-5, 1e-2], "log": True},
    }
    branches = [
        {"when": {"training.schedule": "plateau"}, "space": {"training.plateau_patience": {"int": [2, 6]}}},
    ]
    sweep = read_space(write(path, space=space, branches=branches, budget={"trials": 9}))
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    points = [suggest(sweep, study.ask()) for _ in range(20)]
    assert {len(point) for point in points} == {2, 3}
    for point in points:
        assert ("training.plateau_patience" in point) == (point["training.schedule"] == "plateau")
        assert 1e-5 <= point["training.lr"] <= 1e-2


def test_lists_are_restored_from_what_optuna_stores(path: Path) -> None:
    channels = {"model.channels": {"grid": [[8, 16], [4, 8, 16]]}}
    sweep = read_space(write(path, space=channels))
    params = [as_params(sweep, point) for point in grid(sweep)]
    assert params == [{"model.channels": "[8, 16]"}, {"model.channels": "[4, 8, 16]"}]
    assert as_point(sweep, params[1]) == {"model.channels": [4, 8, 16]}
    assert settings_of(sweep, as_point(sweep, params[1])).as_dict()["model"]["channels"] == [4, 8, 16]


def test_a_number_without_a_point_is_read_from_the_file_as_a_number(path: Path) -> None:
    path.write_text("experiment: {modality: toy}\nspace:\n  training.lr: {grid: [1e-4, 3e-4]}\n")
    assert [point["training.lr"] for point in grid(read_space(path))] == [0.0001, 0.0003]


def test_the_experiment_is_read_relative_to_the_space_and_resolved_completely(path: Path) -> None:
    (path.parent / "mine.yaml").write_text("name: mine\ntraining: {lr: 0.01, max_epochs: 7}\n")
    experiment = {
        "modality": "toy",
        "file": "mine.yaml",
        "settings": {"training": {"max_epochs": 3}, "model.channels": [4]},
    }
    sweep = read_space(write(path, experiment=experiment))
    settings = sweep.experiment.settings
    assert (settings["name"], settings["training"]["lr"], settings["training"]["max_epochs"]) == ("mine", 0.01, 3)
    assert settings["model"]["channels"] == [4]
    assert sweep.experiment.file is None


@pytest.mark.parametrize(("name", "points"), [("audio/v3_sweep", 16), ("text/sweep", 40)])
def test_the_spaces_that_emokit_ships_are_valid(name: str, points: int) -> None:
    sweep = read_space(resource("experiments") / f"{name}.yaml")
    assert (len(grid(sweep)) if sweep.is_grid else sweep.budget.trials) == points


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"space": {}}, "FILE has an empty space; name at least one field to vary, such as training.lr."),
        (
            {"space": {"training.learning_rate": {"grid": [1]}}},
            "FILE varies the unknown field training.learning_rate; see `emokit settings toy` for the known ones.",
        ),
        (
            {"space": {"training": {"grid": [1]}}},
            "FILE varies training, which is a group of settings; vary one of them, such as training.max_epochs.",
        ),
        (
            {"space": {"training.batchsize": {"grid": [1]}}},
            "FILE varies the unknown field training.batchsize; did you mean training.batch_size?",
        ),
        (
            {"space": {"training.seed": {"grid": [1]}}},
            "FILE varies training.seed, which a sweep cannot vary: write seeds: N instead.",
        ),
        (
            {"space": {"training.lr": {"grid": [0.1, 5]}}},
            "FILE, at one of its points, has training.lr = 5, but it should be less than or equal to 1.",
        ),
        (
            {"space": {"training.lr": {"float": [0.1, 5]}}, "budget": {"trials": 4}},
            "FILE, at one of its points, has training.lr = 5.0, but it should be less than or equal to 1.",
        ),
        (
            {"budget": {"trials": 3}},
            "FILE has a grid of 4 points and a budget of 3 trials; raise budget.trials to 4, or vary less.",
        ),
        (
            {"space": {"training.lr": {"float": [0.1, 0.2]}}},
            "FILE has no budget; write how many points to try, such as budget: {trials: 40}.",
        ),
        (
            {"space": {"training.lr": {"float": [0.1, 0.2]}}, "sampler": "grid"},
            "FILE has sampler = grid and a range for training.lr; list its values as grid: [a,b].",
        ),
        (
            {"space": {"training.lr": {"float": [0.1, 0.2]}, "training.batch_size": {"grid": [8]}}},
            "FILE has a grid for training.batch_size, but not for every field; "
            "write choice: [a,b] for it, or grid for all.",
        ),
        (
            {"space": {"training.lr": {"choice": [0.1, 0.2]}}, "sampler": "cmaes", "budget": {"trials": 4}},
            "FILE has sampler = cmaes, which needs two or more float or int fields and nothing else; write sampler: tpe.",
        ),
        (
            {"branches": [{"when": {"training.lr": 0.7}, "space": {"training.max_grad_norm": {"grid": [1]}}}]},
            "FILE has a branch for training.lr = 0.7, which is not in the space; "
            "name a field of the space and one of its values.",
        ),
        (
            {"experiment": {"modality": "toy", "file": "none.yaml"}},
            "FILE has experiment.file = none.yaml, and {folder}/none.yaml does not exist.",
        ),
    ],
)
def test_a_space_that_cannot_be_searched_is_refused_in_a_sentence(
    changes: dict[str, Any], expected: str, path: Path
) -> None:
    assert refusal(path, **changes) == expected.replace("{folder}", str(path.parent))
