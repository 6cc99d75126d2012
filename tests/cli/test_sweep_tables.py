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
def summary() -> dict[str, Any]:
    """A sweep of four points, two of which have ended."""
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


def test_the_table_has_the_counts_of_all_states_and_the_time_left(summary: dict[str, Any]) -> None:
    lines = shown(sweep_tables.standing(summary, workers=2))
    # Two points and two confirming runs at a minute each, on two workers.
    assert lines[0] == (
        "small: 2 of 4 points; 1 complete, 1 collapsed, 1 running, 1 waiting; 12 epochs; about 0:02:00 left"
    )
    assert lines[1].strip() == "best of 2 points tried"
    assert [line.split() for line in lines[-2:]] == [
        ["0000", "0.5000", "3", "0.001"],
        ["0001", "0.2500", "3", "collapsed", "0.01"],
    ]


def test_without_an_ended_point_the_time_left_is_unknown(summary: dict[str, Any]) -> None:
    started = {**summary, "trials": summary["trials"][2:]}
    assert sweep_tables.seconds_left(started, 1) is None


def test_each_ended_point_is_logged_once(summary: dict[str, Any]) -> None:
    log = sweep_tables.PointLog()
    assert log.new_lines(summary) == [
        "point 0000: complete, 0.5000 (lr 0.001)",
        "point 0001: collapsed, 0.2500 (lr 0.01)",
    ]
    summary["trials"][2] |= {"state": "failed"}
    assert log.new_lines(summary) == ["point 0002: failed, no score (lr 0.002)"]


def test_a_confirmed_point_has_its_mean_and_deviation(summary: dict[str, Any]) -> None:
    summary["confirmed"] = [
        {"point": "0000", "mean": 0.48, "deviation": 0.02, "collapsed": 0, "params": {"training.lr": 0.001}}
    ]
    assert shown(sweep_tables.confirmed(summary))[-1].split() == ["0000", "0.4800", "±", "0.0200", "0", "0.001"]
