"""The figure of a comparison: change in recall per class, with 95 % intervals."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from emokit.report.comparison.paired import Difference
from emokit.report.figures.style import BLUE, FAINT, INK, Drawing, drawing


def changes(recall: Mapping[str, Difference], support: Mapping[str, int], first: str, second: str) -> Drawing:
    """Recall by the second minus recall by the first, in points; a filled dot marks a significant difference."""
    labels = list(recall)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.axvline(0, color=INK, linewidth=0.7)
        for position, label in enumerate(labels):
            change = recall[label]
            if change.difference is None:
                continue
            if change.interval:
                low, high = (100 * bound for bound in change.interval)
                axes.plot([low, high], [position, position], color=BLUE, linewidth=1.6, alpha=0.5)
            fill = BLUE if change.is_certain else "none"
            axes.plot([100 * change.difference], [position], "o", color=BLUE, markerfacecolor=fill, markersize=4.8)
        axes.set(ylim=(len(labels) - 0.5, -0.5), xlabel="difference in recall, points")
        axes.set_yticks(range(len(labels)), [f"{label} ({support[label]})" for label in labels], parse_math=False)
        axes.tick_params(axis="y", length=0, colors=INK)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color=FAINT, linewidth=0.5)
        axes.set_axisbelow(True)

    alt_text = (
        f"Recall of each class by {second} minus recall by {first}, in points, with 95 % intervals; "
        "a filled dot marks a significant difference."
    )
    header = ("label", "support", "recall_first", "recall_second", "difference", "low", "high")
    rows = [
        (label, support[label], change.first, change.second, change.difference, *(change.interval or (None, None)))
        for label, change in recall.items()
    ]
    return drawing(draw, 2.5, alt_text, header, rows)
