"""Own tables: their columns, their rows, and what is wrong with them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from emokit.data.catalogue import Corpus, own_corpus
from emokit.data.sources.own.table import NO_SPEAKERS, UNNAMED, describe, read, sources
from emokit.data.sources.tree import Skipped
from emokit.data.utterance import Dropped, Remark, Utterance
from emokit.errors import DataError, UsageError


def corpus_of(*tables: Path, root: Path | None = None, columns: Mapping[str, str] | None = None) -> Corpus:
    entry = {
        "reader": "table",
        "tables": [str(table) for table in tables],
        "columns": dict(columns or {}),
        "root": root,
    }
    return describe(own_corpus("calls", entry, "calls"))


def entries(corpus: Corpus, kind: type) -> list[Any]:
    assert corpus.root is not None
    return [entry for entry in read(corpus.root, corpus.options) if isinstance(entry, kind)]


def utterances(*tables: Path, **how: Any) -> list[Utterance]:
    return entries(corpus_of(*tables, **how), Utterance)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of three recordings in `wav`; a fourth is not in it."""
    for name in "abcd":
        (tmp_path / "wav").mkdir(exist_ok=True)
        (tmp_path / "wav" / f"{name}.wav").touch()
    path = tmp_path / "labels.csv"
    path.write_text(
        "file,emotion,speaker,text,note\nwav/a.wav,joy,s1,Yes.,1\nwav/b.wav,anger,s2,No!,2\nwav/c.wav,joy,,Well,3\n"
    )
    return path


def test_a_row_with_a_path_is_an_utterance(table: Path) -> None:
    first, second, third = utterances(table)
    assert first == Utterance("calls/a", "calls", "wav/a.wav", "s1", "joy", text="Yes.")
    assert (second.utterance_id, second.speaker, second.raw_label) == ("calls/b", "s2", "anger")
    assert third.speaker == "c"


def test_the_ledger_is_told_the_columns_the_nameless_and_the_recordings_that_are_not_named(table: Path) -> None:
    corpus = corpus_of(table)
    assert corpus.has_speakers
    assert [remark.sentence for remark in entries(corpus, Remark)] == [
        "labels.csv, columns: label = emotion, path = file, text, speaker; not used: note",
        "1 of 3 utterances have no speaker: each counts as a speaker of its own",
    ]
    assert entries(corpus, Skipped) == [Skipped("wav/d.wav", UNNAMED)]


def test_the_sources_are_the_table_and_the_recordings_that_it_names(table: Path) -> None:
    corpus = corpus_of(table)
    assert corpus.root is not None
    assert sources(corpus.root, corpus.options) == [table, *(table.parent / "wav" / f"{name}.wav" for name in "abc")]
    only_text = corpus_of(table, columns={"path": ""})
    assert sources(table.parent, only_text.options) == [table]


def test_a_text_without_a_path_is_named_by_its_row_and_its_table(tmp_path: Path) -> None:
    for name in ("train", "val"):
        (tmp_path / f"{name}.csv").write_text("text,label\n" + "Hi,joy\n" * 10)
    corpus = corpus_of(tmp_path / "train.csv", tmp_path / "val.csv")
    read_back = entries(corpus, Utterance)
    assert [(u.utterance_id, u.split, u.path) for u in (read_back[0], read_back[-1])] == [
        ("calls/train/02", "train", None),
        ("calls/val/11", "dev", None),
    ]
    assert not corpus.has_speakers
    assert all(u.speaker == u.utterance_id.partition("/")[2] for u in read_back)
    sentences = [remark.sentence for remark in entries(corpus, Remark)]
    assert NO_SPEAKERS in sentences
    assert "the split is that of the table: train of train.csv, dev of val.csv" in sentences
    assert corpus.options["repeated_texts"] == "drop"
    assert corpus.portable_options["tables"] == ["train.csv", "val.csv"]


def test_parts_of_a_file_are_utterances_of_their_own(table: Path) -> None:
    table.write_text("path,label,start,end\nwav/a.wav,joy,0,1.5\nwav/a.wav,anger,1.5,\n")
    first, second = utterances(table)
    assert (first.utterance_id, first.start_seconds, first.end_seconds) == ("calls/a_0-1.5", 0.0, 1.5)
    assert (second.utterance_id, second.start_seconds, second.end_seconds) == ("calls/a_1.5-end", 1.5, None)


def test_a_column_without_a_value_is_as_if_it_was_not_there(table: Path) -> None:
    table.write_text("path,label,speaker,split\nwav/a.wav,joy,,\nwav/b.wav,joy,,\n")
    corpus = corpus_of(table)
    assert not corpus.has_speakers
    assert set(corpus.options["columns"]) == {"path", "label"}


def test_annotators_vote(table: Path) -> None:
    table.write_text("path,r1,r2,r3\nwav/a.wav,joy,anger,joy\n")
    (utterance,) = utterances(table, columns={"label": "r1,r2,r3"})
    assert (utterance.raw_label, utterance.votes) == ("joy", {"joy": 2.0, "anger": 1.0})


def test_other_words_for_splits_are_noted(table: Path) -> None:
    table.write_text("path,label,split\nwav/a.wav,joy,train\nwav/b.wav,joy,validation\nwav/c.wav,joy,extra\n")
    corpus = corpus_of(table)
    assert [u.split for u in entries(corpus, Utterance)] == ["train", "dev"]
    assert Remark("in the column split, validation counts as dev") in entries(corpus, Remark)
    assert entries(corpus, Dropped) == [Dropped("labels.csv, row 4", "a split other than train, dev and test", "extra")]


def test_single_bad_rows_are_dropped_under_their_numbers(table: Path) -> None:
    rows = ("wav/a.wav,joy", "wav/x.wav,joy", "../b.wav,joy", "wav/b.wav,", ",joy", "wav/c.wav,joy,more")
    table.write_text("path,label\n" + "\n".join(rows) + "\n")
    assert entries(corpus_of(table), Dropped) == [
        Dropped("labels.csv, row 3", "no file at its path", "wav/x.wav"),
        Dropped("labels.csv, row 4", "path outside the root", "../b.wav"),
        Dropped("labels.csv, row 5", "no label"),
        Dropped("labels.csv, row 6", "neither a path nor a text"),
        Dropped("labels.csv, row 7", "more or fewer fields than the header"),
    ]


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("path,label\n", "{table} has no rows; write one utterance per row."),
        (
            "path,label\nx/a.wav,joy\nx/b.wav,joy\n",
            "{table}: none of its paths (2 rows) is that of a file below {root}, the first is x/a.wav, though there is "
            "wav/a.wav; name the folder that the paths are relative to with --audio-root.",
        ),
        (
            "path,label\n../z.wav,joy\n",
            "{table}: its paths (1 row) lead out of {root}, the first is ../z.wav; "
            "name the folder that holds all recordings with --audio-root, and write paths relative to it.",
        ),
        (
            "path,label,split\nwav/a.wav,joy,one\nwav/b.wav,joy,two\n",
            "{table} has the splits one, two in its column split, expected train, dev and test (val, valid, validation, "
            "development, eval and evaluation count as dev); rename them, or leave the column out with --columns split=.",
        ),
        (
            "path,label\nwav/a.wav,\n",
            "{table} has no value in its column label (1 row); name the column of the labels with --columns label=NAME.",
        ),
        (
            "path,text,label\n,,joy\n,,joy\n",
            "{table}: none of its rows can be used (2 rows: neither a path nor a text); "
            "correct the table, or name other columns with --columns.",
        ),
        (
            "path,label\nwav/a.wav,joy\nwav/a.wav,anger\n",
            "{table} names the file wav/a.wav 2 times (labels.csv, row 2, labels.csv, row 3); expected one row per "
            "recording, or columns start and end for its parts: remove rows, or name a column with "
            "--columns utterance_id=NAME.",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_all_rows_is_one_sentence(table: Path, written: str, sentence: str) -> None:
    table.write_text(written)
    with pytest.raises(DataError) as error:
        utterances(table)
    assert str(error.value) == sentence.format(table=table, root=table.parent)


@pytest.mark.parametrize("name", ["labels.csv", "link.csv"])
def test_a_table_that_is_named_twice_is_refused(table: Path, name: str) -> None:
    (table.parent / "link.csv").symlink_to(table)
    with pytest.raises(UsageError) as error:
        corpus_of(table, table.parent / name)
    assert str(error.value) == f"{table} is named twice among the tables; name each table once."


def test_a_table_without_a_split_in_its_name_beside_one_with_a_split_is_refused(table: Path) -> None:
    (table.parent / "test.csv").write_text(table.read_text())
    with pytest.raises(UsageError) as error:
        corpus_of(table, table.parent / "test.csv")
    assert str(error.value) == (
        "labels.csv has no split in its name and 1 of the tables beside it have; expected train, dev and test (val, valid, "
        "validation, development, eval and evaluation count as dev): rename it, or give the split as a column and all tables "
        "other names."
    )


def test_a_column_with_another_label_in_most_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\n" + "".join(f"t,{'long ' * 9}{number}\n" for number in range(20)))
    with pytest.raises(DataError) as error:
        utterances(path)
    shown = ", ".join(["long long long long long long long long …"] * 3)
    assert str(error.value) == (
        f"{path} has 20 different labels in 20 rows of its column label, such as {shown}; "
        "name the column of the labels with --columns label=NAME."
    )


def test_of_parquet_a_column_of_recordings_is_refused_and_one_beside_the_others_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    columns = {"audio": [{"bytes": b"x", "path": "a.wav"}], "text": ["Hi"], "label": [["joy", "love"]]}
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    with pytest.raises(UsageError) as error:
        corpus_of(path)
    assert str(error.value) == (
        f"{path} has its column audio as struct<bytes: binary, path: string>, where text was expected; name the folder of a "
        "data set with recordings in it as hf:DIR, or another column with --columns."
    )
    (utterance,) = utterances(path, columns={"path": ""})
    assert (utterance.text, utterance.votes) == ("Hi", {"joy": 1.0, "love": 1.0})
