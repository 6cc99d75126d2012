"""Tables of a sweep on a terminal: its progress, its best points, and their confirmation with fresh seeds."""

from datetime import timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from emokit.cli.tables import _table
from emokit.sweep.summary import ENDED

MAX_ROWS = 10


def standing(summary: dict[str, Any], workers: int | None = None) -> RenderableType:
    """The live table: counts, time left, and the best points so far."""
    return Group(counts(summary, workers), best(summary))


def counts(summary: dict[str, Any], workers: int | None = None) -> str:
    """The progress of a sweep, in one line."""
    states = [f"{number} {state}" for state, number in summary["counts"].items() if number]
    ended = sum(summary["counts"][state] for state in ENDED)
    phrases = [
        f"{summary['name']}: {ended} of {summary['points']} points",
        ", ".join(states),
        f"{summary['epochs']} epochs",
    ]
    if summary["confirmations"]:
        done = sum(entry["state"] in ENDED for entry in summary["confirmations"])
        phrases.append(f"{done} of {len(summary['confirmations'])} confirming runs")
    left = seconds_left(summary, workers) if workers else None
    if left is not None:
        phrases.append(f"about {timedelta(seconds=round(left))} left")
    return "; ".join(phrases)


def seconds_left(summary: dict[str, Any], workers: int) -> float | None:
    """Estimated time left, from the mean time of ended trainings, confirmation included; None before the first one ends."""
    entries = [*summary["trials"], *summary["confirmations"]]
    spent = [entry["seconds"] for entry in entries if entry["state"] in ENDED]
    if not spent or summary["is_complete"]:
        return None
    left = len([entry for entry in entries if entry["state"] not in ENDED])
    if not summary["confirmations"]:
        left += summary["confirm"]["best"] * summary["confirm"]["seeds"]
    return left * sum(spent) / len(spent) / workers


def best(summary: dict[str, Any]) -> Table:
    """The best points on dev; a point that ended early counts with its best epoch."""
    objective = summary["objective"]
    fields = [dimension["field"] for dimension in summary["dimensions"]]
    title = f"best of {sum(summary['counts'][state] for state in ENDED)} points tried"
    table = _table("point", f"dev {objective['metric']}", "epoch", "", *map(short, fields), title=title)
    sign = 1 if objective["lower_is_better"] else -1
    scored = [entry for entry in summary["trials"] if entry["value"] is not None]
    for entry in sorted(scored, key=lambda entry: sign * entry["value"])[:MAX_ROWS]:
        state = "" if entry["state"] == "complete" else entry["state"]
        values = [escape(str(entry["params"].get(field, "–"))) for field in fields]
        table.add_row(entry["point"], f"{entry['value']:.4f}", str(entry["best_epoch"] or ""), state, *values)
    return table


def confirmed(summary: dict[str, Any]) -> Table:
    """The best points with their means over fresh seeds."""
    fields = [dimension["field"] for dimension in summary["dimensions"]]
    seeds = summary["confirm"]["seeds"]
    table = _table(
        "point", "mean ± deviation", "collapsed", *map(short, fields), title=f"trained with {seeds} fresh seeds"
    )
    for entry in summary["confirmed"]:
        values = [escape(str(entry["params"].get(field, "–"))) for field in fields]
        score = f"{entry['mean']:.4f} ± {entry['deviation']:.4f}"
        table.add_row(entry["point"], score, str(entry["collapsed"]), *values)
    return table


def short(field: str) -> str:
    """A field without its group."""
    return field.rpartition(".")[2]


class PointLog:
    """One line per ended point, where there is no terminal for the live table."""

    def __init__(self) -> None:
        self._logged: set[str] = set()

    def new_lines(self, summary: dict[str, Any]) -> list[str]:
        """Lines of the points that have ended since the last call."""
        lines = []
        for entry in (*summary["trials"], *summary["confirmations"]):
            if entry["state"] in ENDED and entry["point"] not in self._logged:
                self._logged.add(entry["point"])
                score = "no score" if entry["value"] is None else f"{entry['value']:.4f}"
                point = ", ".join(f"{short(field)} {value}" for field, value in entry["params"].items())
                lines.append(f"point {entry['point']}: {entry['state']}, {score} ({point})")
        return lines
