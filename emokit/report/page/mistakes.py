"""The most confident mistakes of a run, with transcripts and audio where the prepared folder and the corpora exist."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas
import pyarrow.parquet

from emokit import runs
from emokit.data.audio_io.segments import Segment
from emokit.data.prepared import open_recordings, read_fingerprint
from emokit.data.recordings import Recordings
from emokit.data.utterance import TABLE
from emokit.errors import DataError, EmokitError
from emokit.files import refuse_links
from emokit.report.read_runs import Run
from emokit.safe_text import from_spreadsheet_cell

MAX_ENTRIES = 8


@dataclass(frozen=True)
class Mistake:
    """One test utterance that the run predicts wrongly.

    Attributes:
        confidence: the probability of the predicted label, 0 to 1.
        text: the transcript; empty if unknown.
        audio: the address of the audio file relative to the page; empty if there is none.
        problem: why its audio file is not played, in a sentence.
    """

    utterance_id: str
    label: str
    predicted: str
    confidence: float
    text: str = ""
    audio: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Source:
    """The utterances of a prepared folder.

    Attributes:
        rows: utterance id -> its `text`, `corpus` and `path`.
        recordings: where its recordings are.
    """

    rows: dict[Any, dict[Any, Any]]
    recordings: Recordings


@dataclass(frozen=True)
class Detail:
    """What a run's section shows in addition to its `metrics.json`.

    Attributes:
        mistakes: the most confident ones on test.
        has_source: whether the prepared folder was found.
        problem: why there are no mistakes to show, in a sentence.
        num_label_issues: rows of `label_issues.csv`; `label_issues` are the first.
    """

    mistakes: Sequence[Mistake] = ()
    has_source: bool = False
    problem: str = ""
    num_label_issues: int = 0
    label_issues: Sequence[dict[str, Any]] = ()


def details(runs: Iterable[Run], others: Iterable[Run], page_folder: Path) -> dict[str, Detail]:
    """Slug of each run -> its details.

    Args:
        runs: the runs that have a section.
        others: all runs, any of which may name the prepared folder of the same data.
        page_folder: the folder of the page.
    """
    sources_by_fingerprint = sources(others)
    details_by_slug = {}
    for run in runs:
        source = sources_by_fingerprint.get(run.fingerprint)
        num_issues, first_issues = label_issues(run)
        try:
            wrong, problem = mistakes(run, source, page_folder), ""
        except DataError as error:
            wrong, problem = [], str(error)
        details_by_slug[run.slug] = Detail(wrong, source is not None, problem, num_issues, first_issues)
    return details_by_slug


def sources(runs: Iterable[Run]) -> dict[str, Source]:
    """Fingerprint -> prepared folder, for each folder that a run names and that is unchanged since."""
    sources_by_fingerprint: dict[str, Source] = {}
    for run in runs:
        folder = run.environment.get("data")
        if isinstance(folder, str) and run.fingerprint and run.fingerprint not in sources_by_fingerprint:
            try:
                source = _read(Path(folder), run.fingerprint)
            # Transcripts and audio are optional: a prepared folder that cannot be read is left out.
            except (EmokitError, OSError, ValueError, KeyError):
                continue
            if source:
                sources_by_fingerprint[run.fingerprint] = source
    return sources_by_fingerprint


def mistakes(run: Run, source: Source | None, page_folder: Path) -> list[Mistake]:
    """The wrong predictions of a run on test, the most confident first.

    Args:
        run: a run with predictions on test.
        source: its prepared folder, if found.
        page_folder: the folder of the page.

    Raises:
        DataError: the predictions are missing or damaged.
    """
    predictions = run.tested
    probabilities = predictions.probabilities
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    ids = predictions.table["utterance_id"]
    wrong = sorted((predicted != predictions.targets).nonzero()[0], key=lambda row: (-confidence[row], ids[row]))
    entries = []
    for row in wrong[:MAX_ENTRIES]:
        utterance = source.rows.get(ids[row], {}) if source else {}
        audio, problem = _player(source, ids[row], page_folder) if source else ("", "")
        entries.append(
            Mistake(
                utterance_id=ids[row],
                label=predictions.table["label"][row],
                predicted=predictions.labels[predicted[row]],
                confidence=float(confidence[row]),
                text=utterance.get("text") or "",
                audio=audio,
                problem=problem,
            )
        )
    return entries


def label_issues(run: Run) -> tuple[int, Sequence[dict[str, Any]]]:
    """The number of label issues in a run's `label_issues.csv`, and the first of them; none without a readable file."""
    columns = ["utterance_id", "label", "p_label", "predicted", "p_predicted", "text"]
    try:
        table = pandas.read_csv(run.folder / runs.LABEL_ISSUES, usecols=columns, dtype=str, keep_default_na=False)
        table = table.astype({"p_label": float, "p_predicted": float})
    except (OSError, ValueError):
        return 0, []
    first = table.head(MAX_ENTRIES).to_dict("records")
    return len(table), [{str(column): from_spreadsheet_cell(value) for column, value in row.items()} for row in first]


def _read(folder: Path, fingerprint: str) -> Source | None:
    refuse_links(folder)
    if read_fingerprint(folder) != fingerprint:
        return None
    columns = ["utterance_id", "corpus", "text", "path"]
    file = (folder / TABLE).absolute()
    columns += [name for name in ("start_seconds", "end_seconds") if name in pyarrow.parquet.read_schema(file).names]
    table = pandas.read_parquet(file, columns=columns)
    recordings = open_recordings(folder, table)
    table = table.set_index("utterance_id").astype(object)
    return Source(table.where(table.notna(), None).to_dict("index"), recordings)


def _player(source: Source, utterance_id: str, page_folder: Path) -> tuple[str, str]:
    """The address of an utterance's recording, and why a file that is there is not played."""
    row = source.rows.get(utterance_id, {})
    corpus, path = row.get("corpus"), row.get("path")
    if not isinstance(corpus, str) or corpus not in source.recordings.roots or not isinstance(path, str):
        return "", ""
    root, file = Path(source.recordings.roots[corpus]), source.recordings.path(corpus, path)
    # The file may be a link to a place outside of the root; its path may not lead there.
    if not file.is_relative_to(root) or ".." in file.relative_to(root).parts or not file.is_file():
        return "", ""
    file = root.resolve() / file.relative_to(root)
    try:
        source.recordings.check(utterance_id, file)
    except DataError as error:
        return "", str(error)
    segment = source.recordings.segments.get(utterance_id)
    return _address(file, page_folder.resolve()) + (_fragment(segment) if segment else ""), ""


def _fragment(segment: Segment) -> str:
    """The part of a file that a player plays (https://www.w3.org/TR/media-frags)."""
    end = "" if segment.end_seconds is None else f",{segment.end_seconds:g}"
    return f"#t={segment.start_seconds:g}{end}"


def _address(file: Path, page: Path) -> str:
    """The address of a file in the page; relative if it lies beside the report, so that both can be moved together."""
    if file.is_relative_to(page.parent):
        return quote(os.fsencode(Path(os.path.relpath(file, page)).as_posix()))
    return file.as_uri()
