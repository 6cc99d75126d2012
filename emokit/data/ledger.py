"""The ledger: per corpus what was found, kept, repaired, flagged and dropped, with the reason and the ids."""

import contextlib
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

import pandas

from emokit.data.catalogue import SYNTHESISED_LICENCE, SYNTHESISED_TITLE, Corpus
from emokit.data.splits import draw
from emokit.data.splits.folds import WITHOUT_SPEAKERS
from emokit.data.utterance import SPLITS
from emokit.errors import DataError
from emokit.labels import LABELS
from emokit.schema import ledger as schema
from emokit.schema.base import validated

# Readers mend names and texts themselves and say so in a flag with one of these words.
REPAIRS = ("mended", "read as")

# corpus -> reason -> names
Book = dict[str, dict[str, list[str]]]


def _book() -> Book:
    return defaultdict(lambda: defaultdict(list))


class Ledger:
    """Written to while `prepare` works, read as `ledger.json` afterwards."""

    def __init__(self) -> None:
        self.dropped, self.repaired, self.flagged = _book(), _book(), _book()
        self.details: dict[str, str] = {}
        self.failed: dict[str, str] = {}
        self.notes: dict[str, list[str]] = defaultdict(list)
        self.recognised: dict[str, int] = {}
        """How many utterances a reader made out, copies and files of other kinds left aside."""
        self._corpora: dict[str, dict[str, Any]] = {}

    @contextlib.contextmanager
    def failures_of(self, corpus: str, *, alone: bool) -> Iterator[None]:
        """Enter a corpus that cannot be prepared, so that it does not stop the others; where it is alone, it does."""
        try:
            yield
        except DataError as error:
            if alone:
                raise
            self.failed[corpus] = str(error)

    def drop(self, corpus: str, name: str, reason: str, detail: str = "") -> None:
        """Enter something that does not become a row of the table."""
        self.dropped[corpus][reason].append(name)
        if detail:
            self.details[name] = detail

    def repair(self, corpus: str, name: str, reason: str) -> None:
        """Enter an utterance that was mended and kept."""
        self.repaired[corpus][reason].append(name)

    def flag(self, corpus: str, name: str, reason: str) -> None:
        """Enter an utterance that is odd and was kept as it is; a phrase that tells of a repair is entered as one."""
        mended = any(word in reason for word in REPAIRS)
        (self.repaired if mended else self.flagged)[corpus][reason].append(name)

    def note(self, corpus: str, sentence: str) -> None:
        """Enter a remark on a corpus as a whole."""
        self.notes[corpus].append(sentence)

    def flags_of(self, ids: pandas.Series) -> list[list[str]]:
        """The flags and repairs of each utterance, in the order given."""
        of: dict[str, list[str]] = defaultdict(list)
        for book in (self.flagged, self.repaired):
            for reasons in book.values():
                for reason, names in reasons.items():
                    for name in names:
                        of[name].append(reason)
        return [of.get(name, []) for name in ids]

    def flag_uncommon_rates(self, corpus: str, table: pandas.DataFrame) -> None:
        """Flag utterances whose sample rate few others of the corpus have (under 5 %)."""
        rates = table["sample_rate"].dropna()
        for rate, count in rates.value_counts().items():
            if count < 0.05 * len(rates):
                for name in table["utterance_id"][table["sample_rate"] == rate]:
                    self.flag(corpus, name, f"sample rate {rate:g} Hz, unlike the rest of the corpus")

    def flag_identical(self, table: pandas.DataFrame) -> pandas.DataFrame:
        """Flag utterances whose recording another utterance has too, and whether that one bears another label."""
        repeated = table[table["recording"].notna() & table["recording"].duplicated(keep=False)]
        for _, group in repeated.groupby("recording"):
            reason = "the same recording as another utterance"
            if group["label"].nunique() > 1:
                reason += ", which bears another label"
            for corpus, utterance_id in zip(group["corpus"], group["utterance_id"], strict=True):
                self.flag(corpus, utterance_id, reason)
                others = [name for name in group["utterance_id"] if name != utterance_id]
                self.details[utterance_id] = f"the same as {', '.join(others)}"
        return table

    def drop_leaks(self, table: pandas.DataFrame, by_text: Collection[str]) -> pandas.DataFrame:
        """Drop rows of train whose recording stands in dev or test too, and of the corpora `by_text` those whose text does.

        Texts are compared within and between these corpora, but for case and outer space.
        """
        in_train = table["split"] == "train"
        same_sound = table["recording"].notna() & table["recording"].isin(table["recording"][~in_train].dropna())
        text = table["text"].str.strip().str.casefold().where(table["corpus"].isin(by_text))
        same_text = text.notna() & text.isin(text[~in_train].dropna()) & ~same_sound
        for mask, reason in (
            (same_sound, "the same recording as in dev or test"),
            (same_text, "the same text as in dev or test"),
        ):
            leaks = table[mask & in_train]
            for corpus, utterance_id in zip(leaks["corpus"], leaks["utterance_id"], strict=True):
                self.drop(corpus, utterance_id, reason)
        return table[~((same_sound | same_text) & in_train)].reset_index(drop=True)

    def close(self, corpus: Corpus, table: pandas.DataFrame) -> None:
        """Enter what became of a corpus in the end."""
        num_dropped = sum(len(names) for names in self.dropped[corpus.name].values())
        found = len(table) + num_dropped
        notes = list(self.notes[corpus.name])
        leakage = draw.leakage(table)
        shared = leakage["speakers"]["train-test"]
        if shared:
            tested = table["speaker"][table["split"] == "test"].nunique()
            notes.append(f"{shared} of the {tested} speakers in test are in train too: new voices would score lower")
        there = self.recognised.get(corpus.name, found)
        synthesised = corpus.is_synthesised
        if there < corpus.expected / 2 and not synthesised:
            notes.append(f"only {there} of the {corpus.expected} that the corpus has were found: see that it is whole")
        heard = int(table["path"].notna().sum())
        if "bad_clips" in corpus.options and heard < len(table) / 2:
            notes.append(f"only {heard} of its {len(table)} utterances have sound, the others are text alone")
        if corpus.split in SPLITS:
            notes.append(f"all of it is in {corpus.split}, as its split in datasets.yaml or --split says")
        told = corpus.name not in WITHOUT_SPEAKERS
        rows_of = {split: table[table["split"] == split] for split in SPLITS}
        self._corpora[corpus.name] = {
            "title": corpus.title + SYNTHESISED_TITLE * synthesised,
            "licence": SYNTHESISED_LICENCE if synthesised else corpus.licence,
            "homepage": corpus.homepage,
            "expected": corpus.expected,
            "found": found,
            "kept": len(table),
            "with_audio": heard,
            "dropped": _plain(self.dropped[corpus.name]),
            "repaired": _plain(self.repaired[corpus.name]),
            "flagged": _plain(self.flagged[corpus.name]),
            "labels": {label: int((table["label"] == label).sum()) for label in LABELS},
            "splits": {
                split: {"utterances": len(rows), "speakers": sorted(rows["speaker"].unique()) if told else []}
                for split, rows in rows_of.items()
            },
            "leakage": leakage,
            "notes": notes,
        }

    def as_dict(self, table: pandas.DataFrame) -> dict[str, Any]:
        """What `ledger.json` holds."""
        content = {
            "corpora": self._corpora,
            "failed": self.failed,
            "leakage": draw.leakage(table),
            "details": dict(sorted(self.details.items())),
        }
        return validated(schema.Ledger, content)


def _plain(reasons: dict[str, list[str]]) -> dict[str, list[str]]:
    return {reason: sorted(names) for reason, names in sorted(reasons.items())}
