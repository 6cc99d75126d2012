"""What a fusion came to, in one line of words."""

from collections.abc import Mapping
from typing import Any

NAMES = {
    "weighted_f1": "weighted F1",
    "macro_f1": "macro F1",
    "uar": "unweighted average recall",
    "accuracy": "accuracy",
    "nll": "negative log-likelihood",
}


def verdict(found: Mapping[str, Any]) -> str:
    """Whether fusion helps, and on what evidence: the paired difference to the best single modality on test.

    Args:
        found: what `fusion.json` holds.
    """
    objective, best = found["settings"]["objective"], found["best_single"]
    if len(found["modalities"]) == 1:
        return (
            f"There is one modality only, {best}, so nothing was fused: its own predictions, calibrated, are written."
        )
    rung = next(step for step in found["ladder"] if step["name"] == found["choice"])
    sign = -1 if objective == "nll" else 1  # of a likelihood lost, less is better
    test, dev = rung["test"][objective], rung["dev"][objective]
    low, high = sorted(sign * bound for bound in test["difference_interval"])
    if low > 0:
        said = "Fusion helps"
    elif high < 0:
        said = f"Fusion hurts, use {best} alone"
    else:
        said = "It is not shown that fusion helps"
    unit = "nats" if objective == "nll" else "points"
    change = _amount(abs(test["difference"]), objective).lstrip("+")
    where = "above" if test["difference"] > 0 else "below"
    away = f"{change} {unit} {where} that of {best} alone" if test["difference"] else f"that of {best} alone"
    low_said, high_said, of_dev = (
        _amount(value, objective) for value in (*test["difference_interval"], dev["difference"])
    )
    zero = ", which contains zero" if low <= 0 <= high else ""
    return (
        f"{said}: on test the {NAMES[objective]} of {rung['title']} is {away} "
        f"(95 % interval {low_said} to {high_said} over {found['clusters']['test']} {found['cluster']}s{zero}); "
        f"out of fold on dev the difference is {of_dev}."
    )


def _amount(value: float, objective: str) -> str:
    return f"{value:+.3f}" if objective == "nll" else f"{100 * value:+.1f}"
