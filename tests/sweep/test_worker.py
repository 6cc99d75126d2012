import importlib
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
Begin = Callable[..., Plan]


def states(plan: Plan) -> Counter[str]:
    """How many points of the search are in which state, over all attempts; those dropped or lost count as failed."""
    return Counter(trial.state.name for trial in plan.search.study.get_trials(deepcopy=False))


def points(plan: Plan, state: TrialState = TrialState.COMPLETE) -> list[str]:
    trials = plan.search.study.get_trials(deepcopy=False, states=(state,))
    return sorted(trial.user_attrs["point"] for trial in trials)


def every(plan: Plan) -> list[str]:
    return [slot.key for slot in plan.search.slots]


def in_line(begun: Begin, sweep: SweepSettings, train: Callable[..., None]) -> Plan:
    """Work on a sweep in this process, with another training than the made-up one."""
    plan = begun(sweep)
    Worker(plan, train).work()
    return plan


@pytest.mark.parametrize("num_workers", [2, 4])
def test_however_many_workers_there_are_each_point_is_done_once_and_none_is_left_out(
    num_workers: int, crew: Any, begun: Begin, made_up: Make
) -> None:
    plan = begun(made_up())
    for _ in range(num_workers):
        crew.start(plan)
    crew.wait()
    assert points(plan) == every(plan)
    assert states(plan) == {"COMPLETE": 12}
    owners = {trial.user_attrs["worker"]["pid"] for trial in plan.search.study.trials}
    assert len(owners) == num_workers


def test_of_workers_killed_twenty_times_nothing_is_lost_and_nothing_is_done_twice(
    crew: Any, begun: Begin, made_up: Make
) -> None:
    grid = {
        "training.lr": {"grid": [0.01 * n for n in range(1, 21)]},
        "training.weight_decay": {"grid": [0.1, 0.3, 0.5]},
    }
    plan = begun(made_up(space=grid))
    chance = random.Random(0)
    hands = [crew.start(plan, pause=0.1) for _ in range(2)]
    for kill in range(20):
        time.sleep(chance.uniform(0.05, 0.4))
        hands[kill % 2].kill()
        hands[kill % 2].join()
        hands[kill % 2] = crew.start(plan, pause=0.1)
    assert states(plan)["COMPLETE"] < 60, "the sweep was over before the last kill"
    for _ in range(2):  # who do the rest sooner
        crew.start(plan)
    crew.wait()
    assert points(plan) == every(plan)
    assert set(states(plan)) <= {"COMPLETE", "FAIL"}
    for folder in (plan.run / "trials").iterdir():
        assert [line["epoch"] for line in runs.read_log(folder)] == [1, 2, 3, 4]


def test_a_killed_worker_costs_only_the_epoch_that_ran(crew: Any, begun: Begin, made_up: Make) -> None:
    plan = begun(made_up(max_epochs=6, space={"training.lr": {"grid": [0.1]}}))
    hand = crew.start(plan, pause=0.2)
    log = plan.run / "trials" / "0000"
    while len(runs.read_log(log)) < 3:
        time.sleep(0.02)
    hand.kill()
    hand.join()
    crew.start(plan, pause=0.01)
    crew.wait()
    (entry,) = summarise(plan)["trials"]
    assert (entry["state"], entry["epochs"], entry["attempt"]) == ("complete", 6, 1)
    # The first three epochs were not trained again: they took what the first worker's epochs take.
    assert [line["seconds"] for line in runs.read_log(log)][:3] == [0.2, 0.2, 0.2]
    assert [epoch for epoch, _ in entry["by_epoch"]] == [1, 2, 3, 4, 5, 6]


def test_the_best_points_are_trained_again_with_seeds_that_they_were_not_chosen_by(
    begun: Begin, made_up: Make, crew: Any
) -> None:
    module = importlib.import_module("made_up")
    seeds: list[int] = []

    def train(settings: Any, folder: Path, on_epoch: Any) -> None:
        seeds.append(settings.training.seed)
        module.training(0)(settings, folder, on_epoch)

    plan = in_line(begun, made_up(seeds=2, confirm={"best": 2, "seeds": 3}), train)
    assert seeds == [0, 1] * 12 + [2, 3, 4] * 2
    assert [one.user_attrs["point"] for one in plan.best()] == ["0007", "0004"]
    assert (plan.run / "confirm" / "0007" / "seed-4" / runs.METRICS).exists()


def test_a_point_that_collapses_ends_as_pruned_with_its_reason(begun: Begin, made_up: Make, crew: Any) -> None:
    module = importlib.import_module("made_up")

    def train(settings: Any, folder: Path, on_epoch: Any) -> None:
        if settings.training.lr == 0.2:
            on_epoch = lambda line: (_ for _ in ()).throw(Collapsed("The training collapsed: so it was made."))  # noqa: E731
        module.training(0)(settings, folder, on_epoch)

    plan = in_line(begun, made_up(), train)
    assert states(plan) == {"COMPLETE": 9, "PRUNED": 3}
    collapsed = [entry for entry in summarise(plan)["trials"] if entry["state"] == "collapsed"]
    assert [entry["params"]["training.lr"] for entry in collapsed] == [0.2, 0.2, 0.2]
    assert collapsed[0]["reason"] == "The training collapsed: so it was made."


def test_a_full_memory_is_tried_once_more_with_half_the_batch_and_the_same_steps(
    begun: Begin, made_up: Make, crew: Any
) -> None:
    module = importlib.import_module("made_up")
    tried = []

    def train(settings: Any, folder: Path, on_epoch: Any) -> None:
        recipe = settings.training
        tried.append((recipe.lr, recipe.batch_size, recipe.gradient_accumulation_steps))
        if (recipe.batch_size > 16 and recipe.lr < 0.2) or recipe.lr == 0.2:
            raise MemoryFull("The memory is full.")
        module.training(0)(settings, folder, on_epoch)

    space = {"training.lr": {"grid": [0.1, 0.2]}}
    plan = in_line(begun, made_up(space=space), train)
    assert tried == [(0.1, 32, 1), (0.1, 16, 2), (0.2, 32, 1), (0.2, 16, 2)]
    first, second = summarise(plan)["trials"]
    assert (first["state"], first["halved"]) == ("complete", True)
    assert (second["state"], second["reason"]) == ("failed", "The memory is full.")


def test_a_point_that_fails_ends_alone_and_is_tried_again_only_when_asked(
    begun: Begin, made_up: Make, crew: Any
) -> None:
    module = importlib.import_module("made_up")
    broken = True

    def train(settings: Any, folder: Path, on_epoch: Any) -> None:
        if broken and settings.training.lr == 0.1:
            raise RuntimeError("a cable came loose")
        module.training(0)(settings, folder, on_epoch)

    plan = in_line(begun, made_up(space={"training.lr": {"grid": [0.05, 0.1, 0.2]}}), train)
    entry = summarise(plan)["trials"][1]
    assert entry["state"] == "failed"
    error = plan.run / "trials" / "0001" / "error.txt"
    assert entry["reason"] == f"RuntimeError: a cable came loose; see {error}"
    assert "a cable came loose" in error.read_text()
    broken = False
    Worker(plan, train).work()
    assert states(plan) == {"COMPLETE": 2, "FAIL": 1}
    plan.search.retry_failed()
    Worker(plan, train).work()
    assert points(plan) == ["0000", "0001", "0002"]


def test_a_full_disk_ends_the_worker_and_gives_the_point_back(begun: Begin, made_up: Make) -> None:
    def train(settings: Any, folder: Path, on_epoch: Any) -> None:
        raise WorkError("The disk that holds it is full.")

    plan = begun(made_up())
    with pytest.raises(WorkError, match=r"^The disk that holds it is full\.$"):
        Worker(plan, train).work()
    assert {entry["state"] for entry in summarise(plan)["trials"]} == {"waiting"}


def test_when_the_time_is_up_no_other_epoch_is_asked_for_and_the_point_goes_on_later(
    begun: Begin, made_up: Make, crew: Any
) -> None:
    module = importlib.import_module("made_up")
    plan = begun(made_up(space={"training.lr": {"grid": [0.1]}}))
    Worker(plan, module.training(0.2), until=time.time() + 0.3).work()
    (entry,) = summarise(plan)["trials"]
    assert (entry["state"], entry["epochs"] < 4) == ("waiting", True)
    Worker(plan, module.training(0)).work()
    assert points(plan) == ["0000"]


def test_only_the_best_points_keep_their_model(begun: Begin, made_up: Make, crew: Any) -> None:
    module = importlib.import_module("made_up")

    def train(settings: Any, folder: Path, on_epoch: Any) -> None:
        for name in ("checkpoints/last", "model"):
            (folder / name).mkdir(parents=True)
        (folder / runs.SETTINGS).write_text("")
        module.training(0)(settings, folder, on_epoch)

    plan = in_line(begun, made_up(confirm={"best": 2, "seeds": 2}), train)
    assert not list(plan.run.glob("**/checkpoints"))
    assert sorted(path.parent.name for path in (plan.run / "trials").glob("*/model")) == ["0004", "0007"]


def test_a_model_whose_score_is_not_told_yet_is_not_taken_for_a_beaten_one(
    begun: Begin, made_up: Make, crew: Any
) -> None:
    plan = begun(made_up(confirm={"best": 1, "seeds": 2}))
    claimed = [plan.search.claim(plan.seed_sampler) for _ in range(3)]
    for number in range(3):
        (plan.folder_of(f"{number:04d}") / "model").mkdir(parents=True)
        (plan.folder_of(f"{number:04d}") / runs.METRICS).write_text("{}")
    for trial, value in zip(claimed[:2], (0.5, 0.6), strict=True):
        assert trial
        plan.search.complete(trial, value)
    drop_models(plan.run / plan.TRIALS, plan.beaten_keys())  # the third has ended, and its worker is about to say so
    assert sorted(path.parent.name for path in (plan.run / "trials").glob("*/model")) == ["0001", "0002"]
