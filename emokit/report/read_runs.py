"""Run folders read into what the page shows; a folder that cannot be read becomes one sentence."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from emokit import predictions, runs
from emokit.data.utterance import HELD_OUT
from emokit.errors import DataError, EmokitError, UsageError
from emokit.files import read_json
from emokit.predictions import Predictions
from emokit.schema.base import check
from emokit.schema.fusion import FUSION, Fusion
from emokit.schema.ledger import Ledger
from emokit.schema.metrics import Metrics, Split


@dataclass(frozen=True)
class Run:
    """One complete run.

    Attributes:
        folder: as it was named.
        slug: what its figures are named after: unique in the report, and safe in a file name on any system.
        epochs: the lines of its log, in order; none where nothing was trained (a fused run).
        ledger: of the data it was trained on; None where the folder has none.
        predictions: split -> the table that is there.
        fusion: what a fused run found; None for the others.
    """

    folder: Path
    slug: str
    settings: dict[str, Any]
    environment: dict[str, Any]
    epochs: list[dict[str, Any]]
    metrics: Metrics
    ledger: Ledger | None
    predictions: dict[str, Path]
    fusion: Fusion | None = None

    @property
    def name(self) -> str:
        """What the page calls it: the name of its folder."""
        return self.folder.resolve().name

    @property
    def test(self) -> Split | None:
        """The scores it is ranked by."""
        return self.metrics.splits.get("test")

    @property
    def fingerprint(self) -> str:
        """Which data it was made from; empty where the folder does not say."""
        return str(self.environment.get("data_fingerprint") or "")

    @cached_property
    def tested(self) -> Predictions:
        """What it says of each utterance of test.

        Raises:
            DataError: the folder has no such table, or a damaged one.
        """
        if "test" not in self.predictions:
            raise DataError(
                f"{self.folder} has no predictions/test.parquet, so it cannot be compared utterance by utterance; "
                "make the run again."
            )
        return predictions.read(self.predictions["test"])


@dataclass(frozen=True)
class Unread:
    """A folder that is no run, or a broken or unfinished one, and the sentence that says so."""

    folder: Path
    sentence: str

    @property
    def name(self) -> str:
        """What the page calls it."""
        return self.folder.resolve().name


def gather(folders: Iterable[Path]) -> tuple[list[Run], list[Unread]]:
    """Read run folders, the best test UAR first; a folder named twice counts once.

    Returns:
        The runs, and the folders that could not be read.

    Raises:
        UsageError: no folder was named.
        DataError: none of them could be read.
    """
    found: list[Run] = []
    unread: list[Unread] = []
    slugs: set[str] = set()
    for folder in {folder.resolve(): folder for folder in folders}.values():
        try:
            run = read_run(folder, slug_of(folder, slugs))
        except EmokitError as error:
            unread.append(Unread(folder, str(error)))
        else:
            if found and run.metrics.labels != found[0].metrics.labels:
                unread.append(Unread(folder, other_classes(run, found[0])))
                continue
            slugs.add(run.slug)
            found.append(run)
    if not found and not unread:
        raise UsageError("No run folder was named; name one or more, as `emokit train` makes them with --run.")
    if not found:
        first = unread[0].sentence
        raise DataError(
            first if len(unread) == 1 else f"None of {len(unread)} folders could be read; the first: {first}"
        )
    return sorted(found, key=lambda run: (-run.test.uar if run.test else 1.0, run.slug)), unread


def other_classes(run: Run, first: Run) -> str:
    """The sentence on a run that tells other classes apart than those that it is to stand beside."""
    here, there = (", ".join(one.metrics.labels) for one in (run, first))
    return f"{run.folder} tells {here} apart and {first.folder} {there}; report runs of other classes on a page of their own."


def read_run(folder: Path, slug: str) -> Run:
    """Read one run folder.

    Raises:
        EmokitError: it is not there, no run, not complete, or a file of it is damaged.
    """
    try:
        metrics = check(Metrics, runs.read_metrics(folder), folder / runs.METRICS)
        environment = runs.read_environment(folder)
        if not isinstance(environment, dict):
            raise DataError(f"{folder / runs.ENVIRONMENT} holds no mapping; make the run again, or leave it out.")
        ledger, fusion = folder / runs.LEDGER, folder / FUSION
        return Run(
            folder=folder,
            slug=slug,
            settings=runs.read_settings(folder),
            environment=environment,
            epochs=runs.read_log(folder),
            metrics=metrics,
            ledger=check(Ledger, read_json(ledger), ledger) if ledger.exists() else None,
            predictions={
                split: table
                for split in HELD_OUT
                if (table := folder / runs.PREDICTIONS / f"{split}.parquet").is_file()
            },
            fusion=check(Fusion, read_json(fusion), fusion) if fusion.exists() else None,
        )
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{folder} cannot be read ({error}); make the run again, or leave it out.") from error


def slug_of(folder: Path, taken: set[str]) -> str:
    """What a folder's figures are named after: none that is taken."""
    plain = re.sub(r"[^a-z0-9_]+", "-", folder.resolve().name.lower()).strip("-")[:60] or "run"
    number = 1
    slug = plain
    while slug in taken:
        number += 1
        slug = f"{plain}-{number}"
    return slug
