from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml

from emokit.errors import UsageError
from emokit.files import resource
from emokit.sweep.space import as_params, as_point, grid, read_space, settings_of, suggest

SPACE: dict[str, Any] = {
    "experiment": {"modality": "audio"},
    "space": {"training.lr": {"grid": [1e-4, 1e-3]}, "training.batch_size": {"grid": [16, 32]}},
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "space.yaml"


def write(path: Path, **changes: Any) -> Path:
    path.write_text(yaml.safe_dump({**SPACE, **changes}, sort_keys=False))
    return path


def words(path: Path, **changes: Any) -> str:
    """The sentence that refuses a space, its file's name left out."""
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
    points = grid(read_space(write(path, space=space, branches=branches)))
    assert len(points) == 2 * (1 + 3)
    assert points[2:4] == [
        {"training.schedule": "plateau", "training.lr": 0.1, "training.plateau_patience": 2},
        {"training.schedule": "plateau", "training.lr": 0.1, "training.plateau_patience": 4},
    ]
    assert all(("training.plateau_patience" in one) == (one["training.schedule"] == "plateau") for one in points)


def test_a_sampler_is_asked_about_an_open_branch_only(path: Path) -> None:
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


def test_lists_are_values_too_and_come_back_from_optuna_as_they_were(path: Path) -> None:
    channels = {"model.channels": {"grid": [[8, 16], [4, 8, 16]]}}
    sweep = read_space(write(path, space=channels))
    params = [as_params(sweep, point) for point in grid(sweep)]
    assert params == [{"model.channels": "[8, 16]"}, {"model.channels": "[4, 8, 16]"}]
    assert as_point(sweep, params[1]) == {"model.channels": [4, 8, 16]}
    assert settings_of(sweep, as_point(sweep, params[1])).as_dict()["model"]["channels"] == [4, 8, 16]


def test_a_number_that_yaml_takes_for_a_word_is_a_number(path: Path) -> None:
    path.write_text("experiment: {modality: audio}\nspace:\n  training.lr: {grid: [1e-4, 3e-4]}\n")
    assert [point["training.lr"] for point in grid(read_space(path))] == [0.0001, 0.0003]


def test_the_experiment_is_read_from_beside_the_space_and_kept_whole(path: Path) -> None:
    (path.parent / "mine.yaml").write_text("name: mine\ntraining: {lr: 0.01, max_epochs: 7}\n")
    experiment = {
        "kind": "audio",
        "file": "mine.yaml",
        "settings": {"training": {"max_epochs": 3}, "data.corpora": ["emodb"]},
    }
    sweep = read_space(write(path, experiment=experiment))
    kept = sweep.experiment.settings
    assert (kept["name"], kept["training"]["lr"], kept["training"]["max_epochs"]) == ("mine", 0.01, 3)
    assert kept["data"]["corpora"] == ["emodb"]
    assert sweep.experiment.file is None


@pytest.mark.parametrize(("name", "points"), [("audio/v3_sweep", 16), ("text/sweep", 40)])
def test_the_spaces_that_come_with_emokit_can_be_read(name: str, points: int) -> None:
    sweep = read_space(resource("experiments") / f"{name}.yaml")
    assert (len(grid(sweep)) if sweep.is_grid else sweep.budget.trials) == points


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"space": {}}, "FILE has an empty space; name at least one field to vary, such as training.lr."),
        (
            {"space": {"training.learning_rate": {"grid": [1]}}},
            "FILE varies the unknown field training.learning_rate; see `emokit settings audio` for the known ones.",
        ),
        (
            {"space": {"training.batchsize": {"grid": [1]}}},
            "FILE varies the unknown field training.batchsize; did you mean training.batch_size?",
        ),
        (
            {"space": {"training.seed": {"grid": [1]}}},
            "FILE varies training.seed, which no sweep can: write seeds: N for that.",
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
            "FILE has a grid for training.batch_size and is no grid as a whole; "
            "write choice: [a,b] for it, or grid for all.",
        ),
        (
            {"space": {"training.lr": {"choice": [0.1, 0.2]}}, "sampler": "cmaes", "budget": {"trials": 4}},
            "FILE has sampler = cmaes, which needs two or more float or int fields and nothing else; write sampler: tpe.",
        ),
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
            {"objective": {"split": "test"}},
            "FILE has objective.split = 'test', but it must be dev: a sweep never touches test.",
        ),
        (
            {"branches": [{"when": {"training.lr": 0.7}, "space": {"training.max_grad_norm": {"grid": [1]}}}]},
            "FILE has a branch for training.lr = 0.7, which the space never takes; "
            "name a field of the space and one of its values.",
        ),
        ({"pruner": "hyper"}, "FILE has pruner = 'hyper', but it should be 'none', 'median' or 'hyperband'."),
        ({"trails": 3}, "FILE has the unknown key trails; did you mean budget.trials?"),
        (
            {"experiment": {"modality": "audio", "file": "none.yaml"}},
            "FILE has experiment.file = none.yaml, and {folder}/none.yaml is not there.",
        ),
    ],
)
def test_a_space_that_cannot_be_searched_is_refused_in_a_sentence(
    changes: dict[str, Any], expected: str, path: Path
) -> None:
    assert words(path, **changes) == expected.replace("{folder}", str(path.parent))
