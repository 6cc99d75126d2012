"""What `--split` can name, and what each policy makes of a corpus.

speaker                  no speaker in two of train, dev and test, labels in like shares
official                 the corpus's own
emobox                   EmoBox's folds: of speakers (esd, jl_corpus, ravdess, savee), or of utterances, from a clone of it
emo-superb               five folds of actors, of CREMA-D
leave-one-speaker-out    as many folds as speakers
leave-one-corpus-out     as many folds as corpora, of all corpora together
train, dev, test         the whole corpus into one split
my.csv                   a file of one's own
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas

from emokit.data.catalogue import Corpus
from emokit.data.ledger import Ledger
from emokit.data.splits import fold_lists
from emokit.data.splits.draw import SplitSettings, by_speaker
from emokit.data.splits.fold_lists import EMOBOX_LISTS, Lists
from emokit.data.splits.folds import (
    EMOBOX,
    FOLD_POLICIES,
    WITHOUT_SPEAKERS,
    assign_folds,
    chosen_fold,
    fold_names,
    split_of_fold,
)
from emokit.data.utterance import SPLITS, Utterance
from emokit.errors import DataError, UsageError

OFFICIAL = ("esd", "goemotions", "meld")
OF_ALL_CORPORA = "leave-one-corpus-out"
REPEATED_TEXTS = "repeated_texts"


def policies_of(corpus: str) -> list[str]:
    """The policies that exist for a corpus, beside a CSV of one's own."""
    exists = {
        "speaker": corpus not in WITHOUT_SPEAKERS,
        "official": corpus in OFFICIAL,
        "emobox": corpus in EMOBOX or corpus in EMOBOX_LISTS,
        "emo-superb": corpus == "crema_d",
        "leave-one-speaker-out": corpus not in WITHOUT_SPEAKERS,
    }
    return [*(policy for policy, there in exists.items() if there), OF_ALL_CORPORA, *SPLITS]


@dataclass(frozen=True)
class Division:
    """The policy of one corpus, with what it needs already read."""

    corpus: str
    policy: str
    lists: Lists | None = None

    @property
    def has_folds(self) -> bool:
        """Whether there are folds to choose from."""
        return bool(self.lists.fold_of) if self.lists else self.policy in FOLD_POLICIES

    @property
    def identity(self) -> str:
        """What tells this division from others in the settings of a prepared folder: files count by what they say."""
        return f"{Path(self.policy).name} {self.lists.digest}" if self.lists else self.policy

    def listed(self, found: list[tuple[Utterance, str]], ledger: Ledger) -> list[tuple[Utterance, str]]:
        """The utterances that the division knows, before any sound is read; EmoBox's lists may lack some.

        Raises:
            UsageError: a CSV lacks utterances or names some that are not there.
            DataError: EmoBox's lists name none of the utterances.
        """
        if self.lists is None:
            return found
        names = [utterance.utterance_id for utterance, _ in found]
        left_out = [name for reasons in ledger.dropped[self.corpus].values() for name in reasons]
        if self.policy != "emobox":
            fold_lists.refuse_gaps(self.lists, self.corpus, names, left_out)
            return found
        extra = fold_lists.not_there(self.lists, names, left_out)
        kept = [item for item in found if item[0].utterance_id in self.lists.listed]
        if not kept:
            raise DataError(
                f"{self.corpus}: EmoBox's lists in {self.lists.source} name none of the {len(found)} utterances that are "
                "there; see that --root names the corpus and --folds a clone of EmoBox."
            )
        if extra:
            ledger.note(self.corpus, f"EmoBox's lists name {extra} that are not there")
        for name in set(names) - self.lists.listed:
            ledger.drop(self.corpus, name, "in none of EmoBox's lists")
        return kept

    def assign(self, table: pandas.DataFrame, settings: SplitSettings, ledger: Ledger) -> pandas.DataFrame:
        """The corpus's table with `split` and, where there are folds, `fold` filled.

        Raises:
            UsageError: the corpus cannot meet the policy, or has fewer folds than the one chosen.
        """
        table = table.assign(fold=pandas.Series(pandas.NA, index=table.index, dtype="string"))
        ids = table["utterance_id"]
        if self.lists:
            table["fold"] = ids.map(self.lists.fold_of).astype("string")
            if self.lists.split_of and not (self.has_folds and settings.fold):
                table["split"] = ids.map(self.lists.split_of).astype("string")
                return table
            table["split"] = split_of_fold(table, chosen_fold(table, self.policy, settings), settings)
        elif self.policy == OF_ALL_CORPORA:
            table["split"] = "train"  # Until all corpora are there.
        elif self.has_folds:
            table = assign_folds(table, self.policy, settings)
        elif self.policy == "speaker":
            table["split"] = by_speaker(table, self.corpus, settings)
        elif self.policy != "official":
            table["split"] = self.policy
        if self.has_folds and self.policy != OF_ALL_CORPORA:
            note_fold(ledger, self.corpus, table, self.policy, settings)
        return table


def note_fold(ledger: Ledger, corpus: str, table: pandas.DataFrame, policy: str, settings: SplitSettings) -> None:
    """Note for a corpus which fold of a table its split shows."""
    shown = chosen_fold(table, policy, settings)
    ledger.note(
        corpus, f"the split is fold {shown} of {policy} ({len(fold_names(table))} in all); --fold N chooses another"
    )


def read_divisions(corpora: Iterable[Corpus], settings: SplitSettings, folds: Path | None) -> dict[str, Division]:
    """The division of each corpus by name; what is wrong with policies and their files shows here, before any sound is read.

    Args:
        corpora: with the policies asked for.
        settings: how to divide.
        folds: a clone of EmoBox, where a policy needs it.

    Raises:
        UsageError: a policy does not exist for its corpus, lacks its files, or a fold is chosen where there are none.
        DataError: a file is damaged.
    """
    divisions = {corpus.name: _division(corpus.name, corpus.split, folds) for corpus in corpora}
    of_all = [name for name, division in divisions.items() if division.policy == OF_ALL_CORPORA]
    if of_all and len(of_all) < len(divisions):
        raise UsageError(
            f"{OF_ALL_CORPORA} is a split of all corpora together and was given for {' and '.join(of_all)}; "
            f"give it as --split {OF_ALL_CORPORA}, without a corpus."
        )
    if of_all and len(of_all) == 1:
        raise UsageError(f"{OF_ALL_CORPORA} needs two corpora or more, and {of_all[0]} is alone; name others as well.")
    if settings.fold and not any(division.has_folds for division in divisions.values()):
        raise UsageError(
            f"Fold {settings.fold} was asked for and no corpus is split into folds; "
            "choose a --split that has some, such as leave-one-speaker-out."
        )
    return divisions


def _division(corpus: str, policy: str, folds: Path | None) -> Division:
    if policy.lower().endswith(".csv"):
        return Division(corpus, policy, fold_lists.read_csv(Path(policy), corpus))
    known = policies_of(corpus)
    if policy not in known:
        raise UsageError(
            f"--split {corpus}={policy} is unknown; choose one of {', '.join(known)}, or name a CSV of your own."
        )
    by_lists = policy == "emobox" and corpus in EMOBOX_LISTS
    return Division(corpus, policy, fold_lists.read_emobox(folds, corpus) if by_lists else None)


def drops_repeated_texts(corpus: Corpus) -> bool:
    """Whether what train repeats of the texts of dev and test is dropped; acted corpora say the same few sentences.

    Raises:
        UsageError: the option has another value than drop or keep.
    """
    chosen = corpus.options.get(REPEATED_TEXTS, "keep")
    if chosen not in ("drop", "keep"):
        raise UsageError(f"{corpus.name} has the option {REPEATED_TEXTS}: {chosen}; expected drop or keep.")
    return bool(chosen == "drop")
