"""From corpora on disk to a prepared folder: find utterances, map labels, read audio, split, check for leaks, write.

Nothing is dropped silently: whatever was found and is not in the table is in the ledger, with the reason.
"""

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas
import yaml

from emokit.data.audio_io.decode import Extractor, File, find_file, read_files
from emokit.data.audio_io.reading import Reading
from emokit.data.audio_io.segments import Segment
from emokit.data.label_choice import doubtful
from emokit.data.ledger import Ledger
from emokit.data.plan import Plan, PreparedSettings
from emokit.data.prepared import FINGERPRINT, LEDGER, SETTINGS, Prepared, features_folder, fingerprint_of, open_prepared
from emokit.data.recordings import ROOTS, recording_path, stored_roots
from emokit.data.sources.rows import labelled, none_usable, read_source, with_audio, without_audio
from emokit.data.splits.folds import assign_folds, chosen_fold
from emokit.data.splits.policies import OF_ALL_CORPORA, Division, drops_repeated_texts, note_fold, read_divisions
from emokit.data.store import SHARD_ROWS, FeatureStore, write_shard
from emokit.data.transcripts import to_transcribe, with_transcripts
from emokit.data.utterance import TABLE, Utterance, write_table
from emokit.errors import DataError, UsageError
from emokit.files import explained_disk_errors, is_empty, refuse_links, write_json, write_text
from emokit.labels import LabelSet
from emokit.locks import locked
from emokit.settings import read_yaml_mapping

Progress = Callable[[int, int], None]
"""(files read, files to read)"""
Utterances = dict[str, list[tuple[Utterance, str]]]
"""Corpus -> its utterances, each with its label."""


OF_RUNS = ("modality", "experiment", "kind")  # keys in the settings of runs and sweeps, not of prepared folders


def prepare(
    plan: Plan,
    out: Path,
    extractor: Extractor,
    *,
    num_workers: int = 1,
    force: bool = False,
    progress: Progress | None = None,
    transcribing: Progress | None = None,
) -> Prepared:
    """Make a prepared folder, or resume one that was interrupted.

    Args:
        plan: corpora with their roots, label set, feature settings, split settings.
        out: the prepared folder.
        extractor: computes the features that `plan.features` describe.
        num_workers: number of decoding processes.
        force: rebuild an `out` that was prepared with different settings (matching features are kept).
        progress: called with (files read, files to read).
        transcribing: called with (recordings transcribed, recordings to transcribe).

    Raises:
        UsageError: `out` was prepared with different settings, a label map leads outside the label set, or a split policy
            cannot be applied (all of this is checked before any audio is read).
        DataError: a root holds no utterance of its corpus, or a raw label has no entry in the label map. With several
            corpora, such a corpus is recorded in the ledger as failed and the others are prepared.
        WorkError: the disk is full or `out` cannot be written.
    """
    divisions = read_divisions(plan.corpora, plan.split, plan.folds)
    by_text = [corpus.name for corpus in plan.corpora if drops_repeated_texts(corpus)]
    if plan.labels.labels:  # else they are known once all is read
        _check_out(out, plan.settings(plan.labels.labels, divisions), force=force)
    utterances, ledger = _read(plan, divisions, alone=len(plan.corpora) == 1)
    settings = plan.settings(ledger.labels, divisions)
    _check_out(out, settings, force=force)
    if not utterances:
        raise DataError(" ".join(ledger.failed.values()))
    _count_to_transcribe(plan, utterances)
    tables = _tables(plan, utterances, ledger.labels)
    _split(plan, divisions, tables, Ledger(ledger.labels))
    # Writing begins only now, so that a wrong root or split creates no folder and leaves a complete one complete.
    with locked(out):
        _begin(out, settings, stored_roots({corpus.name: corpus.root for corpus in plan.corpora if corpus.root}))
        store = _read_audio(plan, out, utterances, extractor, num_workers, progress)
        table = _usable(plan, divisions, utterances, store, ledger, by_text)
        if plan.recogniser:
            table = with_transcripts(table, plan.corpora, plan.recogniser, out, ledger, transcribing)
        _write(plan, out, settings, table, ledger)
    return open_prepared(out)


def _read(plan: Plan, divisions: dict[str, Division], *, alone: bool) -> tuple[Utterances, Ledger]:
    """What the corpora have, with labels, and the ledger of what is left out; no audio is read."""
    ledger = Ledger()
    in_sources: dict[str, list[Utterance]] = {}
    for corpus in plan.corpora:
        with ledger.failures_of(corpus.name, alone=alone):
            in_sources[corpus.name] = read_source(corpus, ledger)
    if not in_sources:
        return {}, ledger
    counts = Counter[str]()
    for reasons in ledger.dropped.values():
        counts.update({reason: len(names) for reason, names in reasons.items()})
    ledger.labels = plan.labels.label_set(plan.corpora, in_sources, counts)
    for corpus in plan.corpora:
        for sentence in doubtful(ledger.labels) if corpus.keeps_raw_labels else ():
            ledger.note(corpus.name, sentence)
    utterances: Utterances = {}
    for corpus in plan.corpora:
        if corpus.name in in_sources:
            with ledger.failures_of(corpus.name, alone=alone):
                rows = list(labelled(corpus, in_sources.pop(corpus.name), ledger))
                if not rows:
                    raise DataError(none_usable(corpus))
                utterances[corpus.name] = divisions[corpus.name].listed(rows, ledger)
    return utterances, ledger


def _usable(
    plan: Plan,
    divisions: dict[str, Division],
    utterances: Utterances,
    store: FeatureStore,
    ledger: Ledger,
    by_text: list[str],
) -> pandas.DataFrame:
    """The utterances that can be used, split; what must not be in train is dropped."""
    tables = {}
    for corpus in plan.corpora:
        if corpus.name not in utterances:
            continue
        with ledger.failures_of(corpus.name, alone=len(plan.corpora) == 1):
            tables[corpus.name] = with_audio(corpus, utterances[corpus.name], store, ledger)
            ledger.flag_uncommon_rates(corpus.name, tables[corpus.name])
    if not tables:
        raise DataError(" ".join(ledger.failed.values()))
    table = _split(plan, divisions, tables, ledger)
    return ledger.drop_leaks(ledger.drop_ties(ledger.flag_identical(table)), by_text)


def _write(plan: Plan, out: Path, settings: PreparedSettings, table: pandas.DataFrame, ledger: Ledger) -> None:
    """Write the table, the ledger and, last, the fingerprint."""
    table["flags"] = ledger.flags_of(table["utterance_id"])
    for corpus in plan.corpora:
        if corpus.name not in ledger.failed:
            ledger.close(corpus, table[table["corpus"] == corpus.name])
    write_table(table, ledger.labels, out / TABLE)
    write_json(out / LEDGER, ledger.as_dict(table))
    write_text(out / FINGERPRINT, fingerprint_of(settings.as_dict(), table) + "\n")


def survey(plan: Plan) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Count what `prepare` would find by names alone: no audio is read and nothing is written.

    Returns:
        corpus -> its counts; and corpus that cannot be prepared -> its error.
    """
    divisions = read_divisions(plan.corpora, plan.split, plan.folds)
    utterances, ledger = _read(plan, divisions, alone=False)
    counts: dict[str, dict[str, Any]] = {}
    for name, rows in utterances.items():
        labels = Counter(label for _, label in rows)
        dropped = sum(len(names) for names in ledger.dropped[name].values())
        counts[name] = {
            "found": len(rows) + dropped,
            "dropped": dropped,
            "labels": {label: labels[label] for label in ledger.labels},
        }
    for name, number in _count_to_transcribe(plan, utterances).items():
        counts[name]["to_transcribe"] = number
    tables = _tables(plan, utterances, ledger.labels)
    if tables:
        _split(plan, divisions, tables, Ledger(ledger.labels))
    return counts, ledger.failed


def _count_to_transcribe(plan: Plan, utterances: Utterances) -> dict[str, int]:
    """Corpus -> number of its utterances to transcribe; empty without a recogniser.

    Raises:
        UsageError: a corpus is in a language that the recogniser does not know.
    """
    if plan.recogniser is None:
        return {}
    pending = {name: to_transcribe(utterance for utterance, _ in rows) for name, rows in utterances.items()}
    plan.recogniser.check(utterance.language for rows in pending.values() for utterance in rows)
    return {name: len(rows) for name, rows in pending.items()}


def _tables(plan: Plan, utterances: Utterances, labels: LabelSet) -> dict[str, pandas.DataFrame]:
    """Corpus -> its utterances by their annotations alone, where it has some."""
    rows = {corpus.name: (corpus, utterances.get(corpus.name)) for corpus in plan.corpora}
    return {name: without_audio(corpus, annotated, labels) for name, (corpus, annotated) in rows.items() if annotated}


def _split(
    plan: Plan, divisions: dict[str, Division], tables: dict[str, pandas.DataFrame], ledger: Ledger
) -> pandas.DataFrame:
    """The tables of the corpora in one, with `split` and `fold` by their policies; the ledger notes the chosen folds."""
    assigned = [divisions[name].assign(table, plan.split, ledger) for name, table in tables.items()]
    table = pandas.concat(assigned, ignore_index=True)
    if any(division.policy == OF_ALL_CORPORA for division in divisions.values()):
        table = assign_folds(table, OF_ALL_CORPORA, plan.split)
        tested = chosen_fold(table, OF_ALL_CORPORA, plan.split)
        note_fold(ledger, tested, table, OF_ALL_CORPORA, plan.split)
    return table


def _check_out(out: Path, settings: PreparedSettings, *, force: bool) -> None:
    """Check that `out` is new, empty, incomplete, or was prepared with these settings, and has no links in it."""
    if any(os.path.lexists(out / name) for name in (FINGERPRINT, SETTINGS)):
        refuse_links(out)
    before = read_yaml_mapping(out / SETTINGS) if (out / SETTINGS).exists() else {}
    if not before.keys().isdisjoint(OF_RUNS):  # its settings have the same name
        raise UsageError(f"{out} is the folder of a run or a sweep, not a prepared one; name another --out.")
    if (out / FINGERPRINT).exists():
        before.pop(ROOTS, None)
        changed = _first_difference(before, settings.as_dict())
        if changed and not force:
            raise UsageError(
                f"{out} was made with other settings ({changed}); name another --out, or add --force to rebuild it."
            )
    elif out.is_dir() and not (out / SETTINGS).exists() and not is_empty(out):
        raise UsageError(f"{out} holds files that emokit did not make; name an empty or a new folder with --out.")
    elif out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; name a folder with --out.")


def _begin(out: Path, settings: PreparedSettings, roots: dict[str, str]) -> None:
    """Mark `out` as incomplete and write its settings."""
    with explained_disk_errors(out):
        (out / FINGERPRINT).unlink(missing_ok=True)
    write_text(out / SETTINGS, settings.as_yaml() + yaml.safe_dump({ROOTS: roots}, allow_unicode=True))


def _read_audio(
    plan: Plan,
    out: Path,
    utterances: Utterances,
    extractor: Extractor,
    num_workers: int,
    progress: Progress | None,
) -> FeatureStore:
    """Read every audio file that is new or changed, and open the store that then holds all of them."""
    folder = features_folder(out, plan.features)
    with explained_disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    store = FeatureStore(folder)
    files: list[File] = []
    total = 0
    for corpus in plan.corpora:
        for utterance, _ in utterances.get(corpus.name, ()):
            if utterance.path is not None and corpus.root is not None:
                total += 1
                segment = Segment.of(utterance.start_seconds, utterance.end_seconds)
                file = find_file(utterance.utterance_id, recording_path(corpus.root, utterance.path), segment)
                if not store.is_current(file.utterance_id, file.size, file.changed_ns):
                    files.append(file)
    readings: list[Reading] = []
    done = total - len(files)
    try:
        for reading in read_files(files, extractor, num_workers):
            readings.append(reading)
            done += 1
            if progress:
                progress(done, total)
            if len(readings) >= SHARD_ROWS:
                full, readings = readings, []
                write_shard(folder, full)
    finally:
        # After Ctrl-C too: the readings so far are stored, and the next `prepare` resumes after them.
        if readings:
            write_shard(folder, readings)
    return FeatureStore(folder)


def _first_difference(before: dict[str, Any], now: dict[str, Any], prefix: str = "") -> str | None:
    """The first key, by name, in which two nested settings differ: `a.b = 1, now 2`, or `without a.c`."""
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
