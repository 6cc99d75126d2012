"""From what a reader found to rows of the table: the label by the map, the facts by the sound; the rest into the ledger."""

import importlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pandas

from emokit.data.audio_io.read import ADVICE, LFS_POINTER
from emokit.data.catalogue import Corpus
from emokit.data.ledger import Ledger
from emokit.data.sources.scan import UNKNOWN_NAME
from emokit.data.store import FeatureStore
from emokit.data.utterance import COLUMNS, Dropped, Utterance
from emokit.errors import DataError, UsageError

# The readers of sound by corpus, for telling a person which corpus a folder looks like.
READERS = ("crema_d", "emodb", "esd", "jl_corpus", "meld", "ravdess", "savee", "tess")

FIELDS = [field.name for field in fields(Utterance) if field.name != "flags"]

SEVERAL_CLASSES = "labels of several classes"


def labelled(corpus: Corpus, ledger: Ledger) -> Iterator[tuple[Utterance, str]]:
    """The utterances of a corpus whose raw label the map turns into one of the seven; the rest goes into the ledger.

    Raises:
        UsageError: the corpus has no root.
        DataError: nothing of the corpus is there, or the map lacks a raw label.
    """
    if corpus.root is None:
        raise UsageError(f"{corpus.name} has no root; name its folder with --root {corpus.name}=DIR.")
    reader = importlib.import_module(f"emokit.data.sources.corpora.{corpus.name}")
    unknown: dict[str, str] = {}
    found = 0
    for item in reader.read(corpus.root, corpus.options):
        if isinstance(item, Dropped):
            ledger.drop(corpus.name, item.name, item.reason, item.detail)
            continue
        found += 1
        # A row that several raters gave several labels is written `anger+annoyance`.
        raw_labels = item.raw_label.split("+")
        missing = [raw for raw in raw_labels if raw not in corpus.labels]
        if missing:
            unknown.setdefault(missing[0], item.utterance_id)
            continue
        labels = {corpus.labels[raw] for raw in raw_labels}
        label = labels.pop()
        if labels:
            ledger.drop(corpus.name, item.utterance_id, SEVERAL_CLASSES, item.raw_label)
        elif label is None:
            ledger.drop(corpus.name, item.utterance_id, f"label {item.raw_label} is left out")
        else:
            for flag in item.flags:
                ledger.flag(corpus.name, item.utterance_id, flag)
            yield item, label
    if unknown:
        named = ", ".join(f"{raw} (as in {name})" for raw, name in sorted(unknown.items()))
        raise DataError(
            f"{corpus.name} has raw labels that its map lacks: {named}; "
            "add them to its labels in a file of your own, given with --datasets."
        )
    if not found:
        raise DataError(_nothing_found(corpus, ledger))
    ledger.recognised[corpus.name] = found


def with_audio(
    corpus: Corpus, found: list[tuple[Utterance, str]], store: FeatureStore, ledger: Ledger
) -> pandas.DataFrame:
    """One row per utterance that is of use, with what its sound says of itself; the others go into the ledger.

    Where a corpus's text counts without its sound (MELD), a row whose clip is of no use keeps its text and loses its path.

    Raises:
        DataError: nothing of use is left.
    """
    rows = []
    troubles: Counter[str] = Counter()
    facts = dict(zip(store.facts.index, store.facts.to_dict("records"), strict=True))
    for utterance, label in found:
        fact = facts[utterance.utterance_id] if utterance.path is not None else None
        trouble = _trouble(corpus, fact) if fact else None
        if trouble and "bad_clips" in corpus.options:
            ledger.flag(corpus.name, utterance.utterance_id, f"text only, its clip is {trouble}")
            if fact and fact["detail"]:
                ledger.details[utterance.utterance_id] = fact["detail"]
            utterance, fact = replace(utterance, path=None), None
        elif trouble and fact:
            ledger.drop(corpus.name, utterance.utterance_id, trouble, fact["detail"])
            troubles[trouble] += 1
            continue
        if fact and fact["num_channels"] > 1:
            ledger.repair(corpus.name, utterance.utterance_id, f"{fact['num_channels']} channels, averaged")
        row = {name: getattr(utterance, name) for name in FIELDS}
        row |= {"label": label, "duration_seconds": None, "sample_rate": None, "recording": None}
        if fact:
            row |= {name: fact[name] for name in ("duration_seconds", "sample_rate", "recording")}
        rows.append(row)
    if not rows:
        raise DataError(_nothing_of_use(corpus, troubles))
    return _typed(rows)


def named(found: list[tuple[Utterance, str]]) -> pandas.DataFrame:
    """One row per utterance with what names and annotations say of it; its sound is not opened."""
    return _typed(
        [{name: getattr(utterance, name) for name in FIELDS} | {"label": label} for utterance, label in found]
    )


def _typed(rows: list[dict[str, Any]]) -> pandas.DataFrame:
    """A table whose columns have a type: one without a value, such as the sentences of MELD, is still one of text."""
    table = pandas.DataFrame(rows)
    return table.astype({name: COLUMNS.get(name, "string") for name in table.columns})


def _trouble(corpus: Corpus, fact: dict[str, Any]) -> str | None:
    """Why a clip is of no use, as a short phrase; None where it is of use."""
    if fact["bad"]:
        return str(fact["bad"])
    if corpus.options.get("bad_clips") == "drop":
        seconds, shortest, longest = (
            fact["duration_seconds"],
            corpus.options["min_duration_seconds"],
            corpus.options["max_duration_seconds"],
        )
        if seconds < shortest:
            return f"shorter than {shortest:g} s"
        if seconds > longest:
            return f"longer than {longest:g} s"
    return None


def _nothing_of_use(corpus: Corpus, troubles: Counter[str]) -> str:
    """The sentence for a corpus that was found and of which no row is left."""
    if not troubles:
        return (
            f"{corpus.name}: {corpus.root} holds only labels that are left out; "
            f"see what becomes of them with `emokit prepare {corpus.name} --show-labels`."
        )
    reason, _ = troubles.most_common(1)[0]
    advice = ADVICE[LFS_POINTER] if reason == LFS_POINTER else "fetch the corpus again, whole"
    num_utterances = "1 utterance" if troubles.total() == 1 else f"{troubles.total()} utterances"
    return (
        f"{corpus.name}: {corpus.root} has {num_utterances} of the wanted labels and none with usable sound "
        f"({reason}); {advice}."
    )


def _nothing_found(corpus: Corpus, ledger: Ledger) -> str:
    """The sentence for a root without a single utterance of its corpus, with a guess at what it holds instead."""
    reasons_of_all = ledger.dropped[corpus.name]
    reason = max(reasons_of_all, key=lambda one: len(reasons_of_all[one]), default=UNKNOWN_NAME)
    if reason != UNKNOWN_NAME:
        return (
            f"{corpus.name}: {corpus.root} holds nothing that can be used ({len(reasons_of_all[reason])} left out: "
            f"{reason}); mend --root {corpus.name}, or the options of {corpus.name} in a file given with --datasets."
        )
    names = [Path(name).stem for names_of_one in reasons_of_all.values() for name in names_of_one]
    for other in READERS:
        stem = importlib.import_module(f"emokit.data.sources.corpora.{other}").STEM
        if other != corpus.name and sum(bool(stem.fullmatch(name)) for name in names) > len(names) / 2:
            nearest_name = f"they are named like {other}: use --root {other}={corpus.root}"
            break
    else:
        nearest_name = f"expected {corpus.title}: mend --root {corpus.name}"
    num_files = "1 file" if len(names) == 1 else f"{len(names)} files"
    held = f"{num_files}, none named like {corpus.name}" if names else "no sound files"
    return f"{corpus.name}: {corpus.root} holds {held}; {nearest_name}."
