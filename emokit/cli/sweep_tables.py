"""What a sweep shows on a terminal: how it stands, its best points, what confirmed them."""

from datetime import timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from emokit.cli.tables import _table
from emokit.sweep.summary import ENDED

MOST_ROWS = 10


def standing(found: dict[str, Any], workers: int | None = None) -> RenderableType:
    """The live table: counts, time left, and the best points so far."""
    return Group(counts(found, workers), best(found))


def counts(found: dict[str, Any], workers: int | None = None) -> str:
    """How a sweep stands, in a line."""
    states = [f"{number} {state}" for state, number in found["counts"].items() if number]
    ended = sum(found["counts"][state] for state in ENDED)
    parts = [f"{found['name']}: {ended} of {found['points']} points", ", ".join(states), f"{found['epochs']} epochs"]
    if found["confirmations"]:
        done = sum(entry["state"] in ENDED for entry in found["confirmations"])
        parts.append(f"{done} of {len(found['confirmations'])} confirming runs")
    left = seconds_left(found, workers) if workers else None
    if left is not None:
        parts.append(f"about {timedelta(seconds=round(left))} left")
    return "; ".join(parts)


def seconds_left(found: dict[str, Any], workers: int) -> float | None:
    """What is left to do at the pace of what is done, confirming included; None before the first point has ended."""
    entries = [*found["trials"], *found["confirmations"]]
    spent = [entry["seconds"] for entry in entries if entry["state"] in ENDED]
    if not spent or found["is_complete"]:
        return None
    left = len([entry for entry in entries if entry["state"] not in ENDED])
    if not found["confirmations"]:
        left += found["confirm"]["best"] * found["confirm"]["seeds"]
    return left * sum(spent) / len(spent) / workers


def best(found: dict[str, Any]) -> Table:
    """The best points on dev; those that ended early count with what they had."""
    objective = found["objective"]
    fields = [dimension["field"] for dimension in found["dimensions"]]
    title = f"best of {sum(found['counts'][state] for state in ENDED)} points tried"
    table = _table("point", f"dev {objective['metric']}", "epoch", "", *map(short, fields), title=title)
    sign = 1 if objective["lower_is_better"] else -1
    scored = [entry for entry in found["trials"] if entry["value"] is not None]
    for entry in sorted(scored, key=lambda entry: sign * entry["value"])[:MOST_ROWS]:
        state = "" if entry["state"] == "complete" else entry["state"]
        values = [escape(str(entry["params"].get(field, "–"))) for field in fields]
        table.add_row(entry["point"], f"{entry['value']:.4f}", str(entry["best_epoch"] or ""), state, *values)
    return table


def confirmed(found: dict[str, Any]) -> Table:
    """The best points' means over fresh seeds."""
    fields = [dimension["field"] for dimension in found["dimensions"]]
    seeds = found["confirm"]["seeds"]
    table = _table(
        "point", "mean ± deviation", "collapsed", *map(short, fields), title=f"trained with {seeds} fresh seeds"
    )
    for entry in found["confirmed"]:
        values = [escape(str(entry["params"].get(field, "–"))) for field in fields]
        score = f"{entry['mean']:.4f} ± {entry['deviation']:.4f}"
        table.add_row(entry["point"], score, str(entry["collapsed"]), *values)
    return table


def short(field: str) -> str:
    """A field without its group."""
    return field.rpartition(".")[2]


class Lines:
    """Off a terminal: a line for each point as it ends."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def new(self, found: dict[str, Any]) -> list[str]:
        """Lines of the points that have ended since the last look."""
        lines = []
        for entry in (*found["trials"], *found["confirmations"]):
            if entry["state"] in ENDED and entry["point"] not in self._told:
                self._told.add(entry["point"])
                score = "no score" if entry["value"] is None else f"{entry['value']:.4f}"
                point = ", ".join(f"{short(field)} {value}" for field, value in entry["params"].items())
                lines.append(f"point {entry['point']}: {entry['state']}, {score} ({point})")
        return lines
