"""Who is trained on, who is developed on, who is tested: whole speakers, never utterances.

Policies, one per corpus: `speaker` (speaker-disjoint, label-stratified), `official` (the corpus's own split) and
`train`, `dev`, `test` (the whole corpus into one split).
"""

import itertools

import numpy
import pandas
from pydantic import Field

from emokit.data.utterance import SPLITS
from emokit.errors import UsageError
from emokit.labels import LABELS
from emokit.settings import Settings

POLICIES = ("speaker", "official", *SPLITS)
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


def assign(table: pandas.DataFrame, corpus: str, policy: str, settings: SplitSettings) -> pandas.Series:
    """The split of each row of one corpus.

    Args:
        table: the corpus's utterances, with `speaker`, `label` and, for `official`, `split`.
        corpus: its name, for the error messages.
        policy: one of POLICIES.
        settings: shares and seed.

    Raises:
        UsageError: the policy is unknown or cannot be met by this corpus.
    """
    if policy in SPLITS:
        return pandas.Series(policy, index=table.index, dtype="string")
    if policy == "official":
        without = table["split"].isna()
        if without.any():
            raise UsageError(
                f"{corpus} has no official split of its own (for {int(without.sum())} of {len(table)} utterances); "
                f"choose --split {corpus}=speaker."
            )
        return table["split"].astype("string")
    if policy == "speaker":
        return by_speaker(table, corpus, settings)
    raise UsageError(f"--split {corpus}={policy} is unknown; choose one of {', '.join(POLICIES)}.")


def by_speaker(table: pandas.DataFrame, corpus: str, settings: SplitSettings) -> pandas.Series:
    """Speakers drawn for dev and test so that the three splits have labels in like shares.

    Many assignments are drawn with the seed; the one whose splits are closest to the corpus's own shares of labels (sum of
    squared differences) and, in a tie, the first one drawn, is taken. The order of the rows plays no part.
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
    counted = pandas.crosstab(table["speaker"], table["label"])
    counts = counted.reindex(index=speakers, columns=list(LABELS), fill_value=0).to_numpy()  # (speakers, labels)
    random = numpy.random.default_rng(settings.seed)
    orders = numpy.stack([random.permutation(len(speakers)) for _ in range(NUM_DRAWS)])  # (draws, speakers)
    gaps = numpy.zeros(NUM_DRAWS)
    for part in numpy.split(orders, [num_dev, num_dev + num_test], axis=1):
        gaps += numpy.square(_shares(counts[part]) - _shares(counts)).sum(axis=1)
    best = orders[numpy.argmin(gaps.round(12))]
    split_of = {speakers[i]: "dev" for i in best[:num_dev]}
    split_of |= {speakers[i]: "test" for i in best[num_dev : num_dev + num_test]}
    return table["speaker"].map(lambda speaker: split_of.get(speaker, "train")).astype("string")


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
