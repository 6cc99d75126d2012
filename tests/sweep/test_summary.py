from collections.abc import Callable
from typing import Any

import pytest
import yaml

from emokit import runs
from emokit.sweep.plan import Plan
from emokit.sweep.run import read_plan
from emokit.sweep.settings import SweepSettings
from emokit.sweep.summary import summarise, write
from emokit.sweep.worker import Worker

Make = Callable[..., SweepSettings]
Open = Callable[..., Plan]


@pytest.fixture
def complete_plan(open_plan: Open, make_sweep: Make, toy: Any) -> Plan:
    """A complete sweep whose two best points are confirmed."""
    plan = open_plan(make_sweep(confirm={"best": 2, "seeds": 2}))
    (plan.run / "storage.json").write_text('{"url": null}')
    Worker(plan, toy.training(0)).run()
    return plan


def test_results_are_written_for_spreadsheets_and_for_train(complete_plan: Plan) -> None:
    write(complete_plan, summarise(complete_plan, importance=True))
    header, *rows = (complete_plan.run / "trials.csv").read_text().splitlines()
    assert header == "point,state,value,best_epoch,epochs,seconds,training.lr,training.weight_decay,reason"
    assert len(rows) == 12 + 4
    assert rows[7].startswith("0007,complete,0.9375,4,4,0.0,0.1,0.3,")  # 1 - 0.5 ** 4
    summary = summarise(complete_plan)
    summary["trials"][0]["reason"] = "=HYPERLINK(1)"
    write(complete_plan, summary)
    assert (complete_plan.run / "trials.csv").read_text().splitlines()[1].endswith(",'=HYPERLINK(1)")
    best = (complete_plan.run / "best.yaml").read_text()
    assert best.startswith(
        "# Point 0007 of the sweep sweep: uar on dev mean 0.9375 ± 0.0000 over 2 fresh seeds.\n"
        "# It is the best of 12 points on dev, so the score is optimistic. Test was not read.\n"
        "#\n"
        "#   emokit train toy best.yaml --data DIR --run runs/sweep-best\n"
    )
    training = yaml.safe_load(best)["training"]
    assert (training["lr"], training["weight_decay"], training["seed"]) == (0.1, 0.3, 0)


def test_reading_a_sweep_changes_nothing_in_its_storage(complete_plan: Plan) -> None:
    journal = (complete_plan.run / "journal.log").read_bytes()
    assert summarise(read_plan(complete_plan.run)) == summarise(complete_plan)
    assert (complete_plan.run / "journal.log").read_bytes() == journal


def test_a_summary_names_its_modality_the_importance_of_fields_and_the_confirmed_points(complete_plan: Plan) -> None:
    summary = summarise(complete_plan, importance=True)
    assert (summary["kind"], summary["modality"], summary["experiment_name"]) == ("sweep", "toy", "toy")
    assert summary["importance"].keys() == {"training.lr", "training.weight_decay"}
    assert sum(summary["importance"].values()) == pytest.approx(1)
    assert [entry["point"] for entry in summary["confirmed"]] == ["0007", "0004"]
    assert summary["data_fingerprint"] == runs.read_environment(complete_plan.run)["data_fingerprint"]


def test_a_point_that_is_not_confirmed_says_so_in_best_yaml(open_plan: Open, make_sweep: Make, toy: Any) -> None:
    plan = open_plan(make_sweep(space={"training.lr": {"grid": [0.1]}}))
    Worker(plan, toy.training(0)).run()
    write(plan, summarise(plan))
    first = (plan.run / "best.yaml").read_text().splitlines()[0]
    assert first == "# Point 0000 of the sweep sweep: uar on dev 0.8016, not confirmed with fresh seeds."
