"""Calibration of one run: how often it is right at each confidence, with the number of utterances behind each point."""

import math

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emokit.fusion.late.calibrate import quality
from emokit.metrics import NUM_BINS
from emokit.predictions import Predictions
from emokit.report.figures.style import BLUE, FAINT, VERMILLION, Drawing, drawing
from emokit.report.wording import counted


def reliability(found: Predictions, split: str) -> Drawing:
    """Share right over mean confidence in each of 15 bins; on the diagonal, confidence is honest.

    The expected calibration error is the mean distance to the diagonal, weighted by the counts below.
    """
    own = quality(found.probabilities, found.targets)
    rows = []
    for count, confidence, right in own["bins"]:
        # The bins are half-open, ((k-1)/15, k/15]; what falls on a bound by rounding belongs below it.
        place = max(math.ceil(round(confidence * NUM_BINS, 5)) - 1, 0)
        rows.append((place / NUM_BINS, (place + 1) / NUM_BINS, count, confidence, right))

    def draw(figure: Figure) -> None:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        above.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, zorder=0)
        x, y = [row[3] for row in rows], [row[4] for row in rows]
        above.vlines(x, x, y, color=VERMILLION, linewidth=1.1)
        above.plot(x, y, "o-", color=BLUE, markersize=3.5, linewidth=0.9, clip_on=False)
        above.set(xlim=(0, 1), ylim=(0, 1))
        above.set_title(f"share right; distance to the confidence: ECE {100 * own['ece']:.1f} %")
        below.bar(
            [row[0] for row in rows],
            [row[2] for row in rows],
            width=1 / NUM_BINS,
            align="edge",
            color=BLUE,
            edgecolor="none",
            alpha=0.75,
        )
        below.set_title("utterances")
        below.set_xlabel("confidence")
        below.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))

    shows = (
        f"Reliability on {split}: share right over confidence in {counted(len(rows), 'bin')} of {len(found.table)} utterances; "
        f"expected calibration error {100 * own['ece']:.1f} %."
    )
    return drawing(draw, 3.0, shows, ("bin_low", "bin_high", "count", "confidence", "right"), rows)
