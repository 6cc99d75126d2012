"""What `emokit fuse-search` shows on a terminal: what was joined, the ladder, how sure the weights are."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.table import Table

from emokit.fusion.late.wording import NAMES


def joined(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """One line per split: how many utterances there are, are used, and lack a modality."""
    lines = []
    for split, own in counts.items():
        lacking = ", ".join(f"{number} {what}" for what, number in own.items() if what.startswith("lacking") and number)
        lines.append(f"{split}: {own['used']} of {own['all']} utterances used" + (f" ({lacking})" if lacking else ""))
    return lines


def ladder(found: Mapping[str, Any]) -> Table:
    """Every rung: its weights, its score out of fold on dev and on test, and the difference to the best single modality."""
    objective = found["settings"]["objective"]
    scale, form = (1, "{:.3f}") if objective == "nll" else (100, "{:.1f}")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("", no_wrap=True)
    for column in ("dev, out of fold", "test", f"test, less {found['best_single']} alone", "weights"):
        table.add_column(column)

    def said(score: float, interval: list[float], sign: str = "") -> str:
        low, high = (form.format(scale * bound) for bound in interval)
        return f"[bold]{form.replace(':', ':' + sign).format(scale * score)}[/bold] ({low} to {high})"

    for rung in found["ladder"]:
        dev, test = rung["dev"][objective], rung["test"][objective]
        weights = " ".join(f"{weight:.2f}" for weight in rung.get("weights", ()))
        table.add_row(
            rung["title"],
            said(dev["score"], dev["interval"]),
            said(test["score"], test["interval"]),
            "" if rung["name"] == "single" else said(test["difference"], test["difference_interval"], "+"),
            f"{weights} {rung.get('pooling', '')}".strip(),
            style="" if rung["name"] == found["choice"] else "dim",
        )
    table.title = (
        f"{NAMES[objective]}{'' if objective == 'nll' else ', %'}; weights of {', '.join(found['modalities'])}"
    )
    table.caption = "in brackets: 95 % intervals over " + " and ".join(
        f"{number} {found['cluster']}s ({split})" for split, number in found["clusters"].items()
    )
    return table


def certainty(found: Mapping[str, Any]) -> list[str]:
    """How many points were searched, how sure the best is, and the temperatures."""
    search, sure, plateau = found["search"], found["bootstrap"], found["grid"]["plateau"]
    steps = sum(search["best"])
    how = "every point" if search["exact"] else f"coarse to fine, of {search['points']:,}"
    weights = ", ".join(
        f"{name} {weight / steps:.3g} ({low:.3g} to {high:.3g})"
        for name, weight, (low, high) in zip(found["modalities"], search["best"], sure["weights"], strict=True)
    )
    temperatures = ", ".join(f"{name} {own['temperature']:.2f}" for name, own in found["calibration"].items())
    return [
        f"searched: {search['evaluated']:,} points ({how}); best on dev, {search['pooling']} pooling: {weights}",
        f"{sum(plateau):,} of {len(plateau):,} points of that pooling cannot be told apart from the best; "
        f"the score of the best, {search['score']:.4f}, is {sure['optimism']:.4f} too high by {sure['resamples']:,} "
        f"resamples: {sure['corrected']:.4f} ({sure['interval'][0]:.4f} to {sure['interval'][1]:.4f})",
        f"temperatures: {temperatures}",
    ]
