"""Output of `emokit fuse-search`: joined utterances, the table of fusion methods, and the uncertainty of the weights."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.table import Table

from emokit.cli.tables import TOO_FEW, intervals_over
from emokit.fusion.late.wording import SCORE_NAMES
from emokit.schema.metrics import FEWEST_CLUSTERS


def joined(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """One line per split: the number of utterances used, of all, and of those that lack a modality."""
    lines = []
    for split, numbers in counts.items():
        lacking = ", ".join(
            f"{number} {key}" for key, number in numbers.items() if key.startswith("lacking") and number
        )
        detail = f" ({lacking})" if lacking else ""
        lines.append(f"{split}: {numbers['used']} of {numbers['all']} utterances used{detail}")
    return lines


def declared(sentences: str) -> list[str]:
    """The line on what must be stated with the scores; none where there is nothing."""
    return [f"To be declared with the scores: {sentences}."] if sentences else []


def methods_table(fusion: Mapping[str, Any]) -> Table:
    """Per fusion method its score out of fold on dev and on test, the difference to the best single modality, and its weights."""
    objective = fusion["settings"]["objective"]
    scale, form = (1, "{:.3f}") if objective == "nll" else (100, "{:.1f}")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("", no_wrap=True)
    for column in ("dev, out of fold", "test", f"test minus {fusion['best_single']} alone", "weights"):
        table.add_column(column)

    def cell(score: float, interval: list[float], split: str, sign: str = "") -> str:
        low, high = (form.format(scale * bound) for bound in interval)
        bracket = f"{low} to {high}" if fusion["clusters"][split] >= FEWEST_CLUSTERS else TOO_FEW
        return f"[bold]{form.replace(':', ':' + sign).format(scale * score)}[/bold] ({bracket})"

    for method in fusion["fusion_methods"]:
        dev, test = method["dev"][objective], method["test"][objective]
        weights = " ".join(f"{weight:.2f}" for weight in method.get("weights", ()))
        table.add_row(
            method["title"],
            cell(dev["score"], dev["interval"], "dev"),
            cell(test["score"], test["interval"], "test"),
            "" if method["name"] == "single" else cell(test["difference"], test["difference_interval"], "test", "+"),
            f"{weights} {method.get('pooling', '')}".strip(),
            style="" if method["name"] == fusion["choice"] else "dim",
        )
    unit = "" if objective == "nll" else ", %"
    table.title = f"{SCORE_NAMES[objective]}{unit}; weights of {', '.join(fusion['modalities'])}"
    table.caption = intervals_over(fusion["clusters"], fusion["cluster"])
    return table


def uncertainty(fusion: Mapping[str, Any]) -> list[str]:
    """Lines on the number of points searched, the best weights with their intervals, the plateau, and the temperatures."""
    search, bootstrap, plateau = fusion["search"], fusion["bootstrap"], fusion["grid"]["plateau"]
    steps = sum(search["best"])
    extent = "every point" if search["exact"] else f"coarse to fine, of {search['points']:,}"
    few = fusion["clusters"]["dev"] < FEWEST_CLUSTERS
    weights = ", ".join(
        f"{name} {weight / steps:.3g} ({TOO_FEW if few else f'{low:.3g} to {high:.3g}'})"
        for name, weight, (low, high) in zip(fusion["modalities"], search["best"], bootstrap["weights"], strict=True)
    )
    temperatures = ", ".join(f"{name} {entry['temperature']:.2f}" for name, entry in fusion["calibration"].items())
    low, high = bootstrap["interval"]
    return [
        f"searched: {search['evaluated']:,} points ({extent}); best on dev, {search['pooling']} pooling: {weights}",
        *(
            []
            if few
            else [
                f"plateau: {sum(plateau):,} of {len(plateau):,} points of that pooling do not differ significantly from the best"
            ]
        ),
        f"optimism of the best score, {search['score']:.4f}, over {bootstrap['resamples']:,} resamples: "
        f"{bootstrap['optimism']:.4f}; corrected {bootstrap['corrected']:.4f} ({TOO_FEW if few else f'{low:.4f} to {high:.4f}'})",
        f"temperatures: {temperatures}",
    ]
