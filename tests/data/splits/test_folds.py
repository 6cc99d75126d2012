"""Who is tested in which fold, and what the others then are."""

import csv
import itertools
import json
from pathlib import Path

import pandas
import pytest

from emokit.data.splits.draw import SplitSettings
from emokit.data.splits.folds import EMOBOX, assign_folds, fold_names, split_of_fold
from emokit.errors import UsageError

LABELS = ("angry", "happy", "sad")
SEEDED = SplitSettings()


def corpus(name: str, speakers: list[str], per_label: int = 5, labels: tuple[str, ...] = LABELS) -> pandas.DataFrame:
    rows = [
        {"utterance_id": f"{name}/{speaker}{label}{n}", "corpus": name, "speaker": speaker, "label": label}
        for speaker in speakers
        for label in labels
        for n in range(per_label)
    ]
    return pandas.DataFrame(rows).assign(fold=pandas.NA, split="train")


def actors(number: int) -> list[str]:
    return [f"{n:02}" for n in range(1, number + 1)]


def speakers_of(table: pandas.DataFrame, split: pandas.Series) -> dict[str, set[str]]:
    return {name: set(table["speaker"][split == name]) for name in ("train", "dev", "test")}


@pytest.mark.parametrize(("name", "num_speakers"), [("esd", 20), ("jl_corpus", 4), ("ravdess", 24), ("savee", 4)])
def test_every_speaker_is_tested_in_one_of_emoboxs_folds(name: str, num_speakers: int) -> None:
    tested = list(itertools.chain.from_iterable(speakers.split() for speakers in EMOBOX[name].values()))
    assert len(tested) == len(set(tested)) == num_speakers


@pytest.mark.corpus
def test_emoboxs_folds_of_speakers_are_those_of_its_lists(corpora: Path) -> None:
    lists = json.loads((corpora / "emobox-folds.json").read_text())
    ours = {name: {fold: speakers.split() for fold, speakers in folds.items()} for name, folds in EMOBOX.items()}
    assert ours == {
        "esd": lists["esd"],
        "jl_corpus": lists["jlcorpus"],
        "ravdess": lists["ravdess"],
        "savee": lists["savee"],
    }


def test_in_every_fold_test_dev_and_train_share_no_speaker_and_everyone_is_tested_once() -> None:
    # As many utterances of each actor as RAVDESS has: 60.
    table = assign_folds(corpus("ravdess", actors(24), per_label=20), "emobox", SEEDED)
    assert fold_names(table) == ["1", "2", "3", "4", "5", "6"]
    times_tested = pandas.Series(0, index=table.index)
    for fold in fold_names(table):
        split = split_of_fold(table, fold, SEEDED)
        assert split.value_counts().to_dict() == {"train": 900, "dev": 300, "test": 240}
        found = speakers_of(table, split)
        assert found["test"] == set(EMOBOX["ravdess"][fold].split())
        assert sum(map(len, found.values())) == 24
        times_tested += (split == "test").astype(int)
    assert set(times_tested) == {1}


def test_the_split_shows_the_first_fold_or_the_one_chosen() -> None:
    table = corpus("savee", ["DC", "JE", "JK", "KL"])
    for settings, speaker in ((SEEDED, "JE"), (SplitSettings(fold=4), "JK")):
        folded = assign_folds(table, "emobox", settings)
        assert speakers_of(folded, folded["split"])["test"] == {speaker}
    assert table["fold"].isna().all(), "the table given is left as it was"


def test_the_speakers_of_dev_have_labels_like_all_who_are_not_tested() -> None:
    # Of the three speakers left, only B is as often angry as the others together.
    table = pandas.concat([corpus("savee", ["A", "B"]), corpus("savee", ["C", "D"], 9, ("angry",))], ignore_index=True)
    table.loc[table["speaker"] == "D", "label"] = "sad"
    for seed in range(3):
        settings = SplitSettings(seed=seed)
        folded = assign_folds(table, "leave-one-speaker-out", settings)
        assert speakers_of(folded, folded["split"])["dev"] == {"B"}


def test_the_order_of_the_rows_plays_no_part() -> None:
    table = corpus("emodb", actors(10))
    shuffled = table.sample(frac=1, random_state=1)
    one, other = (assign_folds(t, "leave-one-speaker-out", SEEDED) for t in (table, shuffled))
    pandas.testing.assert_series_equal(one["split"], other["split"].sort_index())


def test_the_seed_decides_who_of_those_alike_is_dev() -> None:
    table = corpus("emodb", actors(10))
    drawn = [
        frozenset(
            speakers_of(table, assign_folds(table, "leave-one-speaker-out", SplitSettings(seed=seed))["split"])["dev"]
        )
        for seed in (0, 0, 1, 2)
    ]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 3


def test_leave_one_speaker_out_has_a_fold_of_every_speaker_by_name() -> None:
    table = assign_folds(corpus("emodb", ["10", "03", "08"]), "leave-one-speaker-out", SEEDED)
    assert fold_names(table) == ["03", "08", "10"]
    assert speakers_of(table, split_of_fold(table, "10", SEEDED))["test"] == {"10"}


def test_numbered_folds_come_in_the_order_of_their_numbers() -> None:
    table = corpus("emodb", ["a"], per_label=4).assign(fold=["10", "9", "1", "S2", "S1", None] * 2)
    assert fold_names(table) == ["1", "9", "10", "S1", "S2"]


def test_where_one_speaker_is_left_dev_is_a_share_of_every_label_of_hers() -> None:
    table = assign_folds(corpus("tess", ["OAF", "YAF"], per_label=20), "leave-one-speaker-out", SEEDED)
    assert speakers_of(table, table["split"]) == {"train": {"YAF"}, "dev": {"YAF"}, "test": {"OAF"}}
    assert table[table["split"] == "dev"]["label"].value_counts().to_dict() == dict.fromkeys(LABELS, 4)


def test_where_folds_divide_speakers_dev_is_a_share_of_every_label_too() -> None:
    table = corpus("emodb", actors(4), per_label=10)
    table["fold"] = [str(n % 2 + 1) for n in range(len(table))]
    split = split_of_fold(table, "2", SEEDED)
    assert (split == "test").tolist() == (table["fold"] == "2").tolist()
    assert table[split == "dev"]["label"].value_counts().to_dict() == dict.fromkeys(LABELS, 4)


@pytest.mark.corpus
def test_emo_superbs_sessions_of_crema_d_have_its_sizes_and_the_next_one_is_dev(corpora: Path) -> None:
    with (corpora / "name-manifests" / "cremad.csv").open() as file:
        stems = [Path(row["path"]).stem for row in csv.DictReader(file)]
    rows = [(f"crema_d/{stem}", "crema_d", *stem.split("_")[:3:2]) for stem in stems]
    table = pandas.DataFrame(rows, columns=["utterance_id", "corpus", "speaker", "label"])
    table = assign_folds(table.assign(fold=pandas.NA, split="train"), "emo-superb", SEEDED)
    sizes = {fold: int((split_of_fold(table, fold, SEEDED) == "test").sum()) for fold in fold_names(table)}
    assert sizes == {"S1": 1463, "S2": 1470, "S3": 1476, "S4": 1476, "S5": 1557}
    for fold, dev in (("S1", "S2"), ("S5", "S1")):
        split = split_of_fold(table, fold, SEEDED)
        assert set(table["fold"][split == "dev"]) == {dev}
        assert (split == "dev").sum() == sizes[dev]


def test_leave_one_corpus_out_tests_a_whole_corpus_and_draws_dev_from_the_others() -> None:
    table = pandas.concat([corpus("emodb", actors(5)), corpus("savee", actors(4)), corpus("tess", actors(2))])
    table = table.reset_index(drop=True)
    folded = assign_folds(table, "leave-one-corpus-out", SplitSettings(fold=2))
    assert fold_names(folded) == ["emodb", "savee", "tess"]
    found = {name: set(rows["split"]) for name, rows in folded.groupby("corpus")}
    # Two speakers are too few to give one away where other corpora have some for dev.
    assert found == {"emodb": {"train", "dev"}, "savee": {"test"}, "tess": {"train"}}
    emodb = folded[folded["corpus"] == "emodb"]
    assert {name: len(group) for name, group in speakers_of(emodb, emodb["split"]).items()} == {
        "train": 4, "dev": 1, "test": 0,
    }  # fmt: skip


def test_a_corpus_without_folds_keeps_its_split_and_is_not_tested() -> None:
    tess = corpus("tess", ["OAF"], per_label=1).assign(split=["train", "dev", "test"])
    savee = assign_folds(corpus("savee", ["DC", "JE", "JK", "KL"]), "emobox", SEEDED)
    table = pandas.concat([savee, tess], ignore_index=True)
    split = split_of_fold(table, "3", SEEDED)
    assert split[table["corpus"] == "tess"].tolist() == ["train", "dev", pandas.NA]
    assert speakers_of(table[:60], split[:60])["test"] == {"DC"}


def test_folds_that_a_table_has_can_be_used_as_they_are() -> None:
    table = corpus("emodb", actors(3)).assign(fold=lambda t: t["speaker"].map({"01": "x", "02": "y", "03": "y"}))
    folded = assign_folds(table, "prepared", SplitSettings(fold=2))
    assert speakers_of(folded, folded["split"])["test"] == {"02", "03"}


@pytest.mark.parametrize(
    ("table", "policy", "fold", "words"),
    [
        (
            corpus("emodb", actors(3)), "random", None,
            "The folds random are unknown; choose one of emobox, emo-superb, leave-one-speaker-out, leave-one-corpus-out, "
            "prepared.",
        ),
        (
            corpus("emodb", actors(3)), "emobox", None,
            "EmoBox has no folds of speakers for emodb, but for esd, jl_corpus, ravdess, savee; where it has lists of "
            "utterances, prepare with --split emobox --folds DIR and name these folds `prepared`.",
        ),
        (
            corpus("savee", actors(3)), "emo-superb", None,
            "emo-superb has folds for crema_d alone; choose leave-one-speaker-out for savee.",
        ),
        (
            corpus("savee", ["DC"]), "leave-one-speaker-out", None,
            "savee has the speaker DC alone, and leave-one-speaker-out needs two or more; leave savee out.",
        ),
        (
            corpus("goemotions", actors(3)), "leave-one-speaker-out", None,
            "goemotions does not say who speaks, so no speaker can be left out; leave goemotions out.",
        ),
        (
            corpus("savee", actors(3)), "leave-one-corpus-out", None,
            "leave-one-corpus-out needs two corpora or more, and savee is alone; name others as well.",
        ),
        (
            corpus("savee", ["DC", "JE", "JK", "KL"]), "emobox", 5,
            "Fold 5 was asked for and emobox has 4 of savee; choose --fold 1 to 4.",
        ),
        (
            corpus("savee", actors(3)), "prepared", None,
            "The prepared table has no folds; prepare it with a --split that has some, such as leave-one-speaker-out.",
        ),
    ],
)  # fmt: skip
def test_folds_that_cannot_be_are_refused_in_words(
    table: pandas.DataFrame, policy: str, fold: int | None, words: str
) -> None:
    with pytest.raises(UsageError) as error:
        assign_folds(table, policy, SplitSettings(fold=fold))
    assert str(error.value) == words


def test_a_fold_that_a_table_does_not_have_is_refused_with_those_it_has() -> None:
    table = assign_folds(corpus("emodb", actors(3)), "leave-one-speaker-out", SEEDED)
    with pytest.raises(UsageError, match=r"^There is no fold 4; expected one of 01, 02, 03\.$"):
        split_of_fold(table, "4", SEEDED)
