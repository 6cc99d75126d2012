"""Splits of own data."""

from typing import Any

import pandas
import pytest

from emokit.data.catalogue import own_corpus
from emokit.data.ledger import Ledger
from emokit.data.splits.draw import SplitSettings
from emokit.data.splits.own import split_own
from emokit.data.splits.policies import policies_of, read_divisions
from emokit.errors import UsageError


def table_of(number: int = 60, **columns: Any) -> pandas.DataFrame:
    """Utterances with two labels, each its own speaker if none are given."""
    ids = [f"calls/{n:03d}" for n in range(number)]
    table = pandas.DataFrame(
        {"utterance_id": ids, "corpus": "calls", "label": ["joy"] * (number // 2) + ["anger"] * (number // 2)}
    )
    defaults = {"speaker": [name[6:] for name in ids], "dialogue": None, "split": None, "fold": None}
    for name, values in (defaults | columns).items():
        table[name] = pandas.Series(values, index=table.index, dtype="string")
    return table


def split(table: pandas.DataFrame, policy: str = "auto", **settings: Any) -> tuple[pandas.DataFrame, list[str]]:
    ledger = Ledger()
    result = split_own(table.copy(), "calls", policy, SplitSettings(**settings), ledger)
    return result, ledger.notes["calls"]


def sizes(table: pandas.DataFrame) -> dict[str, int]:
    return dict(table["split"].value_counts())


def test_without_speakers_and_dialogues_the_labels_are_stratified() -> None:
    result, notes = split(table_of())
    assert sizes(result) == {"train": 36, "dev": 12, "test": 12}
    counts = pandas.crosstab(result["label"], result["split"])
    assert counts.to_dict("list") == {"dev": [6, 6], "test": [6, 6], "train": [18, 18]}
    assert notes == ["no split of its own: stratified by label; --split calls=POLICY chooses another way"]
    again, _ = split(table_of())
    other, _ = split(table_of(), seed=1)
    assert again.equals(result)
    assert not other.equals(result)


@pytest.mark.parametrize("column", ["speaker", "dialogue"])
def test_three_groups_are_kept_apart(column: str) -> None:
    result, notes = split(table_of(**{column: ["a", "a", "b", "b", "c", "c"] * 10}))
    assert result.groupby(column)["split"].nunique().max() == 1
    assert set(result["split"]) == {"train", "dev", "test"}
    assert notes == [f"no split of its own: no {column} is in two splits; --split calls=POLICY chooses another way"]


def test_two_speakers_are_too_few_and_dialogues_come_next() -> None:
    result, _ = split(table_of(speaker=["a", "b"] * 30, dialogue=[f"d{n % 15}" for n in range(60)]))
    assert result.groupby("dialogue")["split"].nunique().max() == 1
    by_labels, _ = split(table_of(speaker=["a", "b"] * 30))
    assert sizes(by_labels) == {"train": 36, "dev": 12, "test": 12}


def test_the_own_split_is_used_as_it_is() -> None:
    own = ["train", "dev", "test"] * 20
    for policy in ("auto", "official"):
        result, notes = split(table_of(split=own), policy)
        assert list(result["split"]) == own
        assert notes == []
    drawn, _ = split(table_of(split=own), "stratified")
    assert list(drawn["split"]) != own


@pytest.mark.parametrize(
    ("speakers", "own", "expected", "note"),
    [
        (None, ["train", "train", "test"], {"train": 32, "dev": 8, "test": 20},
         "no dev in its own split, so drawn from train: stratified by label"),
        (["a", "b", "c", "d", "e", "f"], ["train", "train", "train", "train", "dev", "dev"],
         {"train": 30, "dev": 20, "test": 10}, "no test in its own split, so drawn from train: no speaker is in two splits"),
        (None, ["train"], {"train": 36, "dev": 12, "test": 12},
         "no dev and no test in its own split, so drawn from train: stratified by label"),
    ],
)  # fmt: skip
def test_a_split_that_is_missing_is_drawn_from_train(
    speakers: list[str] | None, own: list[str], expected: dict[str, int], note: str
) -> None:
    given = {"speaker": speakers * 10} if speakers else {}
    table = table_of(split=own * (60 // len(own)), **given)
    result, notes = split(table)
    assert (sizes(result), notes) == (expected, [note])
    # What the table says of the others remains.
    stated = table["split"] != "train"
    assert (result["split"][stated] == table["split"][stated]).all()
    if speakers:
        assert result.groupby("speaker")["split"].nunique().max() == 1


def test_test_alone_is_not_drawn_from() -> None:
    result, notes = split(table_of(split=["test"] * 60))
    assert (sizes(result), notes) == ({"test": 60}, ["no utterance in train and dev"])


def test_own_folds_are_used_where_there_is_no_split_or_a_fold_is_chosen() -> None:
    folds = ["1", "1", "2", "2", "3", "3"] * 10
    result, notes = split(table_of(fold=folds))
    assert set(result["fold"][result["split"] == "test"]) == {"1"}
    assert notes == ["the split is fold 1 of its own (3 in all); --fold N selects another"]
    own = ["train", "dev", "test"] * 20
    assert list(split(table_of(fold=folds, split=own))[0]["split"]) == own
    chosen, _ = split(table_of(fold=folds, split=own), fold=2)
    assert set(chosen["fold"][chosen["split"] == "test"]) == {"2"}


def test_labels_that_a_split_lacks_are_noted_with_their_numbers() -> None:
    table = table_of(speaker=["a", "b", "c", "d", "e", "f"] * 10)
    table.loc[0, "label"] = "love"
    table.loc[table["speaker"] == "b", "label"] = "fear"
    result, notes = split(table)
    where = {label: set(result["split"][result["label"] == label]) for label in ("love", "fear")}
    assert len(where["love"]) == len(where["fear"]) == 1
    lacking = {
        label: " and ".join(name for name in ("train", "dev", "test") if name not in where[label]) for label in where
    }
    assert notes[1:3] == [
        f"no fear in {lacking['fear']}: it has 10 utterances of 1 speaker",
        f"no love in {lacking['love']}: it has 1 utterance of 1 speaker",
    ]


@pytest.mark.parametrize(
    ("policy", "settings", "sentence"),
    [
        ("official", {}, "calls has no split and no fold of its own; choose --split calls=speaker, dialogue or stratified."),
        (
            "stratified", {"dev_share": 0.5, "test_share": 0.5},
            "calls is to have 0.5 of its utterances in dev and 0.5 in test, which leaves none for train; "
            "lower dev_share or test_share.",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_split_is_refused(policy: str, settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        split(table_of(), policy, **settings)
    assert str(error.value) == sentence


def test_the_policies_of_own_data_depend_on_whether_they_name_speakers() -> None:
    nameless = own_corpus("calls", {"reader": "class_folders"}, "calls")
    assert policies_of(nameless) == [
        "auto", "official", "dialogue", "stratified", "sentence", "leave-one-corpus-out", "train", "dev", "test",
    ]  # fmt: skip
    named = nameless.model_copy(update={"has_speakers": True})
    assert [p for p in policies_of(named) if p not in policies_of(nameless)] == [
        "speaker", "speaker+sentence", "leave-one-speaker-out",
    ]  # fmt: skip


def test_a_fold_is_refused_where_no_column_names_folds() -> None:
    corpus = own_corpus("calls", {"reader": "class_folders"}, "calls")
    with pytest.raises(UsageError, match="Fold 2 was asked for and no corpus is split into folds"):
        read_divisions([corpus], SplitSettings(fold=2), None)
    folded = corpus.model_copy(update={"options": {"columns": {"fold": "fold"}}})
    assert read_divisions([folded], SplitSettings(fold=2), None)["calls"].has_folds
