import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from emokit import runs
from emokit.errors import Collapsed, MemoryFull, WorkError
from emokit.sweep.plan import Plan
from emokit.sweep.settings import SweepSettings
from emokit.sweep.summary import summarise
from emokit.sweep.trial import drop_models
from emokit.sweep.worker import Worker

Make = Callable[..., SweepSettings]
Open = Callable[..., Plan]


def states(plan: Plan) -> Counter[str]:
    """State -> number of attempts of the search; duplicates and lost ones count as failed."""
    return Counter(trial.state.name for trial in plan.search.study.get_trials(deepcopy=False))


def points(plan: Plan, state: TrialState = TrialState.COMPLETE) -> list[str]:
    trials = plan.search.study.get_trials(deepcopy=False, states=(state,))
    return sorted(trial.user_attrs["point"] for trial in trials)


def all_points(plan: Plan) -> list[str]:
    return [point.key for point in plan.search.points]


def run_here(open_plan: Open, sweep: SweepSettings, train: Callable[..., None]) -> Plan:
    """Train a sweep's points in this process with another function than the toy modality's."""
    plan = open_plan(sweep)
    Worker(plan, train).run()
    return plan


@pytest.mark.parametrize("num_workers", [2, 4])
def test_each_point_is_trained_exactly_once_by_any_number_of_workers(
    num_workers: int, workers: Any, open_plan: Open, make_sweep: Make
) -> None:
    plan = open_plan(make_sweep())
    for _ in range(num_workers):
        workers.start(plan)
    workers.wait()
    assert points(plan) == all_points(plan)
    assert states(plan) == {"COMPLETE": 12}
    owners = {trial.user_attrs["worker"]["pid"] for trial in plan.search.study.trials}
    assert len(owners) == num_workers


def test_no_point_is_lost_or_trained_twice_if_workers_are_killed_twenty_times(
    workers: Any, open_plan: Open, make_sweep: Make
) -> None:
    grid = {
        "training.lr": {"grid": [0.01 * n for n in range(1, 21)]},
        "training.weight_decay": {"grid": [0.1, 0.3, 0.5]},
    }
    plan = open_plan(make_sweep(space=grid))
    generator = random.Random(0)
    started = [workers.start(plan, pause=0.1) for _ in range(2)]
    for kill in range(20):
        time.sleep(generator.uniform(0.05, 0.4))
        started[kill % 2].kill()
        started[kill % 2].join()
        started[kill % 2] = workers.start(plan, pause=0.1)
    assert states(plan)["COMPLETE"] < 60, "the sweep ended before the last kill"
    for _ in range(2):  # to finish sooner
        workers.start(plan)
    workers.wait()
    assert points(plan) == all_points(plan)
    assert set(states(plan)) <= {"COMPLETE", "FAIL"}
    for folder in (plan.run / "trials").iterdir():
        assert [line["epoch"] for line in runs.read_log(folder)] == [1, 2, 3, 4]


def test_a_killed_worker_costs_only_its_unfinished_epoch(workers: Any, open_plan: Open, make_sweep: Make) -> None:
    plan = open_plan(make_sweep(max_epochs=6, space={"training.lr": {"grid": [0.1]}}))
    process = workers.start(plan, pause=0.2)
    log = plan.run / "trials" / "0000"
    while len(runs.read_log(log)) < 3:
        time.sleep(0.02)
    process.kill()
    process.join()
    workers.start(plan, pause=0.01)
    workers.wait()
    (entry,) = summarise(plan)["trials"]
    assert (entry["state"], entry["epochs"], entry["attempt"]) == ("complete", 6, 1)
    # The first three epochs have the duration of the first worker's epochs, so they were not trained again.
    assert [line["seconds"] for line in runs.read_log(log)][:3] == [0.2, 0.2, 0.2]
    assert [epoch for epoch, _ in entry["by_epoch"]] == [1, 2, 3, 4, 5, 6]


def test_the_best_points_are_trained_again_with_seeds_that_the_search_did_not_use(
    open_plan: Open, make_sweep: Make, toy: Any
) -> None:
    seeds: list[int] = []

    def train(settings: Any, folder: Path, on_epoch: Any) -> None:
        seeds.append(settings.training.seed)
        toy.training(0)(settings, folder, on_epoch)

    plan = run_here(open_plan, make_sweep(seeds=2, confirm={"best": 2, "seeds": 3}), train)
    assert seeds == [0, 1] * 12 + [2, 3, 4] * 2
    assert [trial.user_attrs["point"] for trial in plan.best()] == ["0007", "0004"]
    assert (plan.run / "confirm" / "0007" / "seed-4" / runs.METRICS).exists()


def test_a_point_that_collapses_ends_as_pruned_with_its_reason(open_plan: Open, make_sweep: Make, toy: Any) -> None:

    def train(settings: Any, folder: Path, on_epoch: Any) -> None:
        if settings.training.lr == 0.2:
            on_epoch = lambda line: (_ for _ in ()).throw(Collapsed("The training collapsed on purpose."))  # noqa: E731
        toy.training(0)(settings, folder, on_epoch)

    plan = run_here(open_plan, make_sweep(), train)
    assert states(plan) == {"COMPLETE": 9, "PRUNED": 3}
    collapsed = [entry for entry in summarise(plan)["trials"] if entry["state"] == "collapsed"]
    assert [entry["params"]["training.lr"] for entry in collapsed] == [0.2, 0.2, 0.2]
    assert collapsed[0]["reason"] == "The training collapsed on purpose."


def test_a_point_out_of_memory_is_retried_once_with_half_the_batch_and_the_same_steps(
    open_plan: Open, make_sweep: Make, toy: Any
) -> None:
    tried = []

    def train(settings: Any, folder: Path, on_epoch: Any) -> None:
        training = settings.training
        tried.append((training.lr, training.batch_size, training.gradient_accumulation_steps))
        if (training.batch_size > 16 and training.lr < 0.2) or training.lr == 0.2:
            raise MemoryFull("The memory is full.")
        toy.training(0)(settings, folder, on_epoch)

    space = {"training.lr": {"grid": [0.1, 0.2]}}
    plan = run_here(open_plan, make_sweep(space=space), train)
    assert tried == [(0.1, 32, 1), (0.1, 16, 2), (0.2, 32, 1), (0.2, 16, 2)]
    first, second = summarise(plan)["trials"]
    assert (first["state"], first["halved"]) == ("complete", True)
    assert (second["state"], second["reason"]) == ("failed", "The memory is full.")


def test_a_failing_point_does_not_stop_the_others_and_is_retried_only_on_demand(
    open_plan: Open, make_sweep: Make, toy: Any
) -> None:
    is_broken = True

    def train(settings: Any, folder: Path, on_epoch: Any) -> None:
        if is_broken and settings.training.lr == 0.1:
            raise RuntimeError("a cable came loose: https://s3cr3t@host/a")
        toy.training(0)(settings, folder, on_epoch)

    plan = run_here(open_plan, make_sweep(space={"training.lr": {"grid": [0.05, 0.1, 0.2]}}), train)
    entry = summarise(plan)["trials"][1]
    assert entry["state"] == "failed"
    error = plan.run / "trials" / "0001" / "error.txt"
    assert entry["reason"] == f"RuntimeError: a cable came loose: https://***@host/a; see {error}"
    assert "a cable came loose: https://***@host/a\n" in error.read_text()
    assert "s3cr3t" not in error.read_text()
    is_broken = False
    Worker(plan, train).run()
    assert states(plan) == {"COMPLETE": 2, "FAIL": 1}
    plan.search.retry_failed()
    Worker(plan, train).run()
    assert points(plan) == ["0000", "0001", "0002"]


def test_a_full_disk_ends_the_worker_and_its_point_waits_again(open_plan: Open, make_sweep: Make) -> None:
    def train(settings: Any, folder: Path, on_epoch: Any) -> None:
        raise WorkError("The disk that holds it is full.")

    plan = open_plan(make_sweep())
    with pytest.raises(WorkError, match=r"^The disk that holds it is full\.$"):
        Worker(plan, train).run()
    assert {entry["state"] for entry in summarise(plan)["trials"]} == {"waiting"}


def test_a_training_stops_at_the_deadline_and_is_resumed_later(open_plan: Open, make_sweep: Make, toy: Any) -> None:
    plan = open_plan(make_sweep(space={"training.lr": {"grid": [0.1]}}))
    Worker(plan, toy.training(0.2), deadline=time.time() + 0.3).run()
    (entry,) = summarise(plan)["trials"]
    assert (entry["state"], entry["epochs"] < 4) == ("waiting", True)
    Worker(plan, toy.training(0)).run()
    assert points(plan) == ["0000"]


def test_only_the_best_points_keep_their_model(open_plan: Open, make_sweep: Make, toy: Any) -> None:

    def train(settings: Any, folder: Path, on_epoch: Any) -> None:
        for name in ("checkpoints/last", "model"):
            (folder / name).mkdir(parents=True)
        (folder / runs.SETTINGS).write_text("")
        toy.training(0)(settings, folder, on_epoch)

    plan = run_here(open_plan, make_sweep(confirm={"best": 2, "seeds": 2}), train)
    assert not list(plan.run.glob("**/checkpoints"))
    assert sorted(path.parent.name for path in (plan.run / "trials").glob("*/model")) == ["0004", "0007"]


def test_the_model_of_a_point_without_a_score_yet_is_not_deleted(open_plan: Open, make_sweep: Make) -> None:
    plan = open_plan(make_sweep(confirm={"best": 1, "seeds": 2}))
    claimed = [plan.search.claim(plan.seed_sampler) for _ in range(3)]
    for number in range(3):
        (plan.folder_of(f"{number:04d}") / "model").mkdir(parents=True)
        (plan.folder_of(f"{number:04d}") / runs.METRICS).write_text("{}")
    for trial, value in zip(claimed[:2], (0.5, 0.6), strict=True):
        assert trial
        plan.search.complete(trial, value)
    # The third has ended, and its worker has not stored its score yet.
    drop_models(plan.run / plan.TRIALS, plan.other_keys())
    assert sorted(path.parent.name for path in (plan.run / "trials").glob("*/model")) == ["0001", "0002"]
