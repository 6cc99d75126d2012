"""The verdict on a fusion in one sentence, and what must be stated with it."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy

from emokit.fusion.late.inputs import Panel
from emokit.schema.metrics import FEWEST_CLUSTERS

SCORE_NAMES = {
    "weighted_f1": "weighted F1",
    "macro_f1": "macro F1",
    "uar": "unweighted average recall",
    "accuracy": "accuracy",
    "nll": "negative log-likelihood",
}


def verdict(fusion: Mapping[str, Any]) -> str:
    """Whether fusion helps, by the paired difference to the best single modality on test.

    Args:
        fusion: the content of `fusion.json`.
    """
    objective, best = fusion["settings"]["objective"], fusion["best_single"]
    if len(fusion["modalities"]) == 1:
        return f"Only one modality was given, {best}, so nothing was fused; the run has its calibrated predictions."
    method = next(entry for entry in fusion["fusion_methods"] if entry["name"] == fusion["choice"])
    sign = -1 if objective == "nll" else 1  # a lower negative log-likelihood is better
    test, dev = method["test"][objective], method["dev"][objective]
    low, high = sorted(sign * bound for bound in test["difference_interval"])
    num_clusters, cluster = fusion["clusters"]["test"], fusion["cluster"]
    too_few = num_clusters < FEWEST_CLUSTERS
    if too_few:
        conclusion = f"Too few {cluster}s to say whether fusion helps"
    elif low > 0:
        conclusion = "Fusion helps"
    elif high < 0:
        conclusion = f"Fusion hurts, so use {best} alone"
    else:
        conclusion = "No significant gain from fusion"
    unit = "nats" if objective == "nll" else "points"
    change = _amount(abs(test["difference"]), objective).lstrip("+")
    direction = "above" if test["difference"] > 0 else "below"
    position = f"{change} {unit} {direction} {best} alone" if test["difference"] else f"that of {best} alone"
    low_text, high_text, dev_text = (
        _amount(value, objective) for value in (*test["difference_interval"], dev["difference"])
    )
    zero = ", which contains zero" if low <= 0 <= high else ""
    over = f"over {num_clusters} {cluster}{'' if num_clusters == 1 else 's'}"
    interval = f"95 % interval {low_text} to {high_text} {over}{zero}"
    if too_few:
        interval = f"{over}, and a 95 % interval needs {FEWEST_CLUSTERS} or more"
    return (
        f"{conclusion}: on test the {SCORE_NAMES[objective]} of {method['title']} is {position} "
        f"({interval}); "
        f"out of fold on dev the difference is {dev_text}."
    )


def equal_modalities(panels: Mapping[str, Panel]) -> list[str]:
    """A sentence, without a full stop, for each two modalities whose predictions are equal to the bit."""
    names = next(iter(panels.values())).names
    return [
        f"{names[first]} and {names[second]} have the same predictions, so their weights cannot be told apart and "
        "their fusion gains nothing"
        for first, second in combinations(range(len(names)), 2)
        if all(
            numpy.array_equal(values[first], values[second])
            for panel in panels.values()
            for values in (panel.probabilities, panel.present)
        )
    ]


def _amount(value: float, objective: str) -> str:
    return f"{value:+.3f}" if objective == "nll" else f"{100 * value:+.1f}"
