"""Render runs, comparisons, sweeps and figures as one HTML file that fetches nothing from the network.

A number taken from a run is written as `<data value="…" data-key="…">`, exact in `value`, rounded in the text.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from emokit.data.utterance import HELD_OUT
from emokit.report import wording
from emokit.report.comparison.compare import Compared
from emokit.report.comparison.ranking import Standing
from emokit.report.figures.style import Drawing, for_dark
from emokit.report.page import provenance
from emokit.report.page.mistakes import Detail
from emokit.report.read_runs import Run, Unread
from emokit.report.read_sweeps import Searched, plain
from emokit.runtime import VERSION
from emokit.schema.ledger import Ledger
from emokit.schema.metrics import FEWEST_CLUSTERS

FIGURES = "figures"
SCORES = {
    "uar": "UAR, %",
    "accuracy": "Accuracy, %",
    "weighted_f1": "Weighted F1, %",
    "macro_f1": "Macro F1, %",
    "nll": "NLL, nats",
    "ece": "ECE, %",
}


@dataclass(frozen=True)
class Picture:
    """A drawing, its caption and the stem of its files in `figures/`."""

    stem: str
    caption: str
    drawing: Drawing

    @property
    def light(self) -> str:
        """The SVG as a data URI."""
        return _data_uri(self.drawing.svg)

    @property
    def dark(self) -> str:
        """The SVG in colours for a dark background, as a data URI."""
        return _data_uri(for_dark(self.drawing.svg))


@dataclass(frozen=True)
class Data:
    """A prepared data set and the runs made from it."""

    fingerprint: str
    ledger: Ledger | None
    runs: tuple[Run, ...]


def render(
    standings: Sequence[Standing],
    unread: Sequence[Unread],
    pictures: Mapping[str, Sequence[Picture]],
    details: Mapping[str, Detail],
    compared: Sequence[Compared] = (),
    searched: Sequence[Searched] = (),
) -> str:
    """Render the page.

    Args:
        standings: experiments, the best first.
        unread: folders that could not be read; each gets a row with the reason.
        pictures: slug of a run or sweep, or `compare/1`, -> its figures, in the order shown.
        details: slug of a run -> the rest of its section; a run without details appears in the ranking only.
        compared: comparisons, each with a section of its own.
        searched: sweeps, each with a section of its own.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        name: getattr(wording, name)
        for name in ("percent", "three_decimals", "thousands", "duration", "counted", "listed", "points", "p_value")
    }
    runs = [run for standing in standings for run in standing.experiment.runs]
    return environment.get_template("page.html.j2").render(
        standings=standings,
        runs=runs,
        unread=unread,
        pictures=pictures,
        details=details,
        compared=compared,
        searched=searched,
        setting=plain,
        sections={run.slug: f"run-{number}" for number, run in enumerate(runs, start=1) if run.slug in details},
        has_audio=any(mistake.audio for detail in details.values() for mistake in detail.mistakes),
        data=data_of(runs),
        headline=wording.headline(standings, unread) if standings else [],
        splits=HELD_OUT,
        scores=SCORES,
        baselines=list(
            dict.fromkeys(name for run in runs for split in run.metrics.splits.values() for name in split.baselines)
        ),
        published={run.slug: provenance.published(run) for run in runs},
        differing=provenance.differing_settings(runs),
        clusters=wording.clusters,
        min_clusters=FEWEST_CLUSTERS,
        flat=provenance.flat,
        commands=provenance.commands,
        outline=provenance.outline,
        circumstances=provenance.circumstances,
        version=VERSION,
    )


def data_of(runs: Sequence[Run]) -> list[Data]:
    """The prepared data sets of the runs, each once."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        ledger = run.ledger.model_dump_json() if run.ledger else ""
        groups.setdefault((run.fingerprint, ledger), []).append(run)
    return [Data(group[0].fingerprint, group[0].ledger, tuple(group)) for group in groups.values()]


def _data_uri(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
