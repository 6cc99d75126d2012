"""The ledger: per corpus, what was found, kept, repaired, flagged, dropped and skipped, with the reasons and the names."""

import contextlib
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

import numpy
import pandas

from emokit.data.catalogue import SYNTHESISED_LICENCE, SYNTHESISED_TITLE, Corpus
from emokit.data.splits import draw, sentences
from emokit.data.utterance import SPLITS, soft_labels
from emokit.errors import DataError
from emokit.labels import DEFAULT_LABELS, LabelSet
from emokit.safe_text import escape_controls
from emokit.schema import ledger as schema
from emokit.schema.base import validated

# Readers repair names and texts themselves; such a flag contains one of these.
REPAIRS = ("repaired", "read as")

# corpus -> reason -> names
Entries = dict[str, dict[str, list[str]]]


def _entries() -> Entries:
    return defaultdict(lambda: defaultdict(list))


class Ledger:
    """Filled while `prepare` runs; stored as `ledger.json`."""

    def __init__(self, labels: LabelSet = DEFAULT_LABELS) -> None:
        self.labels = labels
        """The label set of the prepared folder."""
        self.dropped, self.repaired, self.flagged, self.skipped = _entries(), _entries(), _entries(), _entries()
        self.details: dict[str, str] = {}
        self.failed: dict[str, str] = {}
        self.notes: dict[str, list[str]] = defaultdict(list)
        self.recognised: dict[str, int] = {}
        """Corpus -> number of utterances that its reader recognised; copies and files of other types do not count."""
        self.transcripts: dict[str, int] = {}
        """Corpus -> number of utterances whose text a recogniser wrote."""
        self._corpora: dict[str, dict[str, Any]] = {}

    @contextlib.contextmanager
    def failures_of(self, corpus: str, *, alone: bool) -> Iterator[None]:
        """Record a corpus that cannot be prepared, so that the others still are; raise if it is the only one."""
        try:
            yield
        except DataError as error:
            if alone:
                raise
            self.failed[corpus] = escape_controls(str(error))

    def drop(self, corpus: str, name: str, reason: str, detail: str = "") -> None:
        """Record a file or utterance that is not in the table."""
        self.dropped[corpus][reason].append(name)
        if detail:
            self.details[name] = detail

    def skip(self, corpus: str, name: str, reason: str) -> None:
        """Record a file or folder that is no utterance of the corpus and was not read; it does not count as found."""
        self.skipped[corpus][reason].append(name)

    def repair(self, corpus: str, name: str, reason: str) -> None:
        """Record an utterance that was repaired and kept."""
        self.repaired[corpus][reason].append(name)

    def flag(self, corpus: str, name: str, reason: str) -> None:
        """Record an irregular utterance that was kept unchanged; a reason that describes a repair is recorded as a repair."""
        is_repair = any(word in reason for word in REPAIRS)
        (self.repaired if is_repair else self.flagged)[corpus][reason].append(name)

    def note(self, corpus: str, sentence: str) -> None:
        """Record a remark on a whole corpus."""
        self.notes[corpus].append(sentence)

    def flags_of(self, ids: pandas.Series) -> list[list[str]]:
        """The flags and repairs of each utterance, in the order of `ids`."""
        flags: dict[str, list[str]] = defaultdict(list)
        for entries in (self.flagged, self.repaired):
            for reasons in entries.values():
                for reason, names in reasons.items():
                    for name in names:
                        flags[name].append(reason)
        return [flags.get(name, []) for name in ids]

    def flag_uncommon_rates(self, corpus: str, table: pandas.DataFrame) -> None:
        """Flag utterances with a sample rate that under 5 % of the corpus have."""
        rates = table["sample_rate"].dropna()
        for rate, count in rates.value_counts().items():
            if count < 0.05 * len(rates):
                for name in table["utterance_id"][table["sample_rate"] == rate]:
                    self.flag(corpus, name, f"sample rate {rate:g} Hz, unlike the rest of the corpus")

    def flag_identical(self, table: pandas.DataFrame) -> pandas.DataFrame:
        """Flag utterances that share a recording with another utterance, and say whether their labels differ."""
        repeated = table[table["recording"].notna() & table["recording"].duplicated(keep=False)]
        for _, group in repeated.groupby("recording"):
            reason = "the same recording as another utterance"
            if group["label"].nunique() > 1:
                reason += ", which has another label"
            for corpus, utterance_id in zip(group["corpus"], group["utterance_id"], strict=True):
                self.flag(corpus, utterance_id, reason)
                others = [name for name in group["utterance_id"] if name != utterance_id]
                self.details[utterance_id] = f"the same as {', '.join(others)}"
        return table

    def drop_leaks(self, table: pandas.DataFrame, by_text: Collection[str]) -> pandas.DataFrame:
        """Drop training rows whose recording is in dev or test too; of the corpora `by_text` also those whose text is.

        Texts are compared within and between these corpora, ignoring case and outer white space.
        """
        in_train = table["split"] == "train"
        same_recording = table["recording"].notna() & table["recording"].isin(table["recording"][~in_train].dropna())
        text = table["text"].str.strip().str.casefold().where(table["corpus"].isin(by_text))
        same_text = text.notna() & text.isin(text[~in_train].dropna()) & ~same_recording
        for mask, reason in (
            (same_recording, "the same recording as in dev or test"),
            (same_text, "the same text as in dev or test"),
        ):
            leaks = table[mask & in_train]
            for corpus, utterance_id in zip(leaks["corpus"], leaks["utterance_id"], strict=True):
                self.drop(corpus, utterance_id, reason)
        return table[~((same_recording | same_text) & in_train)].reset_index(drop=True)

    def drop_ties(self, table: pandas.DataFrame) -> pandas.DataFrame:
        """Drop dev and test rows whose soft label has no largest share: no prediction of one label would be right."""
        tied = [shares is not None and sorted(shares)[-1] == sorted(shares)[-2] for shares in soft_labels(table)]
        ties = table[numpy.array(tied) & (table["split"] != "train").to_numpy()]
        for corpus, utterance_id in zip(ties["corpus"], ties["utterance_id"], strict=True):
            self.drop(corpus, utterance_id, "as many votes for one label as for another, in dev or test")
        return table.drop(ties.index).reset_index(drop=True)

    def close(self, corpus: Corpus, table: pandas.DataFrame) -> None:
        """Write the entry of a corpus from its rows of the final table."""
        num_dropped = sum(len(names) for names in self.dropped[corpus.name].values())
        num_found = len(table) + num_dropped
        num_with_audio = int(table["path"].notna().sum())
        leakage = draw.leakage(table)
        by_sentence = sentences.label_by_sentence(table)
        predictive = sentences.remark(by_sentence, corpus.name)
        synthesised = corpus.is_synthesised
        rows_of = {split: table[table["split"] == split] for split in SPLITS}
        self._corpora[corpus.name] = {
            "title": corpus.title + SYNTHESISED_TITLE * synthesised,
            "licence": SYNTHESISED_LICENCE if synthesised else corpus.licence,
            "homepage": corpus.homepage,
            "expected": corpus.expected,
            "found": num_found,
            "kept": len(table),
            "with_audio": num_with_audio,
            **({"transcripts": self.transcripts[corpus.name]} if corpus.name in self.transcripts else {}),
            "dropped": _plain(self.dropped[corpus.name]),
            "repaired": _plain(self.repaired[corpus.name]),
            "flagged": _plain(self.flagged[corpus.name]),
            "skipped": _plain(self.skipped[corpus.name]),
            "labels": {label: int((table["label"] == label).sum()) for label in self.labels},
            "splits": {
                split: {
                    "utterances": len(rows),
                    "speakers": sorted(rows["speaker"].unique()) if corpus.has_speakers else [],
                }
                for split, rows in rows_of.items()
            },
            "leakage": leakage,
            "label_by_sentence": by_sentence,
            "notes": [
                *self._closing_notes(corpus, table, num_found, num_with_audio, leakage["speakers"]["train-test"]),
                *([predictive] if predictive else []),
            ],
        }

    def _closing_notes(
        self, corpus: Corpus, table: pandas.DataFrame, num_found: int, num_with_audio: int, num_shared_speakers: int
    ) -> list[str]:
        """The remarks recorded so far, and those that follow from the counts."""
        notes = list(self.notes[corpus.name])
        if num_shared_speakers:
            tested = table["speaker"][table["split"] == "test"].nunique()
            notes.append(
                f"{num_shared_speakers} of the {tested} speakers in test are in train too: "
                "expect lower scores for new speakers"
            )
        recognised = self.recognised.get(corpus.name, num_found)
        if corpus.expected and recognised < corpus.expected / 2 and not corpus.is_synthesised:
            notes.append(
                f"only {recognised} of the {corpus.expected} utterances of the corpus were found: check that it is complete"
            )
        empty = [split for split in SPLITS if corpus.split == "official" and not (table["split"] == split).any()]
        if empty:
            notes.append(
                f"no utterance is in {' or '.join(empty)}: check that its files for {empty[0]} are there and hold rows"
            )
        if "bad_clips" in corpus.options and num_with_audio < len(table) / 2:
            notes.append(f"only {num_with_audio} of its {len(table)} utterances have audio, the others have only text")
        rates = table["sample_rate"].value_counts()
        if corpus.is_own and len(rates) > 1:
            shown = ", ".join(f"{rate} Hz ({count})" for rate, count in rates.items())
            notes.append(f"recordings of {len(rates)} sample rates, all are resampled for the features: {shown}")
        if corpus.split in SPLITS:
            notes.append(f"all utterances are in {corpus.split}, as set by its split in datasets.yaml or by --split")
        return notes

    def as_dict(self, table: pandas.DataFrame) -> dict[str, Any]:
        """The content of `ledger.json`."""
        content = {
            "corpora": self._corpora,
            "failed": self.failed,
            "leakage": draw.leakage(table),
            "details": dict(sorted(self.details.items())),
        }
        return validated(schema.Ledger, content)


def _plain(reasons: dict[str, list[str]]) -> dict[str, list[str]]:
    return {reason: sorted(names) for reason, names in sorted(reasons.items())}
