"""Own data as a command names them."""

from pathlib import Path

import datasets
import pytest

from emokit.data.catalogue import own_corpus
from emokit.data.sources.own.arguments import described, is_own, read_argument
from emokit.errors import DataError, UsageError

KNOWN = ("emodb",)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "a,b.csv").write_text("text,label\nHi,joy\n")
    return tmp_path / "a,b.csv"


def test_own_data_have_a_name_or_are_of_a_hub() -> None:
    assert [is_own(text) for text in ("emodb", "calls=a.csv", "hf:x/y")] == [False, True, True]


def test_a_table_is_relative_to_its_folder_or_to_the_root(table: Path, tmp_path: Path) -> None:
    corpus = read_argument(f"calls={table}", KNOWN, {"label": "label"})
    assert (corpus.name, corpus.reader, corpus.root, corpus.split) == ("calls", "table", tmp_path, "auto")
    assert corpus.options["tables"] == [str(table)]
    assert described(corpus).options["columns"] == {"label": ["label"], "text": "text"}
    assert read_argument(f"calls={table}", KNOWN, {}, tmp_path / "audio").root == tmp_path / "audio"


def test_several_tables_are_joined_by_commas(tmp_path: Path) -> None:
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).touch()
    corpus = read_argument(f"calls={tmp_path}/train.csv,{tmp_path}/test.csv", KNOWN, {})
    assert corpus.options["tables"] == [f"{tmp_path}/train.csv", f"{tmp_path}/test.csv"]


def test_a_folder_is_one_of_folders_per_label(tmp_path: Path) -> None:
    corpus = read_argument(f"calls={tmp_path}", KNOWN, {})
    assert (corpus.reader, corpus.root, described(corpus)) == ("class_folders", tmp_path, corpus)


@pytest.mark.parametrize(
    ("argument", "kind", "sentence"),
    [
        (
            "emodb={folder}/a,b.csv", UsageError,
            "emodb={folder}/a,b.csv gives your data the name emodb, which is that of a corpus that emokit knows; "
            "choose another name, or name that corpus's folder with --root emodb=DIR.",
        ),
        ("calls=", UsageError, "calls= was given where NAME=FILE or NAME=DIR was expected, such as calls=labels.csv."),
        (
            "x y={folder}/a,b.csv", UsageError,
            "x y={folder}/a,b.csv has name = 'x y', but it should have only the letters a to z, digits, '_', '.' and '-', "
            "and begin with a letter or digit.",
        ),
        (
            "calls={folder}/none.csv", DataError,
            "{folder}/none.csv of calls={folder}/none.csv is not there; "
            "name a .csv, .tsv, .jsonl, .json or .parquet table, or a folder with a folder per label.",
        ),
        (
            "calls={folder}/a.xlsx", DataError,
            "{folder}/a.xlsx is no table that emokit reads; save it as a .csv, .tsv, .jsonl, .json or .parquet table.",
        ),
        (
            "calls={folder}/saved", UsageError,
            "{folder}/saved has the file state.json, so it is a saved data set and no folder of a folder per label; "
            "name it as calls=hf:{folder}/saved.",
        ),
    ],
)  # fmt: skip
def test_what_is_no_table_and_no_folder_is_refused(
    table: Path, tmp_path: Path, argument: str, kind: type[Exception], sentence: str
) -> None:
    (tmp_path / "a.xlsx").touch()
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "state.json").touch()
    with pytest.raises(kind) as error:
        read_argument(argument.format(folder=tmp_path), KNOWN, {})
    assert str(error.value) == sentence.format(folder=tmp_path)


def test_options_of_tables_are_refused_beside_a_folder(tmp_path: Path) -> None:
    for columns, root, option in (
        ({"label": "x"}, None, "--columns label=x"),
        ({}, tmp_path, f"--audio-root {tmp_path}"),
    ):
        with pytest.raises(UsageError) as error:
            read_argument(f"calls={tmp_path}", KNOWN, columns, root)
        assert str(error.value) == f"{option} was given for {tmp_path}, which is a folder and no table; leave it out."


def test_a_root_is_refused_beside_a_data_set_of_a_hub(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        read_argument("hf:x/y", KNOWN, {}, tmp_path)
    assert str(error.value) == f"--audio-root {tmp_path} was given for hf:x/y, which has its recordings; leave it out."


def test_a_second_column_without_its_option_is_explained(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        read_argument("path=file", KNOWN, {"label": "emotion"})
    assert str(error.value) == (
        "path=file is no table or folder; a second column needs the option again: --columns path=file."
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A data set of the library `datasets`, saved to disk."""
    columns = {"sentence": ["Hi", "No"], "emotion": ["joy", "anger"]}
    datasets.Dataset.from_dict(columns).save_to_disk(str(tmp_path / "notes"))
    return tmp_path / "notes"


@pytest.mark.parametrize(("argument", "name"), [("hf:{folder}", "notes"), ("mine=hf:{folder}", "mine")])
def test_a_saved_data_set_has_its_own_name_or_the_given_one(saved: Path, argument: str, name: str) -> None:
    corpus = read_argument(argument.format(folder=saved), KNOWN, {"text": "sentence"})
    assert (corpus.name, corpus.reader, corpus.options["columns"]["label"]) == (name, "hub", ["emotion"])
    assert described(corpus) == corpus


def test_a_saved_data_set_with_the_name_of_a_corpus_is_refused(saved: Path) -> None:
    with pytest.raises(UsageError, match=f"^hf:{saved} gives your data the name notes, which is that of a corpus"):
        read_argument(f"hf:{saved}", ("notes",), {})


def test_an_entry_of_a_users_file_can_be_a_data_set(saved: Path) -> None:
    entry = {
        "reader": "hub",
        "source": str(saved),
        "columns": {"text": "sentence"},
        "labels": {"joy": "happy"},
        "split": "train",
    }
    corpus = described(own_corpus("mine", entry, "my.yaml"))
    assert (corpus.name, corpus.labels, corpus.split) == ("mine", {"joy": "happy"}, "train")
    assert corpus.options["columns"] == {"label": ["emotion"], "text": "sentence"}
