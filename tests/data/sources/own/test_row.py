"""The cells of a row as the fields of an utterance."""

from typing import Any

import pytest

from emokit.data.sources.own.columns import NAMES, Chosen
from emokit.data.sources.own.row import Fields, Unusable, fields_of, text_of


def read(*, annotators: tuple[str, ...] = ("label",), of_table: str | None = None, **cells: Any) -> Fields:
    others = {key: key for key in NAMES if key in cells and key != "label"}
    return fields_of({"label": "joy", "text": "Hi", **cells}, Chosen(annotators, {"text": "text", **others}), of_table)


def test_every_field_is_read() -> None:
    fields = read(
        path=" a.wav ", utterance_id=7, speaker="03", gender="F", language="de", sentence="a01", dialogue=2.0, turn="4.0",
        split="Valid", fold=1, start="1.5", end=3,
    )  # fmt: skip
    assert fields == Fields(
        raw_label="joy", votes=None, path="a.wav", text="Hi", utterance_id="7", speaker="03", gender="female", language="de",
        sentence="a01", dialogue="2", turn=4, split="dev", fold="1", start=1.5, end=3.0, flags=(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "text"),
    [(None, ""), (float("nan"), ""), (3.0, "3"), (3.5, "3.5"), (" 03 ", "03"), (3, "3"), (True, "True")],
)
def test_a_cell_as_text(cell: object, text: str) -> None:
    assert text_of(cell) == text


def test_a_text_keeps_its_white_space_and_empty_cells_are_none() -> None:
    fields = read(text=" Hi \n", speaker="", gender="", language=None, turn="", start="", fold="")
    assert fields.text == " Hi \n"
    empty = (fields.speaker, fields.gender, fields.language, fields.turn, fields.start, fields.fold)
    assert empty == ("", None, None, None, None, None)


def test_the_label_of_several_annotators_is_the_majoritys_and_the_votes_remain() -> None:
    fields = read(annotators=("a", "b", "c"), a="joy", b="anger", c="anger")
    assert (fields.raw_label, fields.votes) == ("anger", {"joy": 1.0, "anger": 2.0})
    assert read(annotators=("a", "b"), a="joy", b="").votes == {"joy": 1.0}


def test_columns_of_counts_are_votes_for_the_labels_that_they_are_named_by() -> None:
    fields = read(annotators=("joy", "anger", "fear"), joy="1", anger=3, fear="0")
    assert (fields.raw_label, fields.votes) == ("anger", {"joy": 1.0, "anger": 3.0})


def test_a_list_of_labels_is_a_vote_for_each() -> None:
    assert read(label=["joy", "love"]).votes == {"joy": 1.0, "love": 1.0}
    assert read(label=["joy"]).votes is None


@pytest.mark.parametrize(
    ("cells", "reason", "detail"),
    [
        ({"label": " "}, "no label", ""),
        ({"text": " "}, "neither a path nor a text", ""),
        ({"text": None, "path": ""}, "neither a path nor a text", ""),
        ({"path": {"bytes": b""}}, "path is no single value", ""),
        ({"speaker": ["a", "b"]}, "speaker is no single value", ""),
        ({"label": {"joy": 1}}, "label is no single value", ""),
        ({"split": "extra"}, "a split other than train, dev and test", "extra"),
        ({"split": ""}, "no split", ""),
        ({"utterance_id": ""}, "no usable utterance_id", ""),
        ({"utterance_id": "../a"}, "no usable utterance_id", "../a"),
        ({"fold": "a/b"}, "a fold that is neither a number nor a name", "a/b"),
        ({"turn": "x"}, "a turn that is no whole number", "x"),
        ({"turn": "2147483648"}, "a turn above 2147483647", "2147483648"),
        ({"turn": "9" * 400}, "a turn above 2147483647", "9" * 400),
        ({"start": "00:01"}, "start is no number of seconds", "00:01"),
        ({"end": "-1"}, "end is no number of seconds", "-1"),
        ({"start": "2", "end": "1"}, "end before its start", "2 to 1 s"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_an_utterance_has_a_reason(cells: dict[str, Any], reason: str, detail: str) -> None:
    with pytest.raises(Unusable) as error:
        read(**cells)
    assert (error.value.reason, error.value.detail) == (reason, detail)


def test_votes_that_are_no_counts_have_a_reason() -> None:
    with pytest.raises(Unusable, match="votes that are no counts"):
        read(annotators=("joy", "anger"), joy="1", anger="-3")
    with pytest.raises(Unusable, match="votes that are no counts"):
        read(annotators=("joy", "anger"), joy="1e308", anger="1e308")  # together infinite


def test_a_gender_that_is_neither_is_flagged_and_a_tables_split_is_used() -> None:
    assert read(gender="nonbinary").flags == ("gender other than female and male, not used",)
    splits = [read(of_table="test", **cells).split for cells in ({}, {"split": ""}, {"split": "train"})]
    assert splits == ["test", "test", "train"]


@pytest.mark.parametrize("cells", [{"text": "so \ud800 it is"}, {"label": "jo\udfff"}, {"speaker": "\ud8ff"}])
def test_half_of_a_character_is_no_value(cells: dict[str, str]) -> None:
    with pytest.raises(Unusable) as error:
        read(**cells)
    assert error.value.reason == "half of a character, which is no Unicode"


def test_nul_is_in_no_value() -> None:
    with pytest.raises(Unusable) as error:
        read(text="so\0it is")
    assert error.value.reason == "a NUL character"
