"""Folds: who is tested in which round of a cross-validation, and what the other rounds' utterances then are.

A table's `fold` names, for every utterance, the fold in which it is tested; none where it is tested in no fold. From that
column alone `split_of_fold` gives train, dev and test of any fold, so that a prepared folder serves all of them.

Sources: EmoBox's folds of speakers are those of its lists (github.com/emo-box/EmoBox, data/<corpus>/fold_*), EMO-SUPERB's
those of its label tables (github.com/EMOsuperb/EMO-SUPERB-submission, data/CREMA-D).
"""

from collections.abc import Callable

import pandas

from emokit.data.splits.draw import SplitSettings, draw_speakers, draw_utterances
from emokit.errors import UsageError

# corpus -> the test speakers of each fold
EMOBOX: dict[str, dict[str, str]] = {
    "esd": {  # both languages in every fold
        "1": "0005 0011 0016 0018",
        "2": "0012 0014 0015 0019",
        "3": "0003 0004 0006 0009",
        "4": "0007 0008 0013 0020",
        "5": "0001 0002 0010 0017",
    },
    "jl_corpus": {"1": "male2", "2": "female1", "3": "male1", "4": "female2"},
    "ravdess": {
        "1": "01 11 20 21",
        "2": "04 10 12 14",
        "3": "08 09 19 23",
        "4": "03 05 07 24",
        "5": "02 15 16 18",
        "6": "06 13 17 22",
    },
    "savee": {"1": "JE", "2": "KL", "3": "DC", "4": "JK"},
}
# The first and the last actor of each of EMO-SUPERB's sessions of CREMA-D: a session is tested, the next one is dev.
EMO_SUPERB = {
    "S1": ("1001", "1018"),
    "S2": ("1019", "1036"),
    "S3": ("1037", "1054"),
    "S4": ("1055", "1072"),
    "S5": ("1073", "1091"),
}
NEXT_SESSION = dict(zip(EMO_SUPERB, [*list(EMO_SUPERB)[1:], "S1"], strict=True))
# Where nobody says who speaks, every utterance stands for a speaker of its own.
WITHOUT_SPEAKERS = ("goemotions",)


def assign_folds(table: pandas.DataFrame, policy: str, settings: SplitSettings) -> pandas.DataFrame:
    """The table with its `fold` by a policy that needs no files, and with the `split` of the fold that `settings` choose.

    Args:
        table: utterances with the contract's columns, of one corpus or of several.
        policy: one of FOLD_POLICIES, or `prepared` for the folds that the table has.
        settings: `fold` (counted from 1; the first one by default), the seed and the share of dev.

    Raises:
        UsageError: the policy is unknown, is none for a corpus of the table, or has fewer folds than the one chosen.
    """
    if policy not in FOLD_POLICIES and policy != "prepared":
        raise UsageError(f"The folds {policy} are unknown; choose one of {', '.join((*FOLD_POLICIES, 'prepared'))}.")
    folded = table.copy()
    if policy != "prepared":
        folds = [FOLD_POLICIES[policy](str(corpus), rows) for corpus, rows in table.groupby("corpus", sort=True)]
        folded["fold"] = pandas.concat(folds).astype("string")
    names = fold_names(folded)
    if not names:
        raise UsageError(
            "The prepared table has no folds; prepare it with a --split that has some, such as leave-one-speaker-out."
        )
    if len(names) == 1 and policy == "leave-one-corpus-out":
        raise UsageError(
            f"leave-one-corpus-out needs two corpora or more, and {names[0]} is alone; name others as well."
        )
    folded["split"] = split_of_fold(folded, chosen_fold(folded, policy, settings), settings)
    return folded


def fold_names(table: pandas.DataFrame) -> list[str]:
    """The folds of a table, numbers in the order of numbers; none where no utterance has a fold."""
    names = table["fold"].dropna().unique()
    return sorted(names, key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name))


def chosen_fold(table: pandas.DataFrame, policy: str, settings: SplitSettings) -> str:
    """The name of the fold that `settings.fold` counts to.

    Raises:
        UsageError: there are fewer.
    """
    names, number = fold_names(table), settings.fold or 1
    if number > len(names):
        raise UsageError(
            f"Fold {number} was asked for and {policy} has {len(names)} of {', '.join(sorted(table['corpus'].unique()))}; "
            f"choose --fold 1 to {len(names)}."
        )
    return names[number - 1]


def split_of_fold(table: pandas.DataFrame, fold: str, settings: SplitSettings) -> pandas.Series:
    """The split of every row when `fold` is tested.

    Dev is drawn, with the seed, from the speakers who are not tested, stratified by label; of EMO-SUPERB's sessions it is
    the next one. Where folds divide speakers (some of EmoBox's), or one speaker alone is left, it is drawn from the
    utterances that are not tested. A corpus without folds keeps its split but for what it would test: that is left out
    (missing), as every fold would test it again.

    Args:
        table: utterances with `fold` filled; row order and index play no part.
        fold: one of `fold_names(table)`.
        settings: the share of dev and the seed.

    Raises:
        UsageError: there is no such fold.
    """
    names = fold_names(table)
    if fold not in names:
        raise UsageError(f"There is no fold {fold}; expected one of {', '.join(names)}.")
    parts = [_split_of_corpus(str(corpus), rows, fold, settings) for corpus, rows in table.groupby("corpus", sort=True)]
    return pandas.concat(parts).reindex(table.index).astype("string")


def _split_of_corpus(corpus: str, rows: pandas.DataFrame, fold: str, settings: SplitSettings) -> pandas.Series:
    if rows["fold"].isna().all():
        return rows["split"].where(rows["split"] != "test")
    tested = (rows["fold"] == fold).fillna(False)
    split = pandas.Series("train", index=rows.index).mask(tested.astype(bool), "test")
    rest = rows[split == "train"]
    if corpus == "crema_d" and fold in NEXT_SESSION:
        dev = rest.index[rest["fold"] == NEXT_SESSION[fold]]
    else:
        dev = _dev(rest, rows, is_tested=bool(tested.any()), settings=settings)
    split[dev] = "dev"
    return split


def _dev(rest: pandas.DataFrame, rows: pandas.DataFrame, *, is_tested: bool, settings: SplitSettings) -> pandas.Index:
    """The rows of dev among those of a corpus that are not tested."""
    num_speakers, num_left = rows["speaker"].nunique(), rest["speaker"].nunique()
    if num_left < 3 and not is_tested:
        return rest.index[:0]  # Other corpora have the dev speakers of this fold.
    folds_divide_speakers = (rows.groupby("speaker")["fold"].nunique(dropna=False) > 1).any()
    if folds_divide_speakers or num_left < 2 or num_left == len(rest):
        return draw_utterances(rest, settings.dev_share, settings.seed)
    num_dev = min(max(1, round(settings.dev_share * num_speakers)), num_left - 1)
    speakers, _ = draw_speakers(rest, (num_dev,), settings.seed)
    return rest.index[rest["speaker"].isin(speakers)]


def _emobox(corpus: str, rows: pandas.DataFrame) -> pandas.Series:
    if corpus not in EMOBOX:
        raise UsageError(
            f"EmoBox has no folds of speakers for {corpus}, but for {', '.join(EMOBOX)}; where it has lists of utterances, "
            "prepare with --split emobox --folds DIR and name these folds `prepared`."
        )
    fold_of = {speaker: fold for fold, speakers in EMOBOX[corpus].items() for speaker in speakers.split()}
    return rows["speaker"].map(fold_of)


def _emo_superb(corpus: str, rows: pandas.DataFrame) -> pandas.Series:
    if corpus != "crema_d":
        raise UsageError(f"emo-superb has folds for crema_d alone; choose leave-one-speaker-out for {corpus}.")
    fold_of = {str(n): fold for fold, (first, last) in EMO_SUPERB.items() for n in range(int(first), int(last) + 1)}
    return rows["speaker"].map(fold_of)


def _speakers(corpus: str, rows: pandas.DataFrame) -> pandas.Series:
    if corpus in WITHOUT_SPEAKERS:
        raise UsageError(f"{corpus} does not say who speaks, so no speaker can be left out; leave {corpus} out.")
    speakers = sorted(rows["speaker"].unique())
    if len(speakers) < 2:
        raise UsageError(
            f"{corpus} has the speaker {speakers[0]} alone, and leave-one-speaker-out needs two or more; leave {corpus} out."
        )
    return rows["speaker"]


def _corpora(corpus: str, rows: pandas.DataFrame) -> pandas.Series:
    return rows["corpus"]


FOLD_POLICIES: dict[str, Callable[[str, pandas.DataFrame], pandas.Series]] = {
    "emobox": _emobox,
    "emo-superb": _emo_superb,
    "leave-one-speaker-out": _speakers,
    "leave-one-corpus-out": _corpora,
}
"""Policies that make folds of a table alone: corpus, its rows -> the fold of each row."""
