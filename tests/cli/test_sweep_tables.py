from typing import Any

import pytest
from rich.console import Console

from emokit.cli import sweep_tables


def entry(point: str, state: str, value: float | None, lr: float, seconds: float = 60.0) -> dict[str, Any]:
    return {
        "point": point,
        "state": state,
        "value": value,
        "best_epoch": 3 if value else None,
        "params": {"training.lr": lr},
        "seconds": seconds,
    }


@pytest.fixture
def found() -> dict[str, Any]:
    """A sweep of four points of which two have ended."""
    trials = [
        entry("0000", "complete", 0.5, 0.001),
        entry("0001", "collapsed", 0.25, 0.01),
        entry("0002", "running", None, 0.002, 0.0),
        entry("0003", "waiting", None, 0.004, 0.0),
    ]
    return {
        "name": "small",
        "points": 4,
        "counts": {"complete": 1, "pruned": 0, "collapsed": 1, "failed": 0, "running": 1, "waiting": 1},
        "epochs": 12,
        "objective": {"metric": "uar", "lower_is_better": False},
        "dimensions": [{"field": "training.lr"}],
        "confirm": {"best": 1, "seeds": 2},
        "trials": trials,
        "confirmations": [],
        "confirmed": [],
        "is_complete": False,
    }


def shown(renderable: Any) -> list[str]:
    console = Console(width=100)
    with console.capture() as captured:
        console.print(renderable)
    return [line.rstrip() for line in captured.get().splitlines() if line.strip()]


def test_the_table_counts_every_state_and_tells_the_time_left(found: dict[str, Any]) -> None:
    lines = shown(sweep_tables.standing(found, workers=2))
    # Two points and two confirming runs at a minute each, on two workers.
    assert lines[0] == (
        "small: 2 of 4 points; 1 complete, 1 collapsed, 1 running, 1 waiting; 12 epochs; about 0:02:00 left"
    )
    assert lines[1].strip() == "best of 2 points tried"
    assert [line.split() for line in lines[-2:]] == [
        ["0000", "0.5000", "3", "0.001"],
        ["0001", "0.2500", "3", "collapsed", "0.01"],
    ]


def test_before_a_point_has_ended_no_time_is_told(found: dict[str, Any]) -> None:
    young = {**found, "trials": found["trials"][2:]}
    assert sweep_tables.seconds_left(young, 1) is None


def test_a_line_is_told_once_for_each_point_that_ends(found: dict[str, Any]) -> None:
    lines = sweep_tables.Lines()
    assert lines.new(found) == [
        "point 0000: complete, 0.5000 (lr 0.001)",
        "point 0001: collapsed, 0.2500 (lr 0.01)",
    ]
    found["trials"][2] |= {"state": "failed"}
    assert lines.new(found) == ["point 0002: failed, no score (lr 0.002)"]


def test_what_was_confirmed_has_its_mean_and_its_spread(found: dict[str, Any]) -> None:
    found["confirmed"] = [
        {"point": "0000", "mean": 0.48, "deviation": 0.02, "collapsed": 0, "params": {"training.lr": 0.001}}
    ]
    assert shown(sweep_tables.confirmed(found))[-1].split() == ["0000", "0.4800", "±", "0.0200", "0", "0.001"]
