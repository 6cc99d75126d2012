"""The splits of a prepared folder as a text training reads them."""

from dataclasses import dataclass

import numpy
import pandas

from emokit.data.prepared import Prepared
from emokit.data.utterance import HELD_OUT
from emokit.errors import UsageError
from emokit.labels import LabelSet
from emokit.text.passages import Passage, check_texts, passages_of
from emokit.text.settings import CORPORA, TextSettings
from emokit.training.splits import check_splits, rows_of_corpora

MEDIUM = "text"


@dataclass(frozen=True)
class SplitData:
    """One split of the data: its rows and their passages, in the same order."""

    table: pandas.DataFrame
    passages: list[Passage]
    labels: LabelSet

    @property
    def texts(self) -> list[str]:
        """The texts of the utterances, without context."""
        return [passage.text for passage in self.passages]

    @property
    def targets(self) -> numpy.ndarray:
        """(utterances,) int64."""
        return self.labels.targets(self.table["label"])


def read_splits(
    settings: TextSettings, prepared: Prepared, held_out: tuple[str, ...] = HELD_OUT
) -> dict[str, SplitData]:
    """Train and the held-out splits, of the corpora that the settings name.

    Raises:
        UsageError: a corpus is not in the prepared folder.
        DataError: a split has no utterance, train lacks a class, or a text is empty or not Unicode.
    """
    table, splits = rows_with_text(settings, prepared), ("train", *held_out)
    check_splits(table, splits, prepared.labels, prepared.folder, MEDIUM)
    return {split: split_data(table, split, settings, prepared) for split in splits}


def rows_with_text(settings: TextSettings, prepared: Prepared) -> pandas.DataFrame:
    """The utterances with text of the corpora that the settings name, with or without audio.

    Raises:
        UsageError: a corpus is not in the prepared folder, or none of the default corpora is.
        DataError: a text is empty or not Unicode.
    """
    table = prepared.table[prepared.table["text"].notna()]
    present = set(table["corpus"])
    corpora = settings.data.corpora or tuple(
        corpus for corpus in (*CORPORA, *prepared.own_corpora) if corpus in present
    )
    if not corpora:
        raise UsageError(
            f"{prepared.folder} has neither {' nor '.join(CORPORA)}; prepare one of them, or name other corpora with "
            "--set data.corpora=[…]."
        )
    table = rows_of_corpora(table, corpora, prepared.folder, MEDIUM)
    check_texts(table["text"].tolist(), (f"{prepared.folder}: {name}" for name in table["utterance_id"]))
    return table


def split_data(table: pandas.DataFrame, split: str, settings: TextSettings, prepared: Prepared) -> SplitData:
    """One split of a table of utterances; its context turns may be outside of the table."""
    rows = table[table["split"] == split].reset_index(drop=True)
    return SplitData(rows, passages_of(rows, prepared.table, settings.data.context_turns), prepared.labels)
