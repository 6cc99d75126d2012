"""Random splits, stratified by label and seeded, by whole speakers where there are enough; and leakage between splits.

`policies` has the values of `--split`; `folds` assigns the test utterances of each fold.
"""

import itertools
from collections.abc import Sequence

import numpy
import pandas
from pydantic import Field

from emokit.data.utterance import SPLITS
from emokit.errors import UsageError
from emokit.settings import Settings

PAIRS = tuple(itertools.combinations(SPLITS, 2))
NUM_DRAWS = 2000  # assignments of speakers to compare; 10 speakers have 2,520 of the shape 6/2/2


class SplitSettings(Settings):
    """How utterances are split."""

    seed: int = Field(0, ge=0)
    """Random seed; it decides among equally good assignments of speakers."""
    dev_share: float = Field(0.2, gt=0, lt=1)
    """Share of a corpus's speakers in dev (at least one speaker)."""
    test_share: float = Field(0.2, gt=0, lt=1)
    """Share of a corpus's speakers in test (at least one speaker)."""
    fold: int | None = Field(None, ge=1)
    """Number of the fold that the split shows, from 1, where the policy has folds; the first by default."""


def by_speaker(table: pandas.DataFrame, corpus: str, settings: SplitSettings) -> pandas.Series:
    """The split of each row of one corpus: speakers are drawn for dev and test so that the splits have similar label shares.

    Raises:
        UsageError: the corpus has too few speakers.
    """
    speakers = sorted(table["speaker"].unique())
    if len(speakers) < len(SPLITS):
        count = f"2 speakers ({' and '.join(speakers)})" if len(speakers) == 2 else f"1 speaker ({speakers[0]})"
        raise UsageError(
            f"{corpus} has {count}, and train, dev and test without a shared speaker need 3; "
            f"put it into one split with --split {corpus}=train (or dev, or test)."
        )
    num_dev = max(1, round(settings.dev_share * len(speakers)))
    num_test = max(1, round(settings.test_share * len(speakers)))
    if num_dev + num_test >= len(speakers):
        raise UsageError(
            f"{corpus} has {len(speakers)} speakers, and {num_dev} for dev and {num_test} for test leave none for train; "
            "lower dev_share or test_share."
        )
    dev, test, _ = draw_speakers(table, (num_dev, num_test), settings.seed)
    splits = dict.fromkeys(dev, "dev") | dict.fromkeys(test, "test")
    return table["speaker"].map(lambda speaker: splits.get(speaker, "train")).astype("string")


def draw_speakers(table: pandas.DataFrame, numbers: Sequence[int], seed: int) -> list[list[str]]:
    """Groups of speakers with similar label shares: `numbers` speakers in each, and a last group of the others.

    Of NUM_DRAWS random assignments, the one whose groups' label shares are closest to the table's (sum of squared differences)
    is returned, the first one drawn in a tie. The result does not depend on the order of the rows.
    """
    speakers = sorted(table["speaker"].unique())
    counts = (
        pandas.crosstab(table["speaker"], table["label"]).reindex(speakers, fill_value=0).to_numpy()
    )  # (speakers, labels)
    random = numpy.random.default_rng(seed)
    orders = numpy.stack([random.permutation(len(speakers)) for _ in range(NUM_DRAWS)])  # (draws, speakers)
    ends = numpy.cumsum(numbers)
    gaps = numpy.zeros(NUM_DRAWS)
    for groups in numpy.split(orders, ends, axis=1):  # (draws, speakers of the group)
        gaps += numpy.square(_shares(counts[groups]) - _shares(counts)).sum(axis=1)
    best = orders[numpy.argmin(gaps.round(12))]
    return [[speakers[i] for i in group] for group in numpy.split(best, ends)]


def draw_utterances(table: pandas.DataFrame, share: float, seed: int) -> pandas.Index:
    """The index of a random share of each label's utterances, where speakers cannot be separated; independent of row order.

    Of two or more utterances of a label, at least one is drawn and at least one is not.
    """
    random = numpy.random.default_rng(seed)
    drawn = []
    for _, rows in table.sort_values("utterance_id").groupby("label", sort=True):
        number = min(max(1, round(share * len(rows))), len(rows) - 1)
        drawn += list(random.permutation(rows.index)[:number])
    return pandas.Index(drawn)


def leakage(table: pandas.DataFrame) -> dict[str, dict[str, int]]:
    """The number of speakers, sentences, texts and recordings that each pair of splits shares.

    `table` has the columns of the utterances and `recording` (the hash of the audio). Speakers and sentences are counted
    within a corpus, texts and recordings across corpora.
    """
    corpus = table["corpus"].astype(str) + "/"
    columns = {
        "speakers": corpus + table["speaker"],
        "sentences": corpus + table["sentence"],
        "texts": table["text"].str.strip().str.casefold(),
        "recordings": table["recording"],
    }
    num_shared: dict[str, dict[str, int]] = {}
    for name, column in columns.items():
        values = {split: set(column[table["split"] == split].dropna()) for split in SPLITS}
        num_shared[name] = {f"{first}-{second}": len(values[first] & values[second]) for first, second in PAIRS}
    return num_shared


def _shares(counts: numpy.ndarray) -> numpy.ndarray:
    """(..., labels) shares of the labels, from the counts (..., speakers, labels) of some speakers."""
    total = counts.sum(axis=-2)
    return total / numpy.maximum(1, total.sum(axis=-1, keepdims=True))
