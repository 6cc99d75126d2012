"""Split policies, from the plan to the prepared folder and its ledger."""

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pandas
import pytest

from emokit.data.catalogue import read_catalogue
from emokit.data.ledger import Ledger
from emokit.data.plan import Plan
from emokit.data.prepare import prepare
from emokit.data.prepared import Prepared
from emokit.data.sources.rows import labelled, read_source
from emokit.data.splits.draw import SplitSettings
from emokit.data.splits.folds import fold_names, split_of_fold
from emokit.data.splits.policies import drops_repeated_texts, policies_of, read_divisions
from emokit.errors import DataError, UsageError

Write = Callable[..., list[Path]]
WriteEmobox = Callable[..., Path]
MakePlan = Callable[..., Plan]
NONE_SHARED = {"train-dev": 0, "train-test": 0, "dev-test": 0}


@pytest.fixture
def emodb(tmp_path: Path, write_emodb: Write) -> Path:
    """Two speakers, four sentences, three emotions, and boredom, which is dropped."""
    write_emodb(tmp_path / "emodb", ("03", "08"), ("a01", "a02", "a04", "a05"), "WFNL")
    return tmp_path / "emodb"


def stems(root: Path) -> list[str]:
    return sorted(path.stem for path in root.rglob("*.wav"))


def of_split(prepared: Prepared, split: str) -> list[str]:
    return list(prepared.table["utterance_id"][prepared.table["split"] == split])


def test_each_corpus_has_its_policies() -> None:
    assert policies_of(read_catalogue()["ravdess"]) == [
        "speaker", "sentence", "speaker+sentence", "emobox", "leave-one-speaker-out", "leave-one-corpus-out", "train", "dev",
        "test",
    ]  # fmt: skip
    assert policies_of(read_catalogue()["goemotions"]) == [
        "sentence", "official", "leave-one-corpus-out", "train", "dev", "test",
    ]  # fmt: skip
    assert [name for name, corpus in read_catalogue().items() if "official" in policies_of(corpus)] == [
        "esd",
        "meld",
        "msp_podcast",
        "goemotions",
    ]
    assert [name for name, corpus in read_catalogue().items() if "emobox" not in policies_of(corpus)] == [
        "msp_podcast",
        "goemotions",
    ]
    assert [name for name, corpus in read_catalogue().items() if "emo-superb" in policies_of(corpus)] == ["crema_d"]
    assert all(corpus.split in policies_of(corpus) for corpus in read_catalogue().values())


def test_emobox_lists_give_the_split_and_the_ledger_notes_shared_speakers(
    tmp_path: Path, emodb: Path, write_emobox: WriteEmobox, plan: MakePlan, extractor: Any
) -> None:
    names = stems(emodb)
    clone = write_emobox(tmp_path / "EmoBox", "emodb", {"1": names[0::2], "2": [*names[1::2], "16a01Fa"]}, names[:-1])
    request = replace(plan({"emodb": emodb}, {"emodb": "emobox"}), folds=clone)
    prepared = prepare(request, tmp_path / "out", extractor)
    assert of_split(prepared, "test") == [f"emodb/{stem}" for stem in names[0::2] if stem[5] != "L"]
    by_id = prepared.table.set_index("utterance_id")
    assert dict(by_id["fold"]) == {name: "1" if name[6:] in names[0::2] else "2" for name in by_id.index}
    entry = prepared.ledger["corpora"]["emodb"]
    assert entry["notes"][:3] == [
        "EmoBox's lists name 1 utterance (emodb/16a01Fa) that the corpus does not have",
        "the split is fold 1 of emobox (2 in all); --fold N selects another",
        "2 of the 2 speakers in test are in train too: expect lower scores for new speakers",
    ]
    assert entry["leakage"]["speakers"]["train-test"] == 2
    # The other fold, computed from the prepared folder and by preparing it.
    other = prepare(replace(request, split=SplitSettings(fold=2)), tmp_path / "other", extractor)
    tested = split_of_fold(prepared.table, "2", SplitSettings())
    assert list(prepared.table["utterance_id"][tested == "test"]) == of_split(other, "test")


def test_utterances_that_no_emobox_list_names_are_dropped_with_a_reason(
    tmp_path: Path, emodb: Path, write_emobox: WriteEmobox, plan: MakePlan, extractor: Any
) -> None:
    names = [stem for stem in stems(emodb) if stem != "08a05Wa"]
    clone = write_emobox(tmp_path / "EmoBox", "emodb", {"1": names[:8]}, names)
    prepared = prepare(replace(plan({"emodb": emodb}, {"emodb": "emobox"}), folds=clone), tmp_path / "out", extractor)
    entry = prepared.ledger["corpora"]["emodb"]
    assert entry["dropped"]["in none of EmoBox's lists"] == ["emodb/08a05Wa"]
    assert entry["found"] == 32
    assert set(prepared.table["fold"].dropna()) == {"1"}


def test_lists_of_another_corpus_are_refused(
    tmp_path: Path, emodb: Path, write_emobox: WriteEmobox, plan: MakePlan, extractor: Any
) -> None:
    clone = write_emobox(tmp_path / "EmoBox", "emodb", {"1": ["a"]}, ["a", "b"])
    with pytest.raises(DataError) as error:
        prepare(replace(plan({"emodb": emodb}, {"emodb": "emobox"}), folds=clone), tmp_path / "out", extractor)
    assert str(error.value) == (
        f"emodb: EmoBox's lists in {clone} name none of its 24 utterances; "
        "check that --root names the corpus and --folds a clone of EmoBox."
    )
    assert not (tmp_path / "out").exists()


def test_a_csv_gives_the_split_and_a_changed_csv_is_another_setting(
    tmp_path: Path, emodb: Path, plan: MakePlan, extractor: Any
) -> None:
    path, out = tmp_path / "my.csv", tmp_path / "out"
    splits = {stem: ("train", "dev", "test")[number % 3] for number, stem in enumerate(stems(emodb))}
    path.write_text(
        "utterance_id,split,fold\n" + "".join(f"emodb/{stem},{split},{stem[:2]}\n" for stem, split in splits.items())
    )
    request = plan({"emodb": emodb}, {"emodb": str(path)})
    prepared = prepare(request, out, extractor)
    assert dict(zip(prepared.table["utterance_id"], prepared.table["split"], strict=True)) == {
        f"emodb/{stem}": split for stem, split in splits.items() if stem[5] != "L"
    }
    assert fold_names(prepared.table) == ["03", "08"]
    second = prepare(replace(request, split=SplitSettings(fold=2)), tmp_path / "second", extractor)
    assert {name[6:8] for name in of_split(second, "test")} == {"08"}
    moved = shutil.copytree(tmp_path / "emodb", tmp_path / "there")
    shutil.copy(path, tmp_path / "there" / "my.csv")
    prepare(plan({"emodb": moved}, {"emodb": str(moved / "my.csv")}), out, extractor)
    path.write_text(path.read_text().replace("emodb/03a01Fa,train", "emodb/03a01Fa,test"))
    with pytest.raises(
        UsageError, match=r'made with other settings \(corpora\.emodb\.split = "my\.csv \w{12}", now "my'
    ):
        prepare(request, out, extractor)


def test_leave_one_corpus_out_tests_one_corpus(
    tmp_path: Path, write_emodb: Write, write_meld_text: Callable[..., None], plan: MakePlan, extractor: Any
) -> None:
    write_emodb(tmp_path / "emodb")
    write_meld_text(tmp_path / "meld", {"train": ["One.", "Two."], "dev": ["Three."], "test": ["Four."]})
    roots = {"emodb": tmp_path / "emodb", "meld": tmp_path / "meld"}
    request = plan(roots, dict.fromkeys(roots, "leave-one-corpus-out"))
    prepared = prepare(replace(request, split=SplitSettings(fold=2)), tmp_path / "out", extractor)
    assert (prepared.table["fold"] == prepared.table["corpus"]).all()
    assert set(prepared.table["corpus"][prepared.table["split"] == "test"]) == {"meld"}
    assert prepared.ledger["leakage"]["speakers"] == NONE_SHARED
    note = "the split is fold meld of leave-one-corpus-out (2 in all); --fold N selects another"
    assert note in prepared.ledger["corpora"]["meld"]["notes"]


@pytest.mark.parametrize(
    ("policies", "fold", "sentence"),
    [
        (
            {"emodb": "leave-one-corpus-out"}, None,
            "leave-one-corpus-out splits all corpora together and was given for emodb only; "
            "give it as --split leave-one-corpus-out, without a corpus.",
        ),
        (
            {}, 2,
            "Fold 2 was asked for and no corpus is split into folds; "
            "choose a --split that has some, such as leave-one-speaker-out.",
        ),
        (
            {"meld": "emo-superb"}, None,
            "--split meld=emo-superb is unknown; choose one of speaker, sentence, speaker+sentence, official, emobox, "
            "leave-one-speaker-out, leave-one-corpus-out, train, dev, test, or name a CSV of your own.",
        ),
        ({"emodb": "leave-one-speaker-out"}, 3, "Fold 3 was asked for and leave-one-speaker-out has 2 of emodb; "
         "choose --fold 1 to 2."),
    ],
)  # fmt: skip
def test_impossible_policies_are_refused(
    tmp_path: Path, emodb: Path, write_meld_text: Callable[..., None], plan: MakePlan, extractor: Any,
    policies: dict[str, str], fold: int | None, sentence: str,
) -> None:  # fmt: skip
    write_meld_text(tmp_path / "meld", {"train": ["One."], "dev": ["Two."], "test": ["Three."]})
    request = plan({"emodb": emodb, "meld": tmp_path / "meld"}, {"emodb": "train", **policies})
    with pytest.raises(UsageError) as error:
        prepare(replace(request, split=SplitSettings(fold=fold)), tmp_path / "out", extractor)
    assert str(error.value) == sentence


def test_the_option_repeated_texts_drops_or_keeps_them() -> None:
    catalogue = read_catalogue()
    assert [name for name, corpus in catalogue.items() if drops_repeated_texts(corpus)] == [
        "meld",
        "msp_podcast",
        "goemotions",
    ]
    for value, dropped in (("keep", False), ("drop", True)):
        changed = catalogue["meld"].model_copy(update={"options": {"repeated_texts": value}})
        assert drops_repeated_texts(changed) is dropped
    with pytest.raises(UsageError) as error:
        drops_repeated_texts(catalogue["meld"].model_copy(update={"options": {"repeated_texts": "maybe"}}))
    assert str(error.value) == "meld has the option repeated_texts: maybe; expected drop or keep."


class NoFeatures:
    """An extractor for counting utterances: no audio is resampled and no feature computed."""

    sample_rate = 22_050

    def __call__(self, waveform: Any) -> Any:
        return pandas.DataFrame([[0.0]]).to_numpy("float32")


@pytest.mark.corpus
def test_each_emobox_fold_of_resampled_ravdess_tests_the_240_utterances_of_its_four_speakers(
    tmp_path: Path, corpora: Path, plan: MakePlan
) -> None:
    request = plan({"ravdess": corpora / "ravdess-22k"}, {"ravdess": "emobox"})
    prepared = prepare(replace(request, split=SplitSettings(fold=3)), tmp_path / "out", NoFeatures())
    lists = json.loads((corpora / "emobox-folds.json").read_text())["ravdess"]
    for fold in fold_names(prepared.table):
        split = split_of_fold(prepared.table, fold, SplitSettings())
        speakers = {name: set(prepared.table["speaker"][split == name]) for name in ("train", "dev", "test")}
        assert (split.value_counts()["test"], speakers["test"]) == (240, set(lists[fold]))
        assert [len(speakers[name]) for name in ("train", "dev")] == [15, 5]
    entry = prepared.ledger["corpora"]["ravdess"]
    assert entry["splits"]["test"] == {"utterances": 240, "speakers": ["08", "09", "19", "23"]}
    assert entry["leakage"]["speakers"] == entry["leakage"]["recordings"] == NONE_SHARED


@pytest.mark.corpus
@pytest.mark.parametrize(("name", "emobox_name", "num_tested"), [("crema_d", "cremad", 1856), ("tess", "tess", 700)])
def test_each_test_utterance_of_the_crema_d_and_tess_lists_is_in_the_corpus(
    tmp_path: Path,
    corpora: Path,
    write_emobox: WriteEmobox,
    plan: MakePlan,
    name: str,
    emobox_name: str,
    num_tested: int,
) -> None:
    tested = json.loads((corpora / "emobox-folds.json").read_text())[emobox_name]
    names = set(tested["1"])
    if name == "crema_d":
        with (corpora / "name-manifests" / "cremad.csv").open() as file:
            names |= {Path(row["path"]).stem for row in csv.DictReader(file)}
    root = tmp_path / name
    root.mkdir()
    for stem in names:
        (root / f"{stem}.wav").touch()
    request = plan({name: root}, {name: "emobox"})
    clone = write_emobox(tmp_path / "EmoBox", emobox_name, tested, names)
    division, ledger = read_divisions(request.corpora, request.split, clone)[name], Ledger()
    rows = division.listed(list(labelled(request.corpora[0], read_source(request.corpora[0], ledger), ledger)), ledger)
    assert division.lists is not None
    assert len(rows) == len(names)
    assert sum(utterance.utterance_id in division.lists.fold_of for utterance, _ in rows) == num_tested
    assert (dict(ledger.notes), ledger.dropped[name]) == ({}, {})


@pytest.mark.corpus
def test_the_emobox_lists_of_emodb_are_complete(
    tmp_path: Path, corpora: Path, write_emobox: WriteEmobox, plan: MakePlan
) -> None:
    tested = json.loads((corpora / "emobox-folds.json").read_text())["emodb"]
    clone = write_emobox(tmp_path / "EmoBox", "emodb", tested, chain.from_iterable(tested.values()))
    request = replace(plan({"emodb": corpora / "emodb"}, {"emodb": "emobox"}), folds=clone)
    prepared = prepare(request, tmp_path / "out", NoFeatures())
    entry = prepared.ledger["corpora"]["emodb"]
    assert entry["notes"] == [
        "the split is fold 1 of emobox (5 in all); --fold N selects another",
        "10 of the 10 speakers in test are in train too: expect lower scores for new speakers",
    ]
    boring = {name[6:] for name in entry["dropped"]["label boredom is left out"]}
    assert prepared.table["fold"].value_counts().to_dict() == {
        fold: len(set(names) - boring) for fold, names in tested.items()
    }


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "root", "num_repeated", "shared"),
    [("meld", "meld/MELD.Raw", 1042, 68), ("goemotions", "goemotions", 133, 0)],
)
def test_train_utterances_with_texts_of_dev_and_test_are_dropped_and_listed_in_the_ledger(
    tmp_path: Path, corpora: Path, plan: MakePlan, name: str, root: str, num_repeated: int, shared: int
) -> None:
    prepared = prepare(plan({name: corpora / root}), tmp_path / "out", NoFeatures())
    entry = prepared.ledger["corpora"][name]
    assert len(entry["dropped"]["the same text as in dev or test"]) == num_repeated
    assert prepared.ledger["leakage"]["texts"] | {"dev-test": 0} == NONE_SHARED
    assert prepared.ledger["leakage"]["recordings"] == NONE_SHARED
    assert prepared.ledger["leakage"]["speakers"]["train-test"] == shared
