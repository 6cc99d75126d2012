"""What `emokit report --compare` shows on a terminal: scores, each class, McNemar's four counts, several seeds."""

from typing import TYPE_CHECKING

from rich import box
from rich.markup import escape
from rich.table import Table

from emokit.cli.tables import SCORES

if TYPE_CHECKING:
    from emokit.report.comparison.compare import Compared
    from emokit.report.comparison.paired import Difference


def _table(*columns: str, title: str) -> Table:
    return Table(*columns, title=title, box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)


def scores(one: "Compared") -> Table:
    """Every score of both, in %, and the second less the first in points."""
    first, second = map(escape, one.names)
    table = _table("", first, second, "difference (95 % interval)", title=f"{second} less {first}")
    for score, title in SCORES.items():
        table.add_row(f"{title} %", *_cells(one.found.scores[score]))
    return table


def classes(one: "Compared") -> Table:
    """Recall and F1 of each class: the second less the first in points."""
    table = _table("", "support", "recall", "F1", title="each class: difference in points (95 % interval)")
    for label, support in one.found.support.items():
        table.add_row(label, str(support), _cells(one.found.recall[label])[2], _cells(one.found.f1[label])[2])
    return table


def seeds(one: "Compared") -> Table | None:
    """Mean and spread over the seeds of each side; None where both are single runs."""
    several = [side for side in (one.first, one.second) if len(side.runs) > 1 and side.is_tested]
    if not several:
        return None
    table = _table("", "seeds", *[f"{title} %" for title in SCORES.values()], title="mean ± standard deviation")
    for side in several:
        values = [f"{100 * side.mean(score):.1f} ± {100 * side.deviation(score):.1f}" for score in SCORES]
        table.add_row(escape(side.name), ", ".join(map(str, sorted(side.seeds))), *values)
    return table


def mcnemar(one: "Compared") -> str | None:
    """The four counts and the probability, in a line."""
    found = one.found.mcnemar
    if found is None:
        return None
    from emokit.report.wording import chance

    first, second = one.names
    return (
        f"right: both {found.both}, only {first} {found.only_first}, only {second} {found.only_second}, "
        f"neither {found.neither}; McNemar's test ({found.test}): {chance(found.p)}"
    )


def _cells(difference: "Difference") -> tuple[str, str, str]:
    from emokit.report.comparison.compare import said
    from emokit.report.wording import percent

    change = said(difference)
    return (
        percent(difference.first),
        percent(difference.second),
        f"[bold]{change}[/bold]" if difference.is_certain else change,
    )
