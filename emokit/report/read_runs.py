"""Reads run folders for the report; a folder that cannot be read becomes one sentence."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from emokit import runs
from emokit.data.utterance import HELD_OUT
from emokit.errors import DataError, EmokitError, UsageError
from emokit.files import read_json
from emokit.predictions import Predictions
from emokit.read_files import in_words
from emokit.run_predictions import read_split
from emokit.schema.base import check
from emokit.schema.fusion import FUSION, Fusion
from emokit.schema.ledger import Ledger
from emokit.schema.metrics import Metrics, Split
from emokit.settings import checked_name

MAX_SLUG_LENGTH = 60


@dataclass(frozen=True)
class Run:
    """One complete run.

    Attributes:
        folder: as the user named it.
        slug: prefix of its figures' file names; unique in the report and safe on any file system.
        epochs: the lines of its log, in order; empty where nothing was trained (a fused run).
        ledger: of the data it was trained on; None where the folder has none.
        predictions: split -> path of its table, for the tables that exist.
        fusion: of a fused run; None for the others.
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
        """The name of its folder."""
        return self.folder.resolve().name

    @property
    def test(self) -> Split | None:
        """The scores that it is ranked by."""
        return self.metrics.splits.get("test")

    @property
    def fingerprint(self) -> str:
        """The fingerprint of its data; empty where the folder does not record it."""
        return str(self.environment.get("data_fingerprint") or "")

    @cached_property
    def tested(self) -> Predictions:
        """Its predictions on test.

        Raises:
            DataError: the table is missing, damaged, or not the one that its scores were computed from.
        """
        if "test" not in self.predictions:
            raise DataError(
                f"{self.folder} has no predictions/test.parquet, so it cannot be compared utterance by utterance; "
                "make the run again."
            )
        return read_split(self.folder, "test")


@dataclass(frozen=True)
class Unread:
    """A folder that is not a complete, undamaged run, and the sentence that says so."""

    folder: Path
    sentence: str

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.folder.resolve().name


def gather(folders: Iterable[Path]) -> tuple[list[Run], list[Unread]]:
    """Read run folders, the best test UAR first; a folder named twice counts once.

    Returns:
        The runs, and the folders that could not be read.

    Raises:
        UsageError: no folder was named.
        DataError: none of them could be read.
    """
    complete: list[Run] = []
    unread: list[Unread] = []
    slugs: set[str] = set()
    for folder in {folder.resolve(): folder for folder in folders}.values():
        try:
            run = read_run(folder, slug_of(folder, slugs))
        except EmokitError as error:
            unread.append(Unread(folder, str(error)))
        else:
            if complete and run.metrics.labels != complete[0].metrics.labels:
                unread.append(Unread(folder, other_label_set(run, complete[0])))
                continue
            slugs.add(run.slug)
            complete.append(run)
    if not complete and not unread:
        raise UsageError("No run folder was named; name one or more, as `emokit train` makes them with --run.")
    if not complete:
        first = unread[0].sentence
        raise DataError(
            first if len(unread) == 1 else f"None of {len(unread)} folders could be read; the first: {first}"
        )
    return sorted(complete, key=lambda run: (-run.test.uar if run.test else 1.0, run.slug)), unread


def other_label_set(run: Run, first: Run) -> str:
    """The sentence on a run whose label set differs from that of the first."""
    labels, first_labels = (", ".join(each.metrics.labels) for each in (run, first))
    return (
        f"{run.folder} has the labels {labels}, but {first.folder} has {first_labels}; "
        "report runs with different label sets separately, or compare two with --compare --map OLD=NEW."
    )


def read_run(folder: Path, slug: str) -> Run:
    """Read one run folder.

    Raises:
        EmokitError: the folder is missing, not a run, incomplete, or one of its files is damaged.
    """
    try:
        metrics = check(Metrics, runs.read_metrics(folder), folder / runs.METRICS)
        settings, environment = runs.read_settings(folder), runs.read_environment(folder)
        _check_metrics(metrics, settings, folder)
        _check_name(settings, folder)
        ledger, fusion = folder / runs.LEDGER, folder / FUSION
        tables = {split: folder / runs.PREDICTIONS / f"{split}.parquet" for split in HELD_OUT}
        return Run(
            folder=folder,
            slug=slug,
            settings=settings,
            environment=environment,
            epochs=runs.read_log(folder),
            metrics=metrics,
            ledger=check(Ledger, read_json(ledger), ledger) if ledger.exists() else None,
            predictions={split: table for split, table in tables.items() if table.is_file()},
            # Only a fused run has a verdict, and what it says stands in this file.
            fusion=check(Fusion, read_json(fusion), fusion) if fusion.exists() or metrics.verdict else None,
        )
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{folder} cannot be read ({in_words(error)}); make the run again, or leave it out.") from error


def _check_metrics(metrics: Metrics, settings: Mapping[str, Any], folder: Path) -> None:
    """Refuse scores of nothing, and those of another modality than the run's."""
    again = "make the run again, or leave it out"
    if not metrics.splits:
        raise DataError(f"{folder / runs.METRICS} has the scores of no split; {again}.")
    if metrics.modality and metrics.modality != settings.get("modality", metrics.modality):
        raise DataError(
            f"{folder / runs.METRICS} has the modality {metrics.modality} and {runs.SETTINGS} has {settings['modality']}; "
            f"{again}."
        )


def _check_name(settings: Mapping[str, Any], folder: Path) -> None:
    """Refuse a name that no settings could have had: it stands in pages and tables."""
    if (name := settings.get("name")) is None:
        return
    try:
        checked_name(name if isinstance(name, str) else "")
    except ValueError as error:
        raise DataError(
            f"{folder / runs.SETTINGS} has name = {name!r}, but it {error}; make the run again, or leave it out."
        ) from error


def slug_of(folder: Path, taken: set[str]) -> str:
    """A slug for a folder's figures that is not taken yet."""
    plain = re.sub(r"[^a-z0-9_]+", "-", folder.resolve().name.lower()).strip("-")[:MAX_SLUG_LENGTH] or "run"
    number = 1
    slug = plain
    while slug in taken:
        number += 1
        slug = f"{plain}-{number}"
    return slug
