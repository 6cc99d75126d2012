"""Calibration of one run: its accuracy at each confidence, with the number of utterances per bin."""

import numpy
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emokit.metrics import NUM_BINS, calibration_bins, quality
from emokit.predictions import Predictions
from emokit.report.figures.style import BLUE, FAINT, VERMILLION, Drawing, drawing
from emokit.report.wording import counted


def reliability(predictions: Predictions, split: str) -> Drawing:
    """Plot accuracy over mean confidence in each of 15 bins; perfect calibration lies on the diagonal.

    The expected calibration error is the mean distance to the diagonal, weighted by the counts below the diagram.
    """
    calibration = quality(predictions.probabilities, predictions.targets)
    bins = calibration["bins"]
    numbers = calibration_bins(numpy.array([confidence for _, confidence, _ in bins])).tolist()
    rows = [(number / NUM_BINS, (number + 1) / NUM_BINS, *entry) for number, entry in zip(numbers, bins, strict=True)]
    confidences, accuracies = [confidence for _, confidence, _ in bins], [accuracy for _, _, accuracy in bins]

    def draw(figure: Figure) -> None:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        above.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, zorder=0)
        above.vlines(confidences, confidences, accuracies, color=VERMILLION, linewidth=1.1)
        above.plot(confidences, accuracies, "o-", color=BLUE, markersize=3.5, linewidth=0.9, clip_on=False)
        above.set(xlim=(0, 1), ylim=(0, 1))
        above.set_title(f"accuracy; lines: gap to the confidence, ECE {100 * calibration['ece']:.1f} %")
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

    num_utterances = len(predictions.table)
    alt_text = (
        f"Reliability on {split}: accuracy over confidence in {counted(len(rows), 'bin')} of {num_utterances} utterances; "
        f"expected calibration error {100 * calibration['ece']:.1f} %."
    )
    return drawing(draw, 3.0, alt_text, ("bin_low", "bin_high", "count", "confidence", "accuracy"), rows)
