import importlib
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from optuna.pruners import HyperbandPruner, MedianPruner, NopPruner

from emokit.sweep.plan import Plan, new_pruner, new_sampler
from emokit.sweep.settings import SweepSettings
from emokit.sweep.storage import open_storage
from emokit.sweep.summary import summarise
from emokit.sweep.worker import Worker

Make = Callable[..., SweepSettings]
Begin = Callable[..., Plan]

RANGES = {
    "training.lr": {"float": [1e-4, 1.0], "log": True},
    "training.weight_decay": {"float": [0.0, 1.0]},
}


def searched(sweep: SweepSettings, begin: Begin) -> tuple[float, int]:
    """The best score that a sweep over the made-up experiment finds, trained to its end, and the epochs it takes."""
    plan = begin(sweep)
    Worker(plan, importlib.import_module("made_up").training(0)).work()
    found = summarise(plan)
    assert sum(found["counts"][state] for state in ("complete", "pruned")) == found["points"] == sweep.budget.trials
    return found["best"]["value"], found["epochs"]


def test_tpe_with_hyperband_finds_more_than_random_search_for_the_same_epochs(
    tmp_path: Path, made_up: Make, crew: Any
) -> None:
    found: dict[str, list[float]] = {"random": [], "tpe": []}
    spent = {"random": 0, "tpe": 0}
    for seed in range(5):
        for sampler, pruner, trials in (("random", "none", 16), ("tpe", "hyperband", 32)):
            folder = tmp_path / f"{sampler}-{seed}"
            folder.mkdir()

            def begin(sweep: SweepSettings, folder: Path = folder) -> Plan:
                (folder / "environment.json").write_text('{"data_fingerprint": "", "started": ""}')
                return Plan(sweep, folder, open_storage(None, folder))

            sweep = made_up(27, space=RANGES, sampler=sampler, pruner=pruner, budget={"trials": trials}, seed=seed)
            best, epochs = searched(sweep, begin)
            found[sampler].append(best)
            spent[sampler] += epochs
    assert spent["random"] == 5 * 16 * 27
    assert spent["tpe"] <= spent["random"]
    assert fmean(found["tpe"]) > fmean(found["random"]) + 0.02


def test_what_is_drawn_at_random_depends_on_the_point_and_not_on_who_draws_it(
    begun: Begin, made_up: Make, crew: Any
) -> None:
    plan = begun(made_up(space=RANGES, sampler="random", budget={"trials": 6}))
    for _ in range(3):
        crew.start(plan)
    crew.wait()
    drawn = [entry["params"] for entry in summarise(plan)["trials"]]
    assert len({point["training.lr"] for point in drawn}) == 6
    alone = Plan(plan.sweep.model_copy(update={"name": "alone"}), plan.run / "alone", plan.storage)
    Worker(alone, importlib.import_module("made_up").training(0)).work()
    (alone.run / "environment.json").write_text('{"data_fingerprint": "", "started": ""}')
    assert [entry["params"] for entry in summarise(alone)["trials"]] == drawn


def test_the_median_pruner_stops_points_below_the_others_and_says_where(begun: Begin, made_up: Make, crew: Any) -> None:
    grid = {"training.weight_decay": {"grid": [0.3, 0.31, 0.32, 0.33, 0.34, 0.35, 1.0]}}
    plan = begun(made_up(space=grid, pruner="median"))
    Worker(plan, importlib.import_module("made_up").training(0)).work()
    found = summarise(plan)["trials"]
    assert [entry["state"] for entry in found[:5]] == ["complete"] * 5
    last = found[-1]
    assert (last["state"], last["epochs"]) == ("pruned", 3)
    assert last["reason"].startswith("pruned after epoch 3, where uar was 0.")


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "RandomSampler"),  # of a grid every point is given
        ({"space": RANGES}, "TPESampler"),
        ({"space": RANGES, "sampler": "random"}, "RandomSampler"),
        ({"space": RANGES, "sampler": "cmaes"}, "CmaEsSampler"),
    ],
)
def test_the_sampler_is_the_one_that_was_named(changes: dict[str, Any], name: str, made_up: Make) -> None:
    assert type(new_sampler(made_up(budget={"trials": 3}, **changes), 0)).__name__ == name


def test_cma_es_and_a_loss_that_should_be_low_work_to_the_end(begun: Begin, made_up: Make, crew: Any) -> None:
    objective = {"metric": "loss"}
    plan = begun(made_up(space=RANGES, sampler="cmaes", budget={"trials": 16}, objective=objective))
    Worker(plan, importlib.import_module("made_up").training(0)).work()
    found = summarise(plan)
    assert found["counts"]["complete"] == 16
    assert found["best"]["value"] == min(entry["value"] for entry in found["trials"])


def test_the_pruner_is_the_one_that_was_named(made_up: Make) -> None:
    kinds = {"none": NopPruner, "median": MedianPruner, "hyperband": HyperbandPruner}
    assert {pruner: type(new_pruner(made_up(pruner=pruner))) for pruner in kinds} == kinds
