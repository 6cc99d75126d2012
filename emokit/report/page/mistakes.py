"""The most confident mistakes of a run, with their words and their sound where the prepared folder and the corpora are there."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

import pandas

from emokit.data.prepared import FINGERPRINT, SETTINGS
from emokit.data.utterance import TABLE
from emokit.errors import DataError, EmokitError
from emokit.labels import LABELS
from emokit.report.read_runs import Run
from emokit.settings import read_yaml_mapping

MOST = 8


@dataclass(frozen=True)
class Mistake:
    """One utterance of test that the run got wrong.

    Attributes:
        confidence: how probable it found its own guess, from 0 to 1.
        text: what was said or written; empty where it is not known.
        sound: the address of the sound as seen from the page; empty where there is none.
    """

    utterance_id: str
    label: str
    predicted: str
    confidence: float
    text: str = ""
    sound: str = ""


@dataclass(frozen=True)
class Source:
    """What a prepared folder says of its utterances.

    Attributes:
        rows: utterance id -> its `text` and `path`.
        roots: corpus -> the folder that it lies in.
    """

    rows: dict[Any, dict[Any, Any]] = field(default_factory=dict)
    roots: dict[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Detail:
    """What a run's section shows beside its `metrics.json`.

    Attributes:
        mistakes: the most confident ones on test.
        has_source: whether the prepared folder was there, with words and sound.
        problem: why there are no mistakes to show, in a sentence.
        num_doubts: labels of dev that the run doubts, of which `doubts` are the first.
    """

    mistakes: Sequence[Mistake] = ()
    has_source: bool = False
    problem: str = ""
    num_doubts: int = 0
    label_issues: Sequence[dict[str, Any]] = ()


def details(runs: Iterable[Run], others: Iterable[Run], page_folder: Path) -> dict[str, Detail]:
    """The slug of each run -> its details.

    Args:
        runs: those with a section of their own.
        others: all runs, any of which may name the prepared folder of the same data.
        page_folder: the folder that the page will lie in.
    """
    known = sources(others)
    found = {}
    for run in runs:
        source = known.get(run.fingerprint)
        num_doubts, some = label_issues(run)
        try:
            wrong, problem = mistakes(run, source, page_folder), ""
        except DataError as error:
            wrong, problem = [], str(error)
        found[run.slug] = Detail(wrong, source is not None, problem, num_doubts, some)
    return found


def sources(runs: Iterable[Run]) -> dict[str, Source]:
    """Fingerprint -> its prepared folder, for those that a run names and that are still there as they were."""
    found: dict[str, Source] = {}
    for run in runs:
        folder = run.environment.get("data")
        if isinstance(folder, str) and run.fingerprint and run.fingerprint not in found:
            try:
                source = _read(Path(folder), run.fingerprint)
            # Words and sound are an extra: what cannot be read is left out.
            except (EmokitError, OSError, ValueError, KeyError):
                continue
            if source:
                found[run.fingerprint] = source
    return found


def mistakes(run: Run, source: Source | None, page_folder: Path) -> list[Mistake]:
    """The wrong guesses of a run on test, the most confident first.

    Args:
        run: with predictions of test.
        source: of its data, if it is there.
        page_folder: the folder that the page will lie in.

    Raises:
        DataError: the predictions are missing or damaged.
    """
    found = run.tested
    probabilities = found.probabilities
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    ids, corpora = found.table["utterance_id"], found.table["corpus"]
    wrong = sorted((predicted != found.targets).nonzero()[0], key=lambda row: (-confidence[row], ids[row]))
    listed = []
    for row in wrong[:MOST]:
        own = source.rows.get(ids[row], {}) if source else {}
        root = source.roots.get(str(corpora[row])) if source else None
        listed.append(
            Mistake(
                utterance_id=ids[row],
                label=found.table["label"][row],
                predicted=LABELS[predicted[row]],
                confidence=float(confidence[row]),
                text=own.get("text") or "",
                sound=_address(root, own.get("path"), page_folder),
            )
        )
    return listed


def label_issues(run: Run) -> tuple[int, Sequence[dict[str, Any]]]:
    """The number of label issues in a run's `label_issues.csv`, and the first of them; none without the file."""
    path = run.folder / "label_issues.csv"
    columns = ["utterance_id", "label", "p_label", "predicted", "p_predicted", "text"]
    try:
        table = pandas.read_csv(path, usecols=columns, dtype=str, keep_default_na=False)
        table = table.astype({"p_label": float, "p_predicted": float})
    except (OSError, ValueError):
        return 0, []
    return len(table), [{str(key): value for key, value in row.items()} for row in table.head(MOST).to_dict("records")]


def _read(folder: Path, fingerprint: str) -> Source | None:
    if (folder / FINGERPRINT).read_text(encoding="utf-8").strip() != fingerprint:
        return None
    table = pandas.read_parquet(folder / TABLE, columns=["utterance_id", "text", "path"]).set_index("utterance_id")
    table = table.astype(object).where(table.notna(), None)
    roots = read_yaml_mapping(folder / SETTINGS).get("roots") or {}
    return Source(table.to_dict("index"), {name: Path(root) for name, root in roots.items() if root})


def _address(root: Path | None, path: Any, page_folder: Path) -> str:
    """A file of a corpus as the page names it: relative where it lies beside the report, so that both can be moved together."""
    if root is None or not isinstance(path, str):
        return ""
    top, page = root.resolve(), page_folder.resolve()
    file = (top / PurePosixPath(path)).resolve()
    if not (file.is_relative_to(top) and file.is_file()):
        return ""
    if file.is_relative_to(page.parent):
        return quote(Path(os.path.relpath(file, page)).as_posix())
    return file.as_uri()
