"""The splits of a user's own data: their own column, or drawn by speaker, by dialogue, or stratified by label.

auto         the own split or fold, else by speaker with three or more, else by dialogue, else stratified
official     the own split or fold; without dev (or test) it is drawn from train
speaker      no speaker is in two splits
dialogue     no dialogue is in two splits
stratified   utterances, with similar label shares in each split
"""

import pandas

from emokit.data.ledger import Ledger
from emokit.data.splits.draw import SplitSettings, by_group, draw_groups, draw_utterances, with_groups
from emokit.data.splits.folds import chosen_fold, fold_names, split_of_fold
from emokit.data.utterance import HELD_OUT, SPLITS, has_speakers
from emokit.errors import UsageError

AUTO = "auto"
OFFICIAL = "official"
STRATIFIED = "stratified"
GROUPS = ("speaker", "dialogue")
OWN_POLICIES = (AUTO, OFFICIAL, *GROUPS, STRATIFIED)
MOST_NAMED = 5


def split_own(
    table: pandas.DataFrame, corpus: str, policy: str, settings: SplitSettings, ledger: Ledger
) -> pandas.DataFrame:
    """The table of own data with `split` filled; `fold` only where the split is that of a fold.

    Args:
        table: utterances of one corpus, with the split and the fold of their own.
        corpus: its name.
        policy: one of OWN_POLICIES.
        settings: the shares of dev and test, the seed and the fold.
        ledger: receives how it was split, and the labels that a split lacks.

    Raises:
        UsageError: the data have nothing to split by, or too little of it.
    """
    has_split, has_folds = table["split"].notna().any(), table["fold"].notna().any()
    if policy == OFFICIAL and not (has_split or has_folds):
        raise UsageError(
            f"{corpus} has no split and no fold of its own; choose --split {corpus}=speaker, dialogue or stratified."
        )
    is_own = policy in (AUTO, OFFICIAL) and (has_split or has_folds)
    if is_own and has_folds and (settings.fold or not has_split):
        fold = chosen_fold(table, "its column fold", settings)
        table["split"] = split_of_fold(table, fold, settings)
        if table["fold"].isna().any():
            ledger.note(
                corpus,
                f"{int(table['fold'].isna().sum())} of {len(table)} utterances have no fold and are never tested",
            )
        ledger.note(
            corpus, f"the split is fold {fold} of its own ({len(fold_names(table))} in all); --fold N selects another"
        )
    elif is_own:
        table["split"] = _completed(table, corpus, settings, ledger)
    else:
        chosen = _group(table, fewest=len(SPLITS)) if policy == AUTO else policy
        table["split"] = _drawn(table, chosen, corpus, settings)
        table["fold"] = pandas.Series(pandas.NA, index=table.index, dtype="string")
        if policy == AUTO:
            ledger.note(corpus, f"no split of its own: {_way(chosen)}; --split {corpus}=POLICY chooses another way")
    _note_missing_labels(table, corpus, ledger)
    return table


def _group(table: pandas.DataFrame, fewest: int) -> str:
    """By what a table is split, if nothing is asked for: the first of GROUPS with enough groups, else STRATIFIED."""
    for column in GROUPS:
        is_named = has_speakers(table) if column == "speaker" else table[column].notna().any()
        if is_named and with_groups(table, column)[column].nunique() >= fewest:
            return column
    return STRATIFIED


def _drawn(table: pandas.DataFrame, policy: str, corpus: str, settings: SplitSettings) -> pandas.Series:
    if policy != STRATIFIED:
        return by_group(table, policy, corpus, settings)
    if settings.dev_share + settings.test_share >= 1:
        raise UsageError(
            f"{corpus} is to have {settings.dev_share:g} of its utterances in dev and {settings.test_share:g} in test, which "
            "leaves none for train; lower dev_share or test_share."
        )
    split = pandas.Series("train", index=table.index, dtype="string")
    split[draw_utterances(table, settings.test_share, settings.seed)] = "test"
    rest = table[split == "train"]
    split[draw_utterances(rest, settings.dev_share / (1 - settings.test_share), settings.seed)] = "dev"
    return split


def _completed(table: pandas.DataFrame, corpus: str, settings: SplitSettings, ledger: Ledger) -> pandas.Series:
    """The own split; dev and test, where no row is in them, are drawn from train."""
    split = table["split"].copy()
    missing = [name for name in HELD_OUT if not (split == name).any()]
    train = table[split == "train"]
    if not missing or train.empty:
        return split
    way = _group(train, fewest=len(missing) + 1)
    if len(missing) == len(HELD_OUT):
        split[train.index] = _drawn(train, way, corpus, settings)
    else:
        share = settings.dev_share if missing == ["dev"] else settings.test_share
        split[_drawn_from(train, way, share, settings.seed)] = missing[0]
    ledger.note(corpus, f"no {' and no '.join(missing)} in its own split, so drawn from train: {_way(way)}")
    return split


def _drawn_from(train: pandas.DataFrame, way: str, share: float, seed: int) -> pandas.Index:
    """The index of a share of the rows of train, at least one group and not all."""
    if way == STRATIFIED:
        return draw_utterances(train, share, seed)
    named = with_groups(train, way)
    number = named[way].nunique()
    drawn, _ = draw_groups(named, way, (min(max(1, round(share * number)), number - 1),), seed)
    return named.index[named[way].isin(drawn)]


def _way(policy: str) -> str:
    return "stratified by label" if policy == STRATIFIED else f"no {policy} is in two splits"


def _note_missing_labels(table: pandas.DataFrame, corpus: str, ledger: Ledger) -> None:
    """Note the splits without utterances, and the labels that a split lacks: how few utterances or speakers have them."""
    used = [split for split in SPLITS if (table["split"] == split).any()]
    if len(used) < len(SPLITS):
        ledger.note(corpus, f"no utterance in {' and '.join(split for split in SPLITS if split not in used)}")
    counts = pandas.crosstab(table["label"], table["split"])
    lacking = [label for label in counts.index if (counts.loc[label, used] == 0).any()]
    for label in lacking[:MOST_NAMED]:
        rows = table[table["label"] == label]
        speakers = f" of {_counted(rows['speaker'].nunique(), 'speaker')}" if has_speakers(table) else ""
        without = " and ".join(split for split in used if not counts.loc[label, split])
        ledger.note(corpus, f"no {label} in {without}: it has {_counted(len(rows), 'utterance')}{speakers}")
    if len(lacking) > MOST_NAMED:
        ledger.note(corpus, f"{len(lacking) - MOST_NAMED} more labels are missing in a split")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
