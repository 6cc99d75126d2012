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
Open = Callable[..., Plan]

RANGES = {
    "training.lr": {"float": [1e-4, 1.0], "log": True},
    "training.weight_decay": {"float": [0.0, 1.0]},
}


def test_tpe_with_hyperband_finds_more_than_random_search_for_the_same_epochs(
    tmp_path: Path, make_sweep: Make, toy: Any
) -> None:
    best: dict[str, list[float]] = {"random": [], "tpe": []}
    epochs = {"random": 0, "tpe": 0}
    for seed in range(5):
        for sampler, pruner, trials in (("random", "none", 16), ("tpe", "hyperband", 32)):
            folder = tmp_path / f"{sampler}-{seed}"
            folder.mkdir()
            (folder / "environment.json").write_text('{"data_fingerprint": "", "started": ""}')
            sweep = make_sweep(27, space=RANGES, sampler=sampler, pruner=pruner, budget={"trials": trials}, seed=seed)
            plan = Plan(sweep, folder, open_storage(None, folder))
            Worker(plan, toy.training(0)).run()
            summary = summarise(plan)
            assert sum(summary["counts"][state] for state in ("complete", "pruned")) == summary["points"] == trials
            best[sampler].append(summary["best"]["value"])
            epochs[sampler] += summary["epochs"]
    assert epochs["random"] == 5 * 16 * 27
    assert epochs["tpe"] <= epochs["random"]
    assert fmean(best["tpe"]) > fmean(best["random"]) + 0.02


def test_random_points_depend_on_their_number_and_not_on_the_worker(
    open_plan: Open, make_sweep: Make, workers: Any, toy: Any
) -> None:
    plan = open_plan(make_sweep(space=RANGES, sampler="random", budget={"trials": 6}))
    for _ in range(3):
        workers.start(plan)
    workers.wait()
    drawn = [entry["params"] for entry in summarise(plan)["trials"]]
    assert len({point["training.lr"] for point in drawn}) == 6
    alone = Plan(plan.sweep.model_copy(update={"name": "alone"}), plan.run / "alone", plan.storage)
    Worker(alone, toy.training(0)).run()
    (alone.run / "environment.json").write_text('{"data_fingerprint": "", "started": ""}')
    assert [entry["params"] for entry in summarise(alone)["trials"]] == drawn


def test_the_median_pruner_stops_points_below_the_others_and_the_reason_is_stored(
    open_plan: Open, make_sweep: Make, toy: Any
) -> None:
    grid = {"training.weight_decay": {"grid": [0.3, 0.31, 0.32, 0.33, 0.34, 0.35, 1.0]}}
    plan = open_plan(make_sweep(space=grid, pruner="median"))
    Worker(plan, toy.training(0)).run()
    trials = summarise(plan)["trials"]
    assert [entry["state"] for entry in trials[:5]] == ["complete"] * 5
    last = trials[-1]
    assert (last["state"], last["epochs"]) == ("pruned", 3)
    assert last["reason"].startswith("pruned after epoch 3 with uar 0.")


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "RandomSampler"),  # a grid's points are fixed
        ({"space": RANGES}, "TPESampler"),
        ({"space": RANGES, "sampler": "random"}, "RandomSampler"),
        ({"space": RANGES, "sampler": "cmaes"}, "CmaEsSampler"),
    ],
)
def test_the_sampler_is_the_one_in_the_settings(changes: dict[str, Any], name: str, make_sweep: Make) -> None:
    assert type(new_sampler(make_sweep(budget={"trials": 3}, **changes), 0)).__name__ == name


def test_cma_es_completes_a_sweep_that_minimises_the_loss(open_plan: Open, make_sweep: Make, toy: Any) -> None:
    objective = {"metric": "loss"}
    plan = open_plan(make_sweep(space=RANGES, sampler="cmaes", budget={"trials": 16}, objective=objective))
    Worker(plan, toy.training(0)).run()
    summary = summarise(plan)
    assert summary["counts"]["complete"] == 16
    assert summary["best"]["value"] == min(entry["value"] for entry in summary["trials"])


def test_the_pruner_is_the_one_in_the_settings(make_sweep: Make) -> None:
    classes = {"none": NopPruner, "median": MedianPruner, "hyperband": HyperbandPruner}
    assert {pruner: type(new_pruner(make_sweep(pruner=pruner))) for pruner in classes} == classes
