"""Random splits, stratified by label and seeded, by whole groups such as speakers; and leakage between splits.

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
NUM_DRAWS = 2000  # assignments of groups to compare; 10 speakers have 2,520 of the shape 6/2/2
MAX_DRAWN = 2_000_000  # groups in all assignments; the more groups, the less their random assignments differ


class SplitSettings(Settings):
    """How utterances are split."""

    seed: int = Field(0, ge=0)
    """Random seed; it decides among equally good assignments."""
    dev_share: float = Field(0.2, gt=0, lt=1)
    """Share of a corpus's speakers, or of the groups that are kept apart, in dev (at least one)."""
    test_share: float = Field(0.2, gt=0, lt=1)
    """Share of a corpus's speakers, or of the groups that are kept apart, in test (at least one)."""
    fold: int | None = Field(None, ge=1)
    """Number of the fold that the split shows, from 1, where the policy has folds; the first by default."""


def by_group(table: pandas.DataFrame, column: str, corpus: str, settings: SplitSettings) -> pandas.Series:
    """The split of each row of one corpus: groups are drawn for dev and test so that the splits have similar label shares.

    Args:
        table: the corpus's utterances.
        column: what no two splits may share, such as `speaker`, `dialogue` or `sentence`; a row without a value is a group of
            its own.
        corpus: its name, for messages.
        settings: the shares of the groups in dev and test, and the seed.

    Raises:
        UsageError: no row has a value, or there are too few groups.
    """
    if table[column].isna().all():
        raise UsageError(
            f"{corpus} names no {column} of its utterances, so no {column} can be held out; name another --split."
        )
    named = with_groups(table, column)
    groups = sorted(named[column].unique())
    if len(groups) < len(SPLITS):
        count = f"2 {column}s ({' and '.join(groups)})" if len(groups) == 2 else f"1 {column} ({groups[0]})"
        raise UsageError(
            f"{corpus} has {count}, and train, dev and test without a shared {column} need 3; "
            f"put it into one split with --split {corpus}=train (or dev, or test)."
        )
    num_dev = max(1, round(settings.dev_share * len(groups)))
    num_test = max(1, round(settings.test_share * len(groups)))
    if num_dev + num_test >= len(groups):
        raise UsageError(
            f"{corpus} has {len(groups)} {column}s, and {num_dev} for dev and {num_test} for test leave none for train; "
            "lower dev_share or test_share."
        )
    dev, test, _ = draw_groups(named, column, (num_dev, num_test), settings.seed)
    splits = dict.fromkeys(dev, "dev") | dict.fromkeys(test, "test")
    return named[column].map(lambda group: splits.get(group, "train")).astype("string")


def with_groups(table: pandas.DataFrame, column: str) -> pandas.DataFrame:
    """The table with a group for each row: one without a value is a group of its own, under a name that no value has."""
    if table[column].notna().all():
        return table
    return table.assign(**{column: table[column].fillna("\0" + table["utterance_id"])})


def draw_groups(table: pandas.DataFrame, column: str, numbers: Sequence[int], seed: int) -> list[list[str]]:
    """Sets of groups with similar label shares: `numbers` groups in each, and a last set of the others.

    Of NUM_DRAWS random assignments (fewer of very many groups), the one whose sets' label shares are closest to the table's
    (sum of squared differences) is returned, the first one drawn in a tie. The result does not depend on the order of the rows.
    """
    groups = sorted(table[column].unique())
    counts = pandas.crosstab(table[column], table["label"]).reindex(groups, fill_value=0).to_numpy()  # (groups, labels)
    random = numpy.random.default_rng(seed)
    starts = numpy.cumsum([0, *numbers])
    whole = _shares(counts.sum(axis=0))
    best, smallest = numpy.arange(len(groups)), numpy.inf
    for _ in range(min(NUM_DRAWS, max(1, MAX_DRAWN // len(groups)))):
        order = random.permutation(len(groups))
        shares = _shares(numpy.add.reduceat(counts[order], starts))  # (sets, labels)
        gap = numpy.square(shares - whole).sum().round(12)
        if gap < smallest:
            best, smallest = order, gap
    return [[groups[i] for i in drawn] for drawn in numpy.split(best, starts[1:])]


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
    segments = [name for name in ("start_seconds", "end_seconds") if name in table]
    is_segment = table[segments].notna().any(axis=1)
    columns = {
        "speakers": corpus + table["speaker"],
        "sentences": corpus + table["sentence"],
        "texts": table["text"].str.strip().str.casefold(),
        # Segments of one file count as the same recording.
        "recordings": table["recording"].mask(is_segment, corpus + table["path"]) if segments else table["recording"],
    }
    num_shared: dict[str, dict[str, int]] = {}
    for name, column in columns.items():
        values = {split: set(column[table["split"] == split].dropna()) for split in SPLITS}
        num_shared[name] = {f"{first}-{second}": len(values[first] & values[second]) for first, second in PAIRS}
    return num_shared


def _shares(counts: numpy.ndarray) -> numpy.ndarray:
    """(..., labels) shares of the labels, from their counts (..., labels)."""
    return counts / numpy.maximum(1, counts.sum(axis=-1, keepdims=True))
