"""Who is trained on, who is developed on, who is tested: whole speakers wherever there are enough of them.

Here are the draws, stratified by label and seeded, and the count of what two splits share. `policies` says what
`--split` can name; `folds` says who is tested when.
"""

import itertools
from collections.abc import Sequence

import numpy
import pandas
from pydantic import Field

from emokit.data.utterance import SPLITS
from emokit.errors import UsageError
from emokit.labels import LABELS
from emokit.settings import Settings

PAIRS = tuple(itertools.combinations(SPLITS, 2))
NUM_DRAWS = 2000  # assignments of speakers that are compared; 10 speakers have 2,520 of the shape 6/2/2


class SplitSettings(Settings):
    """How utterances are divided."""

    seed: int = Field(0, ge=0)
    """The seed that decides among equally good assignments of speakers."""
    dev_share: float = Field(0.2, gt=0, lt=1)
    """The share of a corpus's speakers that goes to dev (at least one speaker)."""
    test_share: float = Field(0.2, gt=0, lt=1)
    """The share of a corpus's speakers that goes to test (at least one speaker)."""
    fold: int | None = Field(None, ge=1)
    """Which fold the split shows, counted from 1, where the policy has folds; the first one by default."""


def by_speaker(table: pandas.DataFrame, corpus: str, settings: SplitSettings) -> pandas.Series:
    """The split of each row of one corpus: speakers drawn for dev and test so that all three have labels in like shares.

    Raises:
        UsageError: the corpus has too few speakers.
    """
    speakers = sorted(table["speaker"].unique())
    if len(speakers) < len(SPLITS):
        named = f"2 speakers ({' and '.join(speakers)})" if len(speakers) == 2 else f"1 speaker ({speakers[0]})"
        raise UsageError(
            f"{corpus} has {named}, and train, dev and test without a shared speaker need 3; "
            f"put it into one split with --split {corpus}=train (or dev, or test)."
        )
    num_dev = max(1, round(settings.dev_share * len(speakers)))
    num_test = max(1, round(settings.test_share * len(speakers)))
    if num_dev + num_test >= len(speakers):
        raise UsageError(
            f"{corpus} has {len(speakers)} speakers, and {num_dev} for dev with {num_test} for test leave none to train on; "
            "lower dev_share or test_share."
        )
    dev, test, _ = draw_speakers(table, (num_dev, num_test), settings.seed)
    split_of = dict.fromkeys(dev, "dev") | dict.fromkeys(test, "test")
    return table["speaker"].map(lambda speaker: split_of.get(speaker, "train")).astype("string")


def draw_speakers(table: pandas.DataFrame, numbers: Sequence[int], seed: int) -> list[list[str]]:
    """Groups of speakers with labels in like shares: `numbers` speakers in each, and last those left over.

    Many assignments are drawn; the one whose groups are closest to the table's own shares of labels (sum of squared
    differences) and, in a tie, the first one drawn, is taken. The order of the rows plays no part.
    """
    speakers = sorted(table["speaker"].unique())
    counted = pandas.crosstab(table["speaker"], table["label"])
    counts = counted.reindex(index=speakers, columns=list(LABELS), fill_value=0).to_numpy()  # (speakers, labels)
    random = numpy.random.default_rng(seed)
    orders = numpy.stack([random.permutation(len(speakers)) for _ in range(NUM_DRAWS)])  # (draws, speakers)
    ends = numpy.cumsum(numbers)
    gaps = numpy.zeros(NUM_DRAWS)
    for part in numpy.split(orders, ends, axis=1):
        gaps += numpy.square(_shares(counts[part]) - _shares(counts)).sum(axis=1)
    best = orders[numpy.argmin(gaps.round(12))]
    return [[speakers[i] for i in part] for part in numpy.split(best, ends)]


def draw_utterances(table: pandas.DataFrame, share: float, seed: int) -> pandas.Index:
    """The index of a share of each label's utterances, for where speakers cannot be kept apart; row order plays no part.

    Of two or more utterances of a label at least one is drawn and one left.
    """
    random = numpy.random.default_rng(seed)
    drawn = []
    for _, rows in table.sort_values("utterance_id").groupby("label", sort=True):
        number = min(max(1, round(share * len(rows))), len(rows) - 1)
        drawn += list(random.permutation(rows.index)[:number])
    return pandas.Index(drawn)


def leakage(table: pandas.DataFrame) -> dict[str, dict[str, int]]:
    """How many speakers, sentences, texts and recordings each pair of splits shares.

    `table` has the columns of the utterances and `recording` (the hash of the sound). Speakers and sentences are counted
    within a corpus, texts and recordings over all of them.
    """
    corpus = table["corpus"].astype(str) + "/"
    kinds = {
        "speakers": corpus + table["speaker"],
        "sentences": corpus + table["sentence"],
        "texts": table["text"].str.strip().str.casefold(),
        "recordings": table["recording"],
    }
    found: dict[str, dict[str, int]] = {}
    for kind, values in kinds.items():
        of_split = {split: set(values[table["split"] == split].dropna()) for split in SPLITS}
        found[kind] = {f"{first}-{second}": len(of_split[first] & of_split[second]) for first, second in PAIRS}
    return found


def _shares(counts: numpy.ndarray) -> numpy.ndarray:
    """(..., labels) shares of the labels among some speakers' counts (..., speakers, labels)."""
    total = counts.sum(axis=-2)
    return total / numpy.maximum(1, total.sum(axis=-1, keepdims=True))
