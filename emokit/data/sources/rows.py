"""From the utterances of a reader to rows of the table: labels by the label map, facts from the audio; all else in the ledger."""

import importlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pandas

from emokit.data.audio_io.faults import ADVICE, LFS_POINTER
from emokit.data.catalogue import SYNTHESISED_FILE, Corpus
from emokit.data.download.corpus import COMPLETED
from emokit.data.label_choice import label_shares, raw_labels, soft_label
from emokit.data.ledger import Ledger
from emokit.data.sources.readers import reader_of, walks
from emokit.data.sources.scan import UNKNOWN_NAME
from emokit.data.sources.tree import Skipped, walk
from emokit.data.store import FeatureStore
from emokit.data.utterance import COLUMNS, OPTIONAL_COLUMNS, Dropped, Remark, Utterance
from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet
from emokit.names import escaped

# The corpora with audio, to name the one that a folder looks like.
READERS = ("crema_d", "emodb", "esd", "iemocap", "jl_corpus", "meld", "msp_podcast", "ravdess", "savee", "tess")

FIELDS = [field.name for field in fields(Utterance) if field.name not in ("flags", "votes")]

NOT_READ = "neither audio nor annotations of the corpus"
SEVERAL_CLASSES = "labels of several classes"
TIED = "as many votes for one label as for another"


def read_source(corpus: Corpus, ledger: Ledger) -> list[Utterance]:
    """The utterances that the reader of a corpus finds; whatever else is below its root goes into the ledger.

    Raises:
        UsageError: the corpus has no root.
        DataError: the root holds no utterance of the corpus.
    """
    if corpus.root is None:
        raise UsageError(f"{corpus.name} has no root; name its folder with --root {corpus.name}=DIR.")
    reader = reader_of(corpus)
    utterances: list[Utterance] = []
    used: set[str | None] = set()
    for item in reader.read(corpus.root, corpus.options):
        if isinstance(item, Remark):
            ledger.note(corpus.name, item.sentence)
            continue
        if isinstance(item, Skipped):
            ledger.skip(corpus.name, escaped(item.path), item.reason)
            continue
        if isinstance(item, Dropped):
            used.add(item.name)
            ledger.drop(corpus.name, escaped(item.name), item.reason, escaped(item.detail))
            continue
        used.add(item.path)
        utterances.append(replace(item, path=escaped(item.path)) if item.path is not None else item)
    if not utterances:
        raise DataError(_no_utterances(corpus, ledger))
    ledger.recognised[corpus.name] = len(utterances)
    if walks(corpus):
        _skip_others(corpus.name, corpus.root, getattr(reader, "ANNOTATIONS", None), used, ledger)
    return utterances


def labelled(corpus: Corpus, utterances: Iterable[Utterance], ledger: Ledger) -> Iterator[tuple[Utterance, str]]:
    """The utterances that the label map assigns to a label of the ledger's label set; the rest is dropped.

    Raises:
        UsageError: the label map leads to a label outside the label set.
        DataError: the label map, or the label set of a user's own data, lacks a raw label.
    """
    _check_label_map(corpus, ledger.labels)
    unmapped: dict[str, str] = {}
    for utterance in utterances:
        outside = [
            raw
            for raw in raw_labels(corpus, utterance)
            if raw not in corpus.labels and not (corpus.keeps_raw_labels and raw in ledger.labels)
        ]
        if outside:
            unmapped.setdefault(outside[0], utterance.utterance_id)
            continue
        shares = label_shares(corpus, utterance)
        first = max(shares.values(), default=0)
        most = [label for label in ledger.labels if shares.get(label, 0) == first]
        if len(shares) > 1 and not utterance.votes:
            ledger.drop(corpus.name, utterance.utterance_id, SEVERAL_CLASSES, utterance.raw_label)
        elif not shares:
            ledger.drop(corpus.name, utterance.utterance_id, f"label {utterance.raw_label} is left out")
        else:
            for flag in (*utterance.flags, *([TIED] if len(most) > 1 else [])):
                ledger.flag(corpus.name, utterance.utterance_id, flag)
            yield utterance, most[0]
    if unmapped:
        examples = ", ".join(f"{raw} (as in {name})" for raw, name in sorted(unmapped.items()))
        if corpus.keeps_raw_labels:
            raise DataError(
                f"{corpus.name} has labels outside the label set {', '.join(ledger.labels)}: {examples}; "
                "add them to --labels, or map them with --map RAW=LABEL, or RAW=null to leave them out."
            )
        raise DataError(
            f"{corpus.name} has raw labels that its map lacks: {examples}; "
            "add them to its labels in a file of your own, given with --datasets."
        )


def _skip_others(
    corpus: str, root: Path, annotations: re.Pattern[str] | None, used: set[str | None], ledger: Ledger
) -> None:
    """Enter in the ledger what is below a root and was neither an utterance, nor dropped, nor read beside the utterances."""
    skipped: list[Skipped] = []
    for path, entry in walk(root, skipped):
        is_read = annotations is not None and annotations.fullmatch(entry.name)
        if path not in used and not is_read and entry.name != SYNTHESISED_FILE:
            skipped.append(Skipped(path, NOT_READ))
    for item in skipped:
        if item.path != COMPLETED:
            ledger.skip(corpus, escaped(item.path), item.reason)


def with_audio(
    corpus: Corpus, utterances: list[tuple[Utterance, str]], store: FeatureStore, ledger: Ledger
) -> pandas.DataFrame:
    """One row per usable utterance, with the facts about its audio; the others are dropped.

    Where the text of a corpus is usable without audio (MELD), a row with an unusable clip keeps its text and loses its path.

    Raises:
        DataError: no utterance is usable.
    """
    rows = []
    faults: Counter[str] = Counter()
    all_facts = dict(zip(store.facts.index, store.facts.to_dict("records"), strict=True))
    for utterance, label in utterances:
        facts = all_facts[utterance.utterance_id] if utterance.path is not None else None
        fault = _fault(corpus, facts) if facts else None
        if fault and "bad_clips" in corpus.options:
            ledger.flag(corpus.name, utterance.utterance_id, f"text only, its clip is {fault}")
            if facts and facts["detail"]:
                ledger.details[utterance.utterance_id] = facts["detail"]
            utterance, facts = replace(utterance, path=None), None
        elif fault and facts:
            ledger.drop(corpus.name, utterance.utterance_id, fault, facts["detail"])
            faults[fault] += 1
            continue
        if facts and facts["num_channels"] > 1:
            ledger.repair(corpus.name, utterance.utterance_id, f"{facts['num_channels']} channels, averaged")
        if facts and len(facts["flags"]):
            ledger.details[utterance.utterance_id] = facts["detail"]
            for flag in facts["flags"]:
                ledger.flag(corpus.name, utterance.utterance_id, flag)
        row = _row(corpus, utterance, label, ledger.labels)
        row |= {"duration_seconds": None, "sample_rate": None, "recording": None}
        if facts:
            row |= {name: facts[name] for name in ("duration_seconds", "sample_rate", "recording")}
        rows.append(row)
    if not rows:
        raise DataError(none_usable(corpus, faults))
    return _typed(rows)


def without_audio(corpus: Corpus, utterances: list[tuple[Utterance, str]], labels: LabelSet) -> pandas.DataFrame:
    """One row per utterance, from its name and annotations; its audio is not read."""
    return _typed([_row(corpus, utterance, label, labels) for utterance, label in utterances])


def _row(corpus: Corpus, utterance: Utterance, label: str, labels: LabelSet) -> dict[str, Any]:
    """The columns of an utterance that its annotations determine."""
    row = {name: getattr(utterance, name) for name in FIELDS}
    return row | {"label": label, "soft_label": soft_label(corpus, utterance, labels)}


def _typed(rows: list[dict[str, Any]]) -> pandas.DataFrame:
    """A table with typed columns, so that a column without values, such as the sentences of MELD, is one of text too."""
    table = pandas.DataFrame(rows)
    return table.astype({name: (COLUMNS | OPTIONAL_COLUMNS).get(name, "string") for name in table.columns})


def _check_label_map(corpus: Corpus, labels: LabelSet) -> None:
    for raw_label, label in corpus.labels.items():
        if label is not None and label not in labels:
            raise UsageError(
                f"{corpus.name} maps {raw_label} to {label}, which is not in the label set; "
                f"map it to one of {', '.join(labels)}, or to null to leave it out, with --map {raw_label}=LABEL."
            )


def _fault(corpus: Corpus, facts: dict[str, Any]) -> str | None:
    """Why a clip is unusable, as a short phrase; None if it is usable."""
    if facts["bad"]:
        return str(facts["bad"])
    if corpus.options.get("bad_clips") == "drop":
        seconds, shortest, longest = (
            facts["duration_seconds"],
            corpus.options["min_duration_seconds"],
            corpus.options["max_duration_seconds"],
        )
        if seconds < shortest:
            return f"shorter than {shortest:g} s"
        if seconds > longest:
            return f"longer than {longest:g} s"
    return None


def none_usable(corpus: Corpus, faults: Counter[str] | None = None) -> str:
    """The error for a corpus with utterances, none of them usable: all labels are left out, or all audio has faults."""
    if not faults:
        return (
            f"{corpus.name}: {corpus.root} holds only labels that are left out; "
            f"see the label map with `emokit prepare {corpus.name} --show-labels`."
        )
    reason, _ = faults.most_common(1)[0]
    advice = ADVICE[LFS_POINTER] if reason == LFS_POINTER else "download the complete corpus again"
    if corpus.is_own:
        advice = ADVICE.get(reason, "correct the recordings, or what the table says of them")
    num_utterances = "1 labelled utterance" if faults.total() == 1 else f"{faults.total()} labelled utterances"
    return f"{corpus.name}: {corpus.root} has {num_utterances}, none with usable audio ({reason}); {advice}."


def _no_utterances(corpus: Corpus, ledger: Ledger) -> str:
    """The error for a root without an utterance of its corpus; it names the corpus that the files look like."""
    reasons = ledger.dropped[corpus.name]
    reason = max(reasons, key=lambda reason: len(reasons[reason]), default=UNKNOWN_NAME)
    if reason != UNKNOWN_NAME:
        return (
            f"{corpus.name}: {corpus.root} holds nothing that can be used ({len(reasons[reason])} left out: "
            f"{reason}); correct --root {corpus.name}, or the options of {corpus.name} in a file given with --datasets."
        )
    stems = [Path(name).stem for names in reasons.values() for name in names]
    for other in READERS:
        pattern = importlib.import_module(f"emokit.data.sources.corpora.{other}").STEM
        if other != corpus.name and sum(bool(pattern.fullmatch(stem)) for stem in stems) > len(stems) / 2:
            advice = f"they are named like {other}: use --root {other}={corpus.root}"
            break
    else:
        advice = f"expected {corpus.title}: correct --root {corpus.name}"
    num_files = "1 file" if len(stems) == 1 else f"{len(stems)} files"
    nothing = "no audio files" if corpus.name in READERS else f"no texts of {corpus.name}"
    content = f"{num_files}, none named like {corpus.name}" if stems else nothing
    return f"{corpus.name}: {corpus.root} holds {content}; {advice}."
