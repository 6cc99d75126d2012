"""From corpora on disk to a prepared folder: find, relabel, look into the sound, split, check for leaks, write.

Nothing is lost in silence: whatever was found and is not in the table stands in the ledger with its reason.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas
import yaml

from emokit.data.audio_io.decode import Extractor, File, find_file, read_files
from emokit.data.audio_io.reading import Reading
from emokit.data.catalogue import Corpus
from emokit.data.ledger import Ledger
from emokit.data.prepared import FINGERPRINT, LEDGER, SETTINGS, Prepared, features_folder, open_prepared
from emokit.data.sources.rows import labelled, named, with_audio
from emokit.data.splits.draw import SplitSettings
from emokit.data.splits.folds import assign_folds, chosen_fold
from emokit.data.splits.policies import OF_ALL_CORPORA, Division, drops_repeated_texts, note_fold, read_divisions
from emokit.data.store import SHARD_ROWS, FeatureStore, write_shard
from emokit.data.utterance import COLUMNS, TABLE, Utterance, write_table
from emokit.errors import DataError, UsageError
from emokit.files import explained_disk_errors, write_json, write_text
from emokit.labels import DEFAULT_LABELS, LabelSet
from emokit.settings import Settings, read_yaml_mapping

Progress = Callable[[int, int], None]


class PreparedSettings(Settings):
    """What a prepared folder was made with, as `settings.yaml` holds it; there the roots stand beside it.

    The roots are no part of it, since moving a corpus changes nothing.
    """

    labels: tuple[str, ...]
    """The label set, in its order."""
    corpora: dict[str, Any]
    """Per corpus: its labels, options and split policy."""
    splits: SplitSettings
    """Shares, seed and fold of the splits."""
    features: dict[str, Any]
    """The settings of the features."""


@dataclass(frozen=True)
class Plan:
    """What `prepare` was asked to do."""

    corpora: tuple[Corpus, ...]
    features: Settings
    split: SplitSettings
    folds: Path | None = None
    """A clone of EmoBox, for the policies that read its lists."""
    labels: LabelSet = DEFAULT_LABELS
    """The label set that the labels of the corpora are mapped to."""

    def settings(self, divisions: dict[str, Division]) -> PreparedSettings:
        """What identifies the result."""
        return PreparedSettings(
            labels=self.labels,
            corpora={
                corpus.name: {
                    "labels": corpus.labels,
                    "options": corpus.options,
                    "split": divisions[corpus.name].identity,
                }
                for corpus in self.corpora
            },
            splits=self.split,
            features=self.features.as_dict(),
        )


def prepare(
    plan: Plan,
    out: Path,
    extractor: Extractor,
    *,
    num_workers: int = 1,
    force: bool = False,
    progress: Progress | None = None,
) -> Prepared:
    """Make a prepared folder, or go on with one that was interrupted.

    Args:
        plan: corpora with their roots, feature settings, split settings.
        out: the prepared folder.
        extractor: computes the features that `plan.features` describe.
        num_workers: processes that decode.
        force: an `out` that was made with other settings is made anew (features that fit are kept).
        progress: called with (files read, files to read).

    Raises:
        UsageError: `out` was made with other settings, or a split policy cannot be met (known before any sound is read).
        DataError: a root holds nothing of its corpus, or a raw label has no entry in the label map; where several corpora
            were asked for, such a one is entered in the ledger as failed and the others are prepared.
        WorkError: the disk is full or `out` cannot be written.
    """
    divisions = read_divisions(plan.corpora, plan.split, plan.folds)
    by_text = [corpus.name for corpus in plan.corpora if drops_repeated_texts(corpus)]
    settings = plan.settings(divisions)
    _refuse_other(out, settings, force=force)
    ledger = Ledger()
    found = {}
    for corpus in plan.corpora:
        with ledger.failures_of(corpus.name, alone=len(plan.corpora) == 1):
            found[corpus.name] = divisions[corpus.name].listed(list(labelled(corpus, ledger)), ledger)
    if not found:
        raise DataError(" ".join(ledger.failed.values()))
    _divided(plan, divisions, {name: named(rows) for name, rows in found.items() if rows}, Ledger())
    # Only now, so that a wrong root or split leaves nothing behind and a finished folder finished.
    _begin(out, settings, {corpus.name: str(corpus.root) for corpus in plan.corpora})
    store = _read_sound(plan, out, found, extractor, num_workers, progress)
    tables = {}
    for corpus in plan.corpora:
        if corpus.name not in found:
            continue
        with ledger.failures_of(corpus.name, alone=len(plan.corpora) == 1):
            tables[corpus.name] = with_audio(corpus, found[corpus.name], store, ledger)
            ledger.flag_uncommon_rates(corpus.name, tables[corpus.name])
    if not tables:
        raise DataError(" ".join(ledger.failed.values()))
    table = _divided(plan, divisions, tables, ledger)
    table = ledger.drop_leaks(ledger.flag_identical(table), by_text)
    table["flags"] = ledger.flags_of(table["utterance_id"])
    for corpus in plan.corpora:
        if corpus.name not in ledger.failed:
            ledger.close(corpus, table[table["corpus"] == corpus.name])
    write_table(table, plan.labels, out / TABLE)
    write_json(out / LEDGER, ledger.as_dict(table))
    write_text(out / FINGERPRINT, fingerprint(settings, table) + "\n")
    return open_prepared(out)


def survey(plan: Plan) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """What `prepare` would find, by names alone: no sound is opened and nothing is written.

    Returns:
        per corpus its counts; and per corpus that cannot be prepared, why.
    """
    divisions = read_divisions(plan.corpora, plan.split, plan.folds)
    counts: dict[str, dict[str, Any]] = {}
    tables = {}
    ledger = Ledger()
    for corpus in plan.corpora:
        with ledger.failures_of(corpus.name, alone=False):
            found = divisions[corpus.name].listed(list(labelled(corpus, ledger)), ledger)
            labels = [label for _, label in found]
            if found:
                tables[corpus.name] = named(found)
            dropped = sum(len(names) for names in ledger.dropped[corpus.name].values())
            counts[corpus.name] = {
                "found": len(labels) + dropped,
                "dropped": dropped,
                "labels": {label: labels.count(label) for label in plan.labels},
            }
    if tables:
        _divided(plan, divisions, tables, Ledger())
    return counts, ledger.failed


def _divided(
    plan: Plan, divisions: dict[str, Division], tables: dict[str, pandas.DataFrame], ledger: Ledger
) -> pandas.DataFrame:
    """The tables of the corpora in one, with `split` and `fold` by their policies; what is chosen is noted."""
    parts = [divisions[name].assign(table, plan.split, ledger) for name, table in tables.items()]
    table = pandas.concat(parts, ignore_index=True)
    if any(division.policy == OF_ALL_CORPORA for division in divisions.values()):
        table = assign_folds(table, OF_ALL_CORPORA, plan.split)
        tested = chosen_fold(table, OF_ALL_CORPORA, plan.split)
        note_fold(ledger, tested, table, OF_ALL_CORPORA, plan.split)
    return table


def fingerprint(settings: PreparedSettings, table: pandas.DataFrame) -> str:
    """One SHA-256 over the settings and over every row, its recording included; the order of the rows plays no part."""
    rows = table[[*COLUMNS, "recording"]].sort_values("utterance_id").to_json(orient="records", double_precision=6)
    return hashlib.sha256((json.dumps(settings.as_dict(), sort_keys=True) + rows).encode()).hexdigest()


def _refuse_other(out: Path, settings: PreparedSettings, *, force: bool) -> None:
    """See that `out` is new, empty, unfinished, or was made with these settings."""
    if (out / FINGERPRINT).exists():
        before = read_yaml_mapping(out / SETTINGS)
        before.pop("roots", None)
        changed = _first_difference(before, settings.as_dict())
        if changed and not force:
            raise UsageError(
                f"{out} was made with other settings ({changed}); name another --out, or add --force to make it anew."
            )
    elif out.is_dir() and not (out / SETTINGS).exists() and any(out.iterdir()):
        raise UsageError(f"{out} holds files that emokit did not make; name an empty or a new folder with --out.")
    elif out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; name a folder with --out.")


def _begin(out: Path, settings: PreparedSettings, roots: dict[str, str]) -> None:
    """Take the mark of completeness off while `out` is worked on, and write down what it is made with."""
    with explained_disk_errors(out):
        (out / FINGERPRINT).unlink(missing_ok=True)
    write_text(out / SETTINGS, settings.as_yaml() + yaml.safe_dump({"roots": roots}, allow_unicode=True))


def _read_sound(
    plan: Plan,
    out: Path,
    found: dict[str, list[tuple[Utterance, str]]],
    extractor: Extractor,
    num_workers: int,
    progress: Progress | None,
) -> FeatureStore:
    """Read every sound file that is new or changed, and open the store that then holds them all."""
    folder = features_folder(out, plan.features)
    with explained_disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    store = FeatureStore(folder)
    wanted: list[File] = []
    total = 0
    for corpus in plan.corpora:
        for utterance, _ in found.get(corpus.name, ()):
            if utterance.path is not None and corpus.root is not None:
                total += 1
                file = find_file(utterance.utterance_id, corpus.root / utterance.path)
                if not store.is_current(file.utterance_id, file.size, file.changed_ns):
                    wanted.append(file)
    readings: list[Reading] = []
    done = total - len(wanted)
    try:
        for reading in read_files(wanted, extractor, num_workers):
            readings.append(reading)
            done += 1
            if progress:
                progress(done, total)
            if len(readings) >= SHARD_ROWS:
                full, readings = readings, []
                write_shard(folder, full)
    finally:
        # Also when Ctrl-C ends it here: what was read is kept, and the next `prepare` goes on after it.
        if readings:
            write_shard(folder, readings)
    return FeatureStore(folder)


def _first_difference(before: dict[str, Any], now: dict[str, Any], prefix: str = "") -> str | None:
    """The first thing, by name, in which two nested settings differ: `a.b = 1, now 2`, or `without a.c`."""
    for key in sorted(before.keys() | now.keys()):
        if key not in before or key not in now:
            return f"{'with' if key in before else 'without'} {prefix}{key}"
        old, new = before[key], now[key]
        if isinstance(old, dict) and isinstance(new, dict):
            inner = _first_difference(old, new, f"{prefix}{key}.")
            if inner:
                return inner
        elif old != new:
            return f"{prefix}{key} = {json.dumps(old)}, now {json.dumps(new)}"
    return None
