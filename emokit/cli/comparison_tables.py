"""Tables of `emokit report --compare`: scores, classes, McNemar's counts, several seeds."""

from typing import TYPE_CHECKING

from rich import box
from rich.markup import escape
from rich.table import Table

from emokit.cli.tables import SCORES, TOO_FEW, intervals_over

if TYPE_CHECKING:
    from emokit.report.comparison.compare import Compared
    from emokit.report.comparison.paired import Difference


def _table(*columns: str, title: str) -> Table:
    return Table(*columns, title=title, box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)


def scores(compared: "Compared") -> Table:
    """Every score of both experiments in %, and the second minus the first in points."""
    first, second = map(escape, compared.names)
    table = _table("", first, second, "difference (95 % interval)", title=f"{second} minus {first}")
    for score, title in SCORES.items():
        table.add_row(f"{title} %", *_cells(compared.comparison.scores[score]))
    if compared.comparison.scores["uar"].too_few:
        table.caption = intervals_over({"test": compared.comparison.num_clusters}, compared.comparison.cluster)
    return table


def classes(compared: "Compared") -> Table:
    """Recall and F1 of each class: the second minus the first in points."""
    comparison = compared.comparison
    table = _table("", "support", "recall", "F1", title="per class: difference in points (95 % interval)")
    for label, support in comparison.support.items():
        recall, f1 = (_cells(differences[label])[2] for differences in (comparison.recall, comparison.f1))
        table.add_row(label, str(support), recall, f1)
    return table


def seeds(compared: "Compared") -> Table | None:
    """Mean and standard deviation over the seeds of each experiment; None where both are single runs."""
    several = [side for side in (compared.first, compared.second) if len(side.runs) > 1 and side.is_tested]
    if not several:
        return None
    table = _table("", "seeds", *[f"{title} %" for title in SCORES.values()], title="mean ± standard deviation")
    for side in several:
        values = [f"{100 * side.mean(score):.1f} ± {100 * side.deviation(score):.1f}" for score in SCORES]
        table.add_row(escape(side.name), ", ".join(map(str, sorted(side.seeds))), *values)
    return table


def mcnemar(compared: "Compared") -> str | None:
    """The four counts and the p-value, in a line; None without a test."""
    test = compared.comparison.mcnemar
    if test is None:
        return None
    from emokit.report.wording import p_value

    first, second = compared.names
    return (
        f"correct: both {test.both}, only {first} {test.only_first}, only {second} {test.only_second}, "
        f"neither {test.neither}; McNemar's test ({test.test}): {p_value(test.p)}"
    )


def _cells(difference: "Difference") -> tuple[str, str, str]:
    from emokit.report.comparison.compare import points_with_interval
    from emokit.report.wording import percent, points

    change = f"{points(difference.difference)} ({TOO_FEW})" if difference.too_few else points_with_interval(difference)
    return (
        percent(difference.first),
        percent(difference.second),
        f"[bold]{change}[/bold]" if difference.is_certain else change,
    )
