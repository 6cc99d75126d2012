"""Folds of a cross-validation: the fold in which each utterance is tested, and the split of all utterances for a fold.

The column `fold` of a table names the fold in which an utterance is tested; it is missing for utterances that no fold tests.
`split_of_fold` computes train, dev and test of any fold from that column, so one prepared folder serves all folds.

Sources: EmoBox's folds by speaker are from its lists (github.com/emo-box/EmoBox, data/<corpus>/fold_*), EMO-SUPERB's from its
label tables (github.com/EMOsuperb/EMO-SUPERB-submission, data/CREMA-D).
"""

from collections.abc import Callable

import pandas

from emokit.data.splits.draw import SplitSettings, draw_groups, draw_utterances
from emokit.data.utterance import has_speakers
from emokit.errors import UsageError

# EmoBox's folds by speaker: corpus -> fold -> its test speakers. A test compares a digest of this table.
EMOBOX_FOLDS: dict[str, dict[str, str]] = {
    "esd": {  # both languages in every fold
        "1": "0005 0011 0016 0018",
        "2": "0012 0014 0015 0019",
        "3": "0003 0004 0006 0009",
        "4": "0007 0008 0013 0020",
        "5": "0001 0002 0010 0017",
    },
    "iemocap": {  # its sessions
        "1": "Ses01F Ses01M",
        "2": "Ses02F Ses02M",
        "3": "Ses03F Ses03M",
        "4": "Ses04F Ses04M",
        "5": "Ses05F Ses05M",
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
# EMO-SUPERB's sessions of CREMA-D: first and last actor. Each session is one fold's test; the next session is its dev.
EMO_SUPERB = {
    "S1": ("1001", "1018"),
    "S2": ("1019", "1036"),
    "S3": ("1037", "1054"),
    "S4": ("1055", "1072"),
    "S5": ("1073", "1091"),
}
# Corpus -> fold that is a session -> the session that is its dev.
NEXT_SESSIONS = {
    "crema_d": dict(zip(EMO_SUPERB, [*list(EMO_SUPERB)[1:], "S1"], strict=True)),
    "iemocap": dict(zip("12345", "23451", strict=True)),
}


def assign_folds(table: pandas.DataFrame, policy: str, settings: SplitSettings) -> pandas.DataFrame:
    """A copy of the table with `fold` by a policy that needs no files, and with the `split` of the selected fold.

    Args:
        table: utterances of one or several corpora.
        policy: one of FOLD_POLICIES, or `prepared` for the folds in the table.
        settings: `fold` (counted from 1; the first by default), the seed and the share of dev.

    Raises:
        UsageError: the policy is unknown, has no folds of a corpus in the table, or has fewer folds than the selected number.
    """
    if policy not in FOLD_POLICIES and policy != "prepared":
        raise UsageError(f"--folds {policy} is unknown; choose one of {', '.join((*FOLD_POLICIES, 'prepared'))}.")
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
            f"leave-one-corpus-out needs at least two corpora and was given {names[0]} only; name other corpora too."
        )
    folded["split"] = split_of_fold(folded, chosen_fold(folded, policy, settings), settings)
    return folded


def fold_names(table: pandas.DataFrame) -> list[str]:
    """The names of a table's folds, numbers in numerical order; empty if no utterance has a fold."""
    names = table["fold"].dropna().unique()
    return sorted(names, key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name))


def chosen_fold(table: pandas.DataFrame, policy: str, settings: SplitSettings) -> str:
    """The name of the fold with the number `settings.fold`.

    Raises:
        UsageError: there are fewer folds.
    """
    names, number = fold_names(table), settings.fold or 1
    if number > len(names):
        raise UsageError(
            f"Fold {number} was asked for and {policy} has {len(names)} of {', '.join(sorted(table['corpus'].unique()))}; "
            f"choose --fold 1 to {len(names)}."
        )
    return names[number - 1]


def split_of_fold(table: pandas.DataFrame, fold: str, settings: SplitSettings) -> pandas.Series:
    """The split of each row when `fold` is tested.

    Dev is drawn, with the seed and stratified by label, from the speakers that are not tested; for EMO-SUPERB and IEMOCAP it is
    the next session (IEMOCAP's two speakers talk to each other). If folds divide speakers (some of EmoBox's) or only one
    speaker is left, dev is drawn from the utterances that are not tested. A corpus without folds keeps its train and dev; the
    split of its test utterances is missing, since every fold would test them again.

    Args:
        table: utterances with `fold` filled; the result does not depend on row order and index.
        fold: one of `fold_names(table)`.
        settings: the share of dev and the seed.

    Raises:
        UsageError: there is no such fold.
    """
    names = fold_names(table)
    if fold not in names:
        raise UsageError(f"There is no fold {fold}; expected one of {', '.join(names)}.")
    splits = [
        _split_of_corpus(str(corpus), rows, fold, settings) for corpus, rows in table.groupby("corpus", sort=True)
    ]
    return pandas.concat(splits).reindex(table.index).astype("string")


def _split_of_corpus(corpus: str, rows: pandas.DataFrame, fold: str, settings: SplitSettings) -> pandas.Series:
    if rows["fold"].isna().all():
        return rows["split"].where(rows["split"] != "test")
    tested = (rows["fold"] == fold).fillna(False)
    split = pandas.Series("train", index=rows.index).mask(tested.astype(bool), "test")
    rest = rows[split == "train"]
    if fold in NEXT_SESSIONS.get(corpus, {}):
        dev = rest.index[rest["fold"] == NEXT_SESSIONS[corpus][fold]]
    else:
        dev = _dev(rest, rows, is_tested=bool(tested.any()), settings=settings)
    split[dev] = "dev"
    return split


def _dev(rest: pandas.DataFrame, rows: pandas.DataFrame, *, is_tested: bool, settings: SplitSettings) -> pandas.Index:
    """The index of dev among the rows of a corpus that are not tested (`rest`)."""
    num_speakers, num_left = rows["speaker"].nunique(), rest["speaker"].nunique()
    if num_left < 3 and not is_tested:
        return rest.index[:0]  # the dev speakers of this fold are from other corpora
    folds_divide_speakers = (rows.groupby("speaker")["fold"].nunique(dropna=False) > 1).any()
    if folds_divide_speakers or num_left < 2 or num_left == len(rest):
        return draw_utterances(rest, settings.dev_share, settings.seed)
    num_dev = min(max(1, round(settings.dev_share * num_speakers)), num_left - 1)
    speakers, _ = draw_groups(rest, "speaker", (num_dev,), settings.seed)
    return rest.index[rest["speaker"].isin(speakers)]


def _emobox(corpus: str, rows: pandas.DataFrame) -> pandas.Series:
    if corpus not in EMOBOX_FOLDS:
        raise UsageError(
            f"EmoBox has no folds by speaker for {corpus}, only for {', '.join(EMOBOX_FOLDS)}; for its lists of utterances, "
            "prepare with --split emobox --folds DIR and train with --folds prepared."
        )
    fold_of = {speaker: fold for fold, speakers in EMOBOX_FOLDS[corpus].items() for speaker in speakers.split()}
    return rows["speaker"].map(fold_of)


def _emo_superb(corpus: str, rows: pandas.DataFrame) -> pandas.Series:
    if corpus != "crema_d":
        raise UsageError(f"emo-superb has folds for crema_d only; choose leave-one-speaker-out for {corpus}.")
    fold_of = {str(n): fold for fold, (first, last) in EMO_SUPERB.items() for n in range(int(first), int(last) + 1)}
    return rows["speaker"].map(fold_of)


def _sessions(corpus: str, rows: pandas.DataFrame) -> pandas.Series:
    if corpus != "iemocap":
        raise UsageError(
            f"leave-one-session-out has folds for iemocap only; choose leave-one-speaker-out for {corpus}."
        )
    return _emobox(corpus, rows)


def _speakers(corpus: str, rows: pandas.DataFrame) -> pandas.Series:
    if not has_speakers(rows):
        raise UsageError(f"{corpus} has no speaker labels, so no speaker can be held out; leave {corpus} out.")
    speakers = sorted(rows["speaker"].unique())
    if len(speakers) < 2:
        raise UsageError(
            f"{corpus} has the speaker {speakers[0]} only and leave-one-speaker-out needs at least two; leave {corpus} out."
        )
    return rows["speaker"]


def _corpora(corpus: str, rows: pandas.DataFrame) -> pandas.Series:
    return rows["corpus"]


FOLD_POLICIES: dict[str, Callable[[str, pandas.DataFrame], pandas.Series]] = {
    "emobox": _emobox,
    "emo-superb": _emo_superb,
    "leave-one-session-out": _sessions,
    "leave-one-speaker-out": _speakers,
    "leave-one-corpus-out": _corpora,
}
"""Policies that need no files: (corpus, its rows) -> the fold of each row."""
