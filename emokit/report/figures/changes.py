"""The figure of a comparison: how much the recall of each class changes, with its interval."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from emokit.report.comparison.paired import Difference
from emokit.report.figures.style import BLUE, FAINT, INK, Drawing, drawing


def changes(recall: Mapping[str, Difference], support: Mapping[str, int], first: str, second: str) -> Drawing:
    """Recall of the second less that of the first, in points; a filled dot where it is told apart from zero."""
    labels = list(recall)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.axvline(0, color=INK, linewidth=0.7)
        for position, label in enumerate(labels):
            own = recall[label]
            if own.difference is None:
                continue
            if own.interval:
                low, high = (100 * bound for bound in own.interval)
                axes.plot([low, high], [position, position], color=BLUE, linewidth=1.6, alpha=0.5)
            fill = BLUE if own.is_certain else "none"
            axes.plot([100 * own.difference], [position], "o", color=BLUE, markerfacecolor=fill, markersize=4.8)
        axes.set(ylim=(len(labels) - 0.5, -0.5), xlabel="recall, difference in points")
        axes.set_yticks(range(len(labels)), [f"{label} ({support[label]})" for label in labels], parse_math=False)
        axes.tick_params(axis="y", length=0, colors=INK)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color=FAINT, linewidth=0.5)
        axes.set_axisbelow(True)

    shows = (
        f"Recall of each class by {second} less that by {first}, in points, with 95 % intervals; "
        "a filled dot is told apart from zero."
    )
    header = ("label", "support", "recall_first", "recall_second", "difference", "low", "high")
    rows = [
        (label, support[label], own.first, own.second, own.difference, *(own.interval or (None, None)))
        for label, own in recall.items()
    ]
    return drawing(draw, 2.5, shows, header, rows)
