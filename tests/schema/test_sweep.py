from typing import Any

import pytest

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
        "dimensions": [],
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
