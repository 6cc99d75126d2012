"""The values of `--split`: the policies that assign splits and folds to a corpus.

speaker                  speaker-independent train, dev and test with similar label shares
sentence                 the same without a shared sentence, or text where sentences have no ids
speaker+sentence         both; utterances that cross are left out
official                 the corpus's official split
emobox                   EmoBox's folds: by speaker (EMOBOX_FOLDS), or lists of utterances from a clone
emo-superb               five folds of CREMA-D by actor
leave-one-session-out    five folds of IEMOCAP by session
leave-one-speaker-out    one fold per speaker
leave-one-corpus-out     one fold per corpus, over all corpora together
train, dev, test         the whole corpus in one split
my.csv                   a user's CSV
auto, dialogue, stratified: of a user's own data, see `own`
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas

from emokit.data.catalogue import Corpus
from emokit.data.ledger import Ledger
from emokit.data.splits import fold_lists
from emokit.data.splits.draw import SplitSettings, by_group
from emokit.data.splits.fold_lists import EMOBOX_LISTS, SplitLists
from emokit.data.splits.folds import (
    EMOBOX_FOLDS,
    FOLD_POLICIES,
    assign_folds,
    chosen_fold,
    fold_names,
    split_of_fold,
)
from emokit.data.splits.own import OWN_POLICIES, split_own
from emokit.data.splits.sentences import CROSSING, by_sentence, by_speaker_and_sentence
from emokit.data.utterance import SPLITS, Utterance
from emokit.errors import DataError, UsageError

OFFICIAL = ("esd", "goemotions", "meld", "msp_podcast")
OF_ALL_CORPORA = "leave-one-corpus-out"
SENTENCE, SPEAKER_AND_SENTENCE = "sentence", "speaker+sentence"
REPEATED_TEXTS = "repeated_texts"


BY_SPEAKER = ("speaker", SPEAKER_AND_SENTENCE, "leave-one-speaker-out")


def policies_of(corpus: Corpus) -> list[str]:
    """The policies that a corpus supports, besides a CSV."""
    if corpus.is_own:
        policies = (*OWN_POLICIES, SENTENCE, SPEAKER_AND_SENTENCE, "leave-one-speaker-out", OF_ALL_CORPORA, *SPLITS)
        return [policy for policy in policies if corpus.has_speakers or policy not in BY_SPEAKER]
    supported = {
        "speaker": corpus.has_speakers,
        SENTENCE: True,
        SPEAKER_AND_SENTENCE: corpus.has_speakers,
        "official": corpus.name in OFFICIAL,
        "emobox": corpus.name in EMOBOX_FOLDS or corpus.name in EMOBOX_LISTS,
        "emo-superb": corpus.name == "crema_d",
        "leave-one-session-out": corpus.name == "iemocap",
        "leave-one-speaker-out": corpus.has_speakers,
    }
    return [*(policy for policy, is_supported in supported.items() if is_supported), OF_ALL_CORPORA, *SPLITS]


@dataclass(frozen=True)
class Division:
    """The split policy of one corpus, with its lists already read."""

    corpus: str
    policy: str
    lists: SplitLists | None = None
    is_own: bool = False
    """Whether the corpus is a user's own, with splits as `own` makes them."""
    has_own_folds: bool = False
    """Whether a column of a user's own data names folds."""

    @property
    def has_folds(self) -> bool:
        """Whether the policy has folds."""
        if self.splits_own:
            return self.has_own_folds and self.policy in ("auto", "official")
        return bool(self.lists.fold_of) if self.lists else self.policy in FOLD_POLICIES

    @property
    def splits_own(self) -> bool:
        """Whether the split is made by `own`."""
        return self.is_own and self.lists is None and self.policy in OWN_POLICIES

    @property
    def identity(self) -> str:
        """Identifies the division in the settings of a prepared folder: lists by their content."""
        return f"{Path(self.policy).name} {self.lists.digest}" if self.lists else self.policy

    def listed(self, rows: list[tuple[Utterance, str]], ledger: Ledger) -> list[tuple[Utterance, str]]:
        """The utterances (with labels) that the division covers, before any audio is read; EmoBox's lists may lack some.

        Raises:
            UsageError: a CSV lacks utterances or names unknown ones.
            DataError: EmoBox's lists name none of the utterances.
        """
        if self.lists is None:
            return rows
        utterance_ids = [utterance.utterance_id for utterance, _ in rows]
        dropped = [name for names in ledger.dropped[self.corpus].values() for name in names]
        if self.policy != "emobox":
            fold_lists.check_complete(self.lists, self.corpus, utterance_ids, dropped)
            return rows
        unknown = fold_lists.unknown_utterances(self.lists, utterance_ids, dropped)
        covered = [row for row in rows if row[0].utterance_id in self.lists.listed]
        if not covered:
            raise DataError(
                f"{self.corpus}: EmoBox's lists in {self.lists.source} name none of its {len(rows)} utterances; "
                "check that --root names the corpus and --folds a clone of EmoBox."
            )
        if unknown:
            ledger.note(self.corpus, f"EmoBox's lists name {unknown} that the corpus does not have")
        for utterance_id in set(utterance_ids) - self.lists.listed:
            ledger.drop(self.corpus, utterance_id, "in none of EmoBox's lists")
        return covered

    def assign(self, table: pandas.DataFrame, settings: SplitSettings, ledger: Ledger) -> pandas.DataFrame:
        """The corpus's table with `split` filled, and `fold` if the policy has folds.

        Raises:
            UsageError: the corpus does not support the policy, or has fewer folds than the selected number.
        """
        if self.splits_own:
            return split_own(table.copy(), self.corpus, self.policy, settings, ledger)
        if self.policy != "official" or "fold" not in table:
            table = table.assign(fold=pandas.Series(pandas.NA, index=table.index, dtype="string"))
        ids = table["utterance_id"]
        if self.lists:
            table["fold"] = ids.map(self.lists.fold_of).astype("string")
            if self.lists.split_of and not (self.has_folds and settings.fold):
                table["split"] = ids.map(self.lists.split_of).astype("string")
                return table
            table["split"] = split_of_fold(table, chosen_fold(table, self.policy, settings), settings)
        elif self.policy == OF_ALL_CORPORA:
            table["split"] = "train"  # replaced once the tables of all corpora are joined
        elif self.has_folds:
            table = assign_folds(table, self.policy, settings)
        elif self.policy == "speaker":
            table["split"] = by_group(table, "speaker", self.corpus, settings)
        elif self.policy == SENTENCE:
            table["split"] = by_sentence(table, self.corpus, settings)
        elif self.policy == SPEAKER_AND_SENTENCE:
            table = self._without_crossing(
                table.assign(split=by_speaker_and_sentence(table, self.corpus, settings)), ledger
            )
        elif self.policy != "official":
            table["split"] = self.policy
        if self.has_folds and self.policy != OF_ALL_CORPORA:
            note_fold(ledger, self.corpus, table, self.policy, settings)
        return table

    def _without_crossing(self, table: pandas.DataFrame, ledger: Ledger) -> pandas.DataFrame:
        """The utterances that have a split; the ledger names the others."""
        for utterance_id in table["utterance_id"][table["split"].isna()]:
            ledger.drop(self.corpus, utterance_id, CROSSING)
        return table[table["split"].notna()]


def note_fold(ledger: Ledger, corpus: str, table: pandas.DataFrame, policy: str, settings: SplitSettings) -> None:
    """Enter in the ledger of a corpus which fold its split shows."""
    shown = chosen_fold(table, policy, settings)
    ledger.note(
        corpus, f"the split is fold {shown} of {policy} ({len(fold_names(table))} in all); --fold N selects another"
    )


def read_divisions(corpora: Iterable[Corpus], settings: SplitSettings, folds: Path | None) -> dict[str, Division]:
    """The division of each corpus by name; policies and their files are checked here, before any audio is read.

    Args:
        corpora: with the requested policies.
        settings: how to split.
        folds: a clone of EmoBox, if a policy needs it.

    Raises:
        UsageError: a corpus does not support its policy, a file is missing, or a fold is selected and no policy has folds.
        DataError: a file is damaged.
    """
    divisions = {corpus.name: _division(corpus, corpus.split, folds) for corpus in corpora}
    over_all = [name for name, division in divisions.items() if division.policy == OF_ALL_CORPORA]
    if over_all and len(over_all) < len(divisions):
        raise UsageError(
            f"{OF_ALL_CORPORA} splits all corpora together and was given for {' and '.join(over_all)} only; "
            f"give it as --split {OF_ALL_CORPORA}, without a corpus."
        )
    if over_all and len(over_all) == 1:
        raise UsageError(
            f"{OF_ALL_CORPORA} needs at least two corpora and was given {over_all[0]} only; name other corpora too."
        )
    if settings.fold and not any(division.has_folds for division in divisions.values()):
        raise UsageError(
            f"Fold {settings.fold} was asked for and no corpus is split into folds; "
            "choose a --split that has some, such as leave-one-speaker-out."
        )
    return divisions


def _division(corpus: Corpus, policy: str, folds: Path | None) -> Division:
    name = corpus.name
    if policy.lower().endswith(".csv"):
        return Division(name, policy, fold_lists.read_csv(Path(policy), name), is_own=corpus.is_own)
    supported = policies_of(corpus)
    if corpus.is_own and not corpus.has_speakers and policy in BY_SPEAKER:
        raise UsageError(
            f"--split {name}={policy} needs speakers, and {name} states none; name their column with --columns speaker=NAME, or "
            f"choose one of {', '.join(supported)}."
        )
    if policy not in supported:
        raise UsageError(
            f"--split {name}={policy} is unknown; choose one of {', '.join(supported)}, or name a CSV of your own."
        )
    has_lists = policy == "emobox" and name in EMOBOX_LISTS
    lists = fold_lists.read_emobox(folds, name) if has_lists else None
    has_own_folds = "fold" in corpus.options.get("columns", {})
    return Division(name, policy, lists, is_own=corpus.is_own, has_own_folds=has_own_folds)


def drops_repeated_texts(corpus: Corpus) -> bool:
    """Whether train utterances with a text of dev or test are dropped; acted corpora repeat a few fixed sentences.

    Raises:
        UsageError: the option is neither drop nor keep.
    """
    value = corpus.options.get(REPEATED_TEXTS, "keep")
    if value not in ("drop", "keep"):
        raise UsageError(f"{corpus.name} has the option {REPEATED_TEXTS}: {value}; expected drop or keep.")
    return bool(value == "drop")
