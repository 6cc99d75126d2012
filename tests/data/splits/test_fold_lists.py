"""Reading splits from files: EmoBox's lists, in both forms, and valid and invalid CSVs."""

import json
import os
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest

from emokit.data.splits.fold_lists import SplitLists, check_complete, read_csv, read_emobox, unknown_utterances
from emokit.errors import DataError, UsageError

WriteEmobox = Callable[..., Path]
CLONE = "clone https://github.com/emo-box/EmoBox and name its folder with --folds DIR."
EXPECTED = "give a CSV with the columns utterance_id, split and optionally fold."


def test_emobox_lists_give_the_fold_in_which_each_utterance_is_tested(
    tmp_path: Path, write_emobox: WriteEmobox
) -> None:
    stems = ["03a01Fa", "08a01Fa", "09a01Fa"]
    lists = read_emobox(write_emobox(tmp_path, "emodb", {"1": stems[:1], "2": stems[1:2]}, stems), "emodb")
    assert lists.fold_of == {"emodb/03a01Fa": "1", "emodb/08a01Fa": "2"}
    assert lists.listed == {f"emodb/{stem}" for stem in stems}
    assert lists.split_of == {}


def test_older_lists_with_other_names_and_keys_are_equal(tmp_path: Path, write_emobox: WriteEmobox) -> None:
    new = write_emobox(tmp_path / "new", "emodb", {"1": ["03a01Fa"]}, ["03a01Fa", "08a01Fa"])
    old = write_emobox(tmp_path / "old", "emodb", {"1": ["03a01Fa"]}, ["03a01Fa", "08a01Fa"])
    for path in list(old.rglob("*.jsonl")):
        path.with_name(path.name.replace("fold_1", "fold1")).write_text(path.read_text().replace('"wav"', '"audio"'))
        path.unlink()
    newer, older = read_emobox(new, "emodb"), read_emobox(old, "emodb")
    assert (newer.fold_of, newer.listed, newer.digest) == (older.fold_of, older.listed, older.digest)


def test_the_lists_of_meld_are_a_split_with_its_own_dev(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "meld" / "fold_1"
    folder.mkdir(parents=True)
    folders = {"train": "train_splits", "valid": "dev_splits_complete", "test": "output_repeated_splits_test"}
    for name, subfolder in folders.items():
        entry = {"key": "meld-dia0_utt0", "wav": f"downloads/meld/{subfolder}/dia0_utt0.mp4"}
        (folder / f"meld_{name}_fold_1.jsonl").write_text(json.dumps(entry) + "\n")
    lists = read_emobox(tmp_path, "meld")
    assert lists.fold_of == {}
    assert lists.split_of == {f"meld/{split}/dia0_utt0": split for split in ("train", "dev", "test")}


def test_the_file_of_crema_d_with_one_x_gets_its_present_name(tmp_path: Path, write_emobox: WriteEmobox) -> None:
    write_emobox(tmp_path, "cremad", {"1": ["1040_ITH_SAD_X"]}, ["1040_ITH_SAD_X", "1001_DFA_ANG_XX"])
    assert read_emobox(tmp_path, "crema_d").listed == {"crema_d/1040_ITH_SAD_XX", "crema_d/1001_DFA_ANG_XX"}


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "emobox_name", "sizes"),
    [("crema_d", "cremad", [1856]), ("emodb", "emodb", [107] * 5), ("tess", "tess", [700])],
)
def test_the_real_lists_are_read_completely(
    tmp_path: Path, corpora: Path, write_emobox: WriteEmobox, name: str, emobox_name: str, sizes: list[int]
) -> None:
    tested = json.loads((corpora / "emobox-folds.json").read_text())[emobox_name]
    lists = read_emobox(write_emobox(tmp_path, emobox_name, tested, chain.from_iterable(tested.values())), name)
    folds = list(lists.fold_of.values())
    assert [folds.count(str(fold)) for fold in range(1, len(sizes) + 1)] == sizes
    assert lists.fold_of == {f"{name}/{stem}": fold for fold, stems in tested.items() for stem in stems}


def test_without_a_clone_the_error_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        read_emobox(None, "tess")
    assert (
        str(error.value)
        == f"EmoBox's folds of tess are lists of utterances, which emokit may not redistribute; {CLONE}"
    )
    with pytest.raises(UsageError) as error:
        read_emobox(tmp_path / "nowhere", "tess")
    assert str(error.value) == f"The folder of --folds, {tmp_path / 'nowhere'}, does not exist; {CLONE}"


def test_a_folder_that_is_not_a_complete_clone_is_refused(tmp_path: Path, write_emobox: WriteEmobox) -> None:
    with pytest.raises(DataError) as error:
        read_emobox(tmp_path, "crema_d")
    assert str(error.value) == f"{tmp_path} has no folder data/cremad/fold_1, so it is not a clone of EmoBox; {CLONE}"
    write_emobox(tmp_path, "tess", {"1": ["OAF_back_sad"]}, ["OAF_back_sad"])
    missing = tmp_path / "data/tess/fold_1/tess_train_fold_1.jsonl"
    missing.unlink()
    with pytest.raises(DataError) as error:
        read_emobox(tmp_path, "tess")
    assert str(error.value) == f"{missing} is missing, so the clone of EmoBox is incomplete; {CLONE}"


@pytest.mark.parametrize("line", ["no json", "[]", "3", '{"key": "emodb-03a01Fa"}', '{"wav": 3}', "[" * 2000])
def test_a_damaged_list_is_refused_with_its_line(tmp_path: Path, write_emobox: WriteEmobox, line: str) -> None:
    write_emobox(tmp_path, "emodb", {"1": ["03a01Fa"]}, ["03a01Fa"])
    path = tmp_path / "data/emodb/fold_1/emodb_test_fold_1.jsonl"
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(DataError) as error:
        read_emobox(tmp_path, "emodb")
    assert str(error.value) == (f"{path} has no JSON object with the key wav in line 2; restore the file from EmoBox.")


def test_a_csv_gives_splits_and_folds_and_may_contain_other_corpora(tmp_path: Path) -> None:
    path = tmp_path / "my.csv"
    path.write_text("note,fold,utterance_id,split\nx,2,emodb/a,train\n,,emodb/b,dev\n,1,tess/c,nonsense\n", "utf-8-sig")
    lists = read_csv(path, "emodb")
    assert lists.split_of == {"emodb/a": "train", "emodb/b": "dev"}
    assert lists.fold_of == {"emodb/a": "2"}
    path.write_text(path.read_text().replace("dev", "test"))
    assert read_csv(path, "emodb").digest != lists.digest


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"utterance_id,part\nemodb/a,train\n", "{path} lacks the column split; " + EXPECTED),
        (b"", "{path} lacks the column utterance_id; " + EXPECTED),
        (b"sep=,\nutterance_id,split\nemodb/a,train\n", "{path} lacks the column utterance_id; " + EXPECTED),
        (
            b"utterance_id,split\nemodb/a,train\nemodb/b,validation\n",
            "{path} has the split 'validation' in line 3; expected one of train, dev, test.",
        ),
        (
            b"utterance_id,split\n\nemodb/a,train\n\nemodb/b,validation\n",
            "{path} has the split 'validation' in line 5; expected one of train, dev, test.",
        ),
        (b"utterance_id,split\nemodb/a\n", "{path} has the split '' in line 2; expected one of train, dev, test."),
        (
            b"utterance_id,split\nemodb/a,train\nemodb/a,test\n",
            "{path} names emodb/a twice, again in line 3; remove one of the lines.",
        ),
        (
            b"utterance_id,split,split\nemodb/a,train,test\n",
            "{path} has 2 columns with the name split; rename one of them.",
        ),
        (
            b"utterance_id,split\nemodb/a,train\nemodb/b,train,test\n",
            "{path} has more fields in line 3 than in its header; put fields that contain a comma into double quotes.",
        ),
        (
            b"utterance_id,split,fold\nemodb/a,train,../x\n",
            "{path} has the fold '../x' in line 2; expected a number or a name.",
        ),
        (
            b"utterance_id,split\nemodb/\xff,train\n",
            "{path}, the split of emodb, is not UTF-8; save it as UTF-8.",
        ),
    ],
)
def test_an_invalid_csv_is_refused_in_one_sentence(tmp_path: Path, text: bytes, sentence: str) -> None:
    path = tmp_path / "my.csv"
    path.write_bytes(text)
    with pytest.raises(UsageError) as error:
        read_csv(path, "emodb")
    assert str(error.value) == sentence.format(path=path)


def test_a_missing_csv_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        read_csv(tmp_path / "my.csv", "emodb")
    assert str(error.value) == f"{tmp_path / 'my.csv'}, the split of emodb, does not exist; {EXPECTED}"


def lists_of(*utterance_ids: str) -> SplitLists:
    return SplitLists("my.csv", "", frozenset(utterance_ids))


def test_unknown_utterances_are_counted_and_the_first_three_named() -> None:
    lists = lists_of("emodb/a", "emodb/x1", "emodb/x2", "emodb/x3", "emodb/x4", "emodb/silent")
    with pytest.raises(UsageError) as error:
        check_complete(lists, "emodb", ["emodb/a"], dropped=["emodb/silent"])
    assert str(error.value) == (
        "my.csv names 4 utterances (emodb/x1, emodb/x2, emodb/x3, …) that emodb does not have; "
        "write ids as utterances.parquet has them, such as emodb/03a01Fa."
    )
    assert unknown_utterances(lists, ["emodb/a"], ["emodb/silent"]) == "4 utterances (emodb/x1, emodb/x2, emodb/x3, …)"
    assert unknown_utterances(lists_of("emodb/a"), ["emodb/a"], []) is None


def test_utterances_missing_from_a_csv_are_counted_and_named() -> None:
    with pytest.raises(UsageError) as error:
        check_complete(lists_of("emodb/a"), "emodb", ["emodb/a", "emodb/b"], dropped=[])
    assert str(error.value) == "my.csv lacks 1 utterance (emodb/b) of the 2 of emodb; give each a split."


def test_a_csv_that_covers_the_corpus_is_accepted() -> None:
    assert check_complete(lists_of("emodb/a", "emodb/dropped"), "emodb", ["emodb/a"], ["emodb/dropped"]) is None


def test_a_pipe_is_no_csv(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(UsageError) as caught:
        read_csv(tmp_path / "a.csv", "emodb")
    assert str(caught.value) == (
        f"{tmp_path / 'a.csv'}, the split of emodb, is a pipe, not a file; "
        "give a CSV with the columns utterance_id, split and optionally fold."
    )
