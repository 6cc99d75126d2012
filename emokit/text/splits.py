"""The splits of a prepared folder as a text training reads them."""

from dataclasses import dataclass
from pathlib import Path

import numpy
import pandas

from emokit import predictions, runs
from emokit.data.prepared import Prepared, open_prepared
from emokit.data.splits.policies import REPEATED_TEXTS
from emokit.data.utterance import HELD_OUT
from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet
from emokit.text.passages import Passage, check_texts, passages_of
from emokit.text.settings import TextSettings
from emokit.training.splits import check_splits, rows_of_corpora, target_shares

MEDIUM = "text"


@dataclass(frozen=True)
class SplitData:
    """One split of the data: its rows and their passages, in the same order."""

    table: pandas.DataFrame
    passages: list[Passage]
    labels: LabelSet
    soft_labels: bool = True
    """Whether utterances with a soft label are trained on with it."""

    @property
    def texts(self) -> list[str]:
        """The texts of the utterances, without context."""
        return [passage.text for passage in self.passages]

    @property
    def targets(self) -> numpy.ndarray:
        """(utterances,) int64."""
        return self.labels.targets(self.table["label"])

    @property
    def shares(self) -> numpy.ndarray:
        """(utterances, classes) float32 share of each class in each utterance's target."""
        return target_shares(self.table, self.labels, soft=self.soft_labels)


def read_splits(
    settings: TextSettings, prepared: Prepared, held_out: tuple[str, ...] = HELD_OUT
) -> dict[str, SplitData]:
    """Train and the held-out splits, of the corpora that the settings name.

    Raises:
        UsageError: a corpus is not in the prepared folder, or context turns are asked for and there are no dialogues.
        DataError: a split has no utterance, train lacks a class, or a text is empty or not Unicode.
    """
    table, splits = rows_with_text(settings, prepared), ("train", *held_out)
    check_splits(table, splits, prepared.labels, prepared.folder, MEDIUM)
    turns, corpora = settings.data.context_turns, ", ".join(sorted(set(table["corpus"])))
    if turns and not (table["dialogue"].notna() & table["turn"].notna()).any():
        raise UsageError(
            f"data.context_turns is {turns} and no utterance of {corpora} in {prepared.folder} has a dialogue with turns, so it "
            "would have no effect; leave it 0, or prepare a corpus of dialogues."
        )
    return {split: split_data(table, split, settings, prepared) for split in splits}


def training_texts(run: Path, settings: TextSettings) -> list[str]:
    """The texts that a run was trained on.

    Raises:
        DataError: its prepared folder is no longer there, or is another one.
    """
    environment = runs.read_environment(run)
    folder = environment.get("data")
    prepared = open_prepared(Path(folder)) if folder and Path(folder).is_dir() else None
    if prepared is None or prepared.fingerprint != environment["data_fingerprint"]:
        where = "no longer there" if prepared is None else "another folder by now"
        raise DataError(
            f"{run} has a bag of words, whose embeddings need the texts that it was trained on, and {folder} is {where}; "
            "prepare it again as it was, or train the run again."
        )
    rows = rows_with_text(settings, prepared)
    # A fold has other splits than the folder: what it did not predict, it was trained on.
    held_out = [predictions.read(run / runs.PREDICTIONS / f"{split}.parquet").table for split in HELD_OUT]
    tested = pandas.concat(held_out)["utterance_id"]
    return list(rows["text"][rows["split"].notna() & ~rows["utterance_id"].isin(tested)])


def rows_with_text(settings: TextSettings, prepared: Prepared) -> pandas.DataFrame:
    """The utterances with text of the corpora that the settings name, with or without audio.

    Raises:
        UsageError: a corpus is not in the prepared folder, or none of the default corpora is.
        DataError: a text is empty or not Unicode.
    """
    table = prepared.table[prepared.table["text"].notna()]
    present = sorted(table["corpus"].unique())
    corpora = settings.data.corpora or tuple(corpus for corpus in present if _has_own_texts(prepared, corpus))
    if not corpora:
        raise UsageError(
            f"{prepared.folder} has text of {', '.join(present) or 'no corpus'}, where a corpus that does not repeat a few "
            "sentences was expected; prepare goemotions, meld or a table of your own, or name corpora with "
            "--set data.corpora=[…]."
        )
    table = rows_of_corpora(table, corpora, prepared.folder, MEDIUM)
    check_texts(table["text"].tolist(), (f"{prepared.folder}: {name}" for name in table["utterance_id"]))
    return table


def _has_own_texts(prepared: Prepared, corpus: str) -> bool:
    """Whether the texts of a corpus carry the emotion: those of a user's own data, and of spontaneous or written language.

    Acted corpora repeat a few sentences in every emotion. Only the others have the option `repeated_texts`.
    """
    entries = prepared.settings.get("corpora")
    entry = entries.get(corpus) if isinstance(entries, dict) else None
    options = entry.get("options") if isinstance(entry, dict) else None
    return isinstance(entry, dict) and ("reader" in entry or (isinstance(options, dict) and REPEATED_TEXTS in options))


def split_data(table: pandas.DataFrame, split: str, settings: TextSettings, prepared: Prepared) -> SplitData:
    """One split of a table of utterances; its context turns may be outside of the table."""
    rows = table[table["split"] == split].reset_index(drop=True)
    passages = passages_of(rows, prepared.table, settings.data.context_turns)
    return SplitData(rows, passages, prepared.labels, settings.data.soft_labels)
