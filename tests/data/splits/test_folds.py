"""The fold in which each utterance is tested, and the split of the others."""

import csv
import hashlib
import itertools
import json
from pathlib import Path

import pandas
import pytest

from emokit.data.splits.draw import SplitSettings
from emokit.data.splits.folds import EMOBOX_FOLDS, assign_folds, fold_names, split_of_fold
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


def comments(name: str, number: int) -> pandas.DataFrame:
    rows = corpus(name, ["x"], number)
    return rows.assign(speaker=rows["utterance_id"].str.partition("/")[2])


def actors(number: int) -> list[str]:
    return [f"{n:02}" for n in range(1, number + 1)]


def speakers_of(table: pandas.DataFrame, split: pandas.Series) -> dict[str, set[str]]:
    return {name: set(table["speaker"][split == name]) for name in ("train", "dev", "test")}


@pytest.mark.parametrize(
    ("name", "num_speakers"), [("esd", 20), ("iemocap", 10), ("jl_corpus", 4), ("ravdess", 24), ("savee", 4)]
)
def test_each_speaker_is_tested_in_one_fold_of_emobox(name: str, num_speakers: int) -> None:
    tested = list(itertools.chain.from_iterable(speakers.split() for speakers in EMOBOX_FOLDS[name].values()))
    assert len(tested) == len(set(tested)) == num_speakers


def test_the_table_of_emobox_folds_is_unchanged() -> None:
    # Published scores are on these folds. Change the digest only together with EmoBox's lists.
    canonical = json.dumps(EMOBOX_FOLDS, sort_keys=True, separators=(",", ":"))
    digest = "98c850f23cd58ba16aac9c8a31c2ecae76c005e958a13bc8977c7a46aa7447a0"
    assert hashlib.sha256(canonical.encode()).hexdigest() == digest


@pytest.mark.corpus
def test_emobox_folds_by_speaker_agree_with_its_lists(corpora: Path) -> None:
    lists = json.loads((corpora / "emobox-folds.json").read_text())
    folds = {name: {fold: speakers.split() for fold, speakers in table.items()} for name, table in EMOBOX_FOLDS.items()}
    assert folds == {
        "esd": lists["esd"],
        "iemocap": {str(n): [f"Ses0{n}F", f"Ses0{n}M"] for n in range(1, 6)},  # the sessions; the file lacks them
        "jl_corpus": lists["jlcorpus"],
        "ravdess": lists["ravdess"],
        "savee": lists["savee"],
    }


def test_the_splits_of_each_fold_share_no_speaker_and_each_utterance_is_tested_once() -> None:
    # RAVDESS has 60 utterances per actor.
    table = assign_folds(corpus("ravdess", actors(24), per_label=20), "emobox", SEEDED)
    assert fold_names(table) == ["1", "2", "3", "4", "5", "6"]
    times_tested = pandas.Series(0, index=table.index)
    for fold in fold_names(table):
        split = split_of_fold(table, fold, SEEDED)
        assert split.value_counts().to_dict() == {"train": 900, "dev": 300, "test": 240}
        speakers = speakers_of(table, split)
        assert speakers["test"] == set(EMOBOX_FOLDS["ravdess"][fold].split())
        assert sum(map(len, speakers.values())) == 24
        times_tested += (split == "test").astype(int)
    assert set(times_tested) == {1}


def test_the_split_shows_the_first_or_the_selected_fold() -> None:
    table = corpus("savee", ["DC", "JE", "JK", "KL"])
    for settings, speaker in ((SEEDED, "JE"), (SplitSettings(fold=4), "JK")):
        folded = assign_folds(table, "emobox", settings)
        assert speakers_of(folded, folded["split"])["test"] == {speaker}
    assert table["fold"].isna().all(), "the input table is not changed"


def test_the_dev_speakers_have_label_shares_like_all_speakers_that_are_not_tested() -> None:
    # Of the three remaining speakers, only B has the label shares of all three together.
    table = pandas.concat([corpus("savee", ["A", "B"]), corpus("savee", ["C", "D"], 9, ("angry",))], ignore_index=True)
    table.loc[table["speaker"] == "D", "label"] = "sad"
    for seed in range(3):
        settings = SplitSettings(seed=seed)
        folded = assign_folds(table, "leave-one-speaker-out", settings)
        assert speakers_of(folded, folded["split"])["dev"] == {"B"}


def test_folds_do_not_depend_on_the_order_of_the_rows() -> None:
    table = corpus("emodb", actors(10))
    shuffled = table.sample(frac=1, random_state=1)
    first, second = (assign_folds(t, "leave-one-speaker-out", SEEDED) for t in (table, shuffled))
    pandas.testing.assert_series_equal(first["split"], second["split"].sort_index())


def test_the_seed_decides_among_equally_good_dev_speakers() -> None:
    table = corpus("emodb", actors(10))
    drawn = [
        frozenset(
            speakers_of(table, assign_folds(table, "leave-one-speaker-out", SplitSettings(seed=seed))["split"])["dev"]
        )
        for seed in (0, 0, 1, 2)
    ]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 3


@pytest.mark.parametrize("policy", ["emobox", "leave-one-session-out"])
def test_a_session_of_iemocap_is_tested_and_the_next_one_is_dev(policy: str) -> None:
    table = corpus("iemocap", [f"Ses0{n}{gender}" for n in range(1, 6) for gender in "FM"])
    for fold in range(1, 6):
        folded = assign_folds(table, policy, SplitSettings(fold=fold))
        speakers = speakers_of(folded, folded["split"])
        assert speakers["test"] == {f"Ses0{fold}F", f"Ses0{fold}M"}
        assert speakers["dev"] == {f"Ses0{fold % 5 + 1}F", f"Ses0{fold % 5 + 1}M"}
        assert len(speakers["train"]) == 6


def test_leave_one_speaker_out_has_a_fold_named_after_each_speaker() -> None:
    table = assign_folds(corpus("emodb", ["10", "03", "08"]), "leave-one-speaker-out", SEEDED)
    assert fold_names(table) == ["03", "08", "10"]
    assert speakers_of(table, split_of_fold(table, "10", SEEDED))["test"] == {"10"}


def test_numbered_folds_are_sorted_by_number() -> None:
    table = corpus("emodb", ["a"], per_label=4).assign(fold=["10", "9", "1", "S2", "S1", None] * 2)
    assert fold_names(table) == ["1", "9", "10", "S1", "S2"]


def test_dev_is_a_share_of_each_label_if_one_speaker_is_left() -> None:
    table = assign_folds(corpus("tess", ["OAF", "YAF"], per_label=20), "leave-one-speaker-out", SEEDED)
    assert speakers_of(table, table["split"]) == {"train": {"YAF"}, "dev": {"YAF"}, "test": {"OAF"}}
    assert table[table["split"] == "dev"]["label"].value_counts().to_dict() == dict.fromkeys(LABELS, 4)


def test_dev_is_a_share_of_each_label_if_folds_divide_speakers() -> None:
    table = corpus("emodb", actors(4), per_label=10)
    table["fold"] = [str(n % 2 + 1) for n in range(len(table))]
    split = split_of_fold(table, "2", SEEDED)
    assert (split == "test").tolist() == (table["fold"] == "2").tolist()
    assert table[split == "dev"]["label"].value_counts().to_dict() == dict.fromkeys(LABELS, 4)


@pytest.mark.corpus
def test_the_emo_superb_sessions_of_crema_d_have_the_published_sizes_and_the_next_one_is_dev(corpora: Path) -> None:
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


def test_leave_one_corpus_out_tests_one_corpus_and_draws_dev_from_the_others() -> None:
    table = pandas.concat([corpus("emodb", actors(5)), corpus("savee", actors(4)), corpus("tess", actors(2))])
    table = table.reset_index(drop=True)
    folded = assign_folds(table, "leave-one-corpus-out", SplitSettings(fold=2))
    assert fold_names(folded) == ["emodb", "savee", "tess"]
    splits = {name: set(rows["split"]) for name, rows in folded.groupby("corpus")}
    # tess has two speakers only, so it gives none to dev as long as other corpora do.
    assert splits == {"emodb": {"train", "dev"}, "savee": {"test"}, "tess": {"train"}}
    emodb = folded[folded["corpus"] == "emodb"]
    assert {name: len(speakers) for name, speakers in speakers_of(emodb, emodb["split"]).items()} == {
        "train": 4, "dev": 1, "test": 0,
    }  # fmt: skip


def test_a_corpus_without_folds_keeps_train_and_dev_and_is_not_tested() -> None:
    tess = corpus("tess", ["OAF"], per_label=1).assign(split=["train", "dev", "test"])
    savee = assign_folds(corpus("savee", ["DC", "JE", "JK", "KL"]), "emobox", SEEDED)
    table = pandas.concat([savee, tess], ignore_index=True)
    split = split_of_fold(table, "3", SEEDED)
    assert split[table["corpus"] == "tess"].tolist() == ["train", "dev", pandas.NA]
    assert speakers_of(table[:60], split[:60])["test"] == {"DC"}


def test_the_folds_of_a_prepared_table_can_be_used() -> None:
    table = corpus("emodb", actors(3)).assign(fold=lambda t: t["speaker"].map({"01": "x", "02": "y", "03": "y"}))
    folded = assign_folds(table, "prepared", SplitSettings(fold=2))
    assert speakers_of(folded, folded["split"])["test"] == {"02", "03"}


@pytest.mark.parametrize(
    ("table", "policy", "fold", "sentence"),
    [
        (
            corpus("emodb", actors(3)), "random", None,
            "--folds random is unknown; choose one of emobox, emo-superb, leave-one-session-out, leave-one-speaker-out, "
            "leave-one-corpus-out, prepared.",
        ),
        (
            corpus("emodb", actors(3)), "emobox", None,
            "EmoBox has no folds by speaker for emodb, only for esd, iemocap, jl_corpus, ravdess, savee; for its lists of "
            "utterances, prepare with --split emobox --folds DIR and train with --folds prepared.",
        ),
        (
            corpus("savee", actors(3)), "emo-superb", None,
            "emo-superb has folds for crema_d only; choose leave-one-speaker-out for savee.",
        ),
        (
            corpus("savee", actors(3)), "leave-one-session-out", None,
            "leave-one-session-out has folds for iemocap only; choose leave-one-speaker-out for savee.",
        ),
        (
            corpus("savee", ["DC"]), "leave-one-speaker-out", None,
            "savee has the speaker DC only and leave-one-speaker-out needs at least two; leave savee out.",
        ),
        (
            comments("goemotions", 9), "leave-one-speaker-out", None,
            "goemotions has no speaker labels, so no speaker can be held out; leave goemotions out.",
        ),
        (
            corpus("savee", actors(3)), "leave-one-corpus-out", None,
            "leave-one-corpus-out needs at least two corpora and was given savee only; name other corpora too.",
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
def test_impossible_folds_are_refused(table: pandas.DataFrame, policy: str, fold: int | None, sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        assign_folds(table, policy, SplitSettings(fold=fold))
    assert str(error.value) == sentence


def test_an_unknown_fold_is_refused_with_the_folds_of_the_table() -> None:
    table = assign_folds(corpus("emodb", actors(3)), "leave-one-speaker-out", SEEDED)
    with pytest.raises(UsageError, match=r"^There is no fold 4; expected one of 01, 02, 03\.$"):
        split_of_fold(table, "4", SEEDED)
