from pathlib import Path
from typing import Any

import pytest

from emokit.errors import DataError
from emokit.schema.base import check
from emokit.schema.sweep import Dimension, Sweep


def sweep(metric: str, *trials: tuple[str, float | None]) -> Sweep:
    """A sweep with trials of (state, value)."""
    content: dict[str, Any] = {
        "name": "sweep",
        "modality": "audio",
        "objective": {"metric": metric, "lower_is_better": metric == "loss"},
        "sampler": "tpe",
        "pruner": "none",
        "max_epochs": 3,
        "points": len(trials),
        "counts": {},
        "epochs": 3,
        "is_complete": False,
        "dimensions": [{"field": "training.lr", "values": [0.1, 0.2]}],
        "trials": [
            {"point": str(number), "state": state, "params": {}, "value": value}
            for number, (state, value) in enumerate(trials)
        ],
    }
    return Sweep.model_validate(content)


@pytest.mark.parametrize(("metric", "points"), [("uar", ["2", "0"]), ("loss", ["0", "2"])])
def test_trials_with_a_score_are_ranked_by_the_objective(metric: str, points: list[str]) -> None:
    searched = sweep(metric, ("complete", 0.1), ("waiting", None), ("pruned", 0.3), ("failed", None))
    assert [trial.point for trial in searched.ranked] == points


def test_waiting_and_running_trials_have_not_ended() -> None:
    states = ("complete", "waiting", "running", "pruned", "collapsed", "failed")
    searched = sweep("uar", *((state, None) for state in states))
    assert [trial.state for trial in searched.ended] == ["complete", "pruned", "collapsed", "failed"]


def test_the_objective_is_named_in_words() -> None:
    assert [sweep(metric).metric for metric in ("uar", "weighted_f1", "later")] == ["UAR", "weighted F1", "later"]


@pytest.mark.parametrize(
    ("values", "log", "is_numeric", "is_log"),
    [
        ([1e-4, 1e-2], True, True, True),
        ([1e-4, 1e-2], False, True, True),
        ([0.1, 0.2], False, True, False),
        ([0.0, 0.2], False, True, False),
        (["cosine", "linear"], False, False, False),
        ([True, False], False, False, False),
    ],
)
def test_the_axis_of_a_dimension_depends_on_its_values(
    values: list[Any], log: bool, is_numeric: bool, is_log: bool
) -> None:
    dimension = Dimension(field="training.lr", values=values, log=log)
    assert (dimension.name, dimension.is_numeric, dimension.is_log) == ("lr", is_numeric, is_log)


@pytest.mark.parametrize("point", ["/x/y", "../0001", "0001/../..", "0001/seed-1/x", "0001\n", ""])
def test_the_key_of_a_point_leads_to_no_other_folder(point: str) -> None:
    content = sweep("uar").model_dump() | {"trials": [{"point": point, "state": "complete", "params": {}}]}
    with pytest.raises(DataError, match=r"^sweep\.json has trials\.0\.point = "):
        check(Sweep, content, Path("sweep.json"))


def test_the_name_of_a_sweep_leads_to_no_other_folder() -> None:
    with pytest.raises(DataError) as error:
        check(Sweep, sweep("uar").model_dump() | {"name": "../x"}, Path("sweep.json"))
    assert str(error.value) == (
        "sweep.json has name = '../x', but it should have only the letters a to z, digits, '_', '.' and '-', and begin with "
        "a letter or digit; make the run again, or leave it out."
    )


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"dimensions": []}, "has dimensions = [], but it List should have at least 1 item after validation, not 0"),
        (
            {"trials": [{"point": "0", "state": "complete", "params": {"training.lr": "x"}}]},
            "has a point 0 whose training.lr is outside of its dimension",
        ),
        (
            {"trials": [{"point": "0/seed-1", "state": "complete", "params": {}}]},
            "has the seed 0/seed-1 among its points",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(DataError) as error:
        check(Sweep, sweep("uar").model_dump() | change, Path("sweep.json"))
    assert str(error.value) == f"sweep.json {fault}; make the run again, or leave it out."
