"""Which columns of a table are used."""

from collections.abc import Mapping, Sequence

import pytest

from emokit.data.sources.own.columns import MOST_SHOWN, NAMES, Chosen, check_given, choose, read_columns
from emokit.errors import UsageError


@pytest.mark.parametrize(
    ("columns", "given", "label", "others"),
    [
        (("path", "label"), {}, ["label"], {"path": "path"}),
        (("Filename", "Emotion", "Sex"), {}, ["Emotion"], {"path": "Filename", "gender": "Sex"}),
        (("emotion", "label", "text"), {}, ["label"], {"text": "text"}),
        (("emotion", "label", "text"), {"label": "emotion"}, ["emotion"], {"text": "text"}),
        # A column that was named for one thing is not taken for another.
        (("utterance", "file", "label"), {"utterance_id": "utterance"}, ["label"], {"path": "file", "utterance_id": "utterance"}),
        (("text", "label", "speaker"), {"speaker": ""}, ["label"], {"text": "text"}),
        (("text", "r1", "r2", "r3"), {"label": "r1, r2,r3"}, ["r1", "r2", "r3"], {"text": "text"}),
        (("text", "r1", "r2"), {"label": ["r1", "r2"]}, ["r1", "r2"], {"text": "text"}),
    ],
)  # fmt: skip
def test_columns_are_those_that_were_named_and_those_with_a_usual_name(
    columns: Sequence[str], given: Mapping[str, str], label: list[str], others: dict[str, str]
) -> None:
    chosen = choose(columns, given, "a.csv")
    assert (list(chosen.label), dict(chosen.others)) == (label, others)
    assert Chosen.of(chosen.as_options()) == chosen


def test_no_name_is_taken_for_two_things() -> None:
    names = [name for usual in NAMES.values() for name in usual]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("columns", "given", "sentence"),
    [
        (
            ("text", "emo_label", "id"), {},
            "a.csv has no column of labels, its columns are text, emo_label, id; "
            "name it with --columns label=emo_label.",
        ),
        (("text", "x"), {}, "a.csv has no column of labels, its columns are text, x; name it with --columns label=NAME."),
        (
            ("label", "comment", "x"), {},
            "a.csv has neither a column of paths nor one of texts, its columns are label, comment, x; "
            "name it with --columns path=NAME or --columns text=comment.",
        ),
        (
            ("text", "emotoin"), {"label": "emotion"},
            "a.csv has no column emotion, its columns are text, emotoin; did you mean --columns label=emotoin?",
        ),
        (
            ("text", "label"), {"speaker": "who"},
            "a.csv has no column who, its columns are text, label; name one of them.",
        ),
        (("text", "label", "text"), {}, "a.csv has 2 columns with the name text; rename one of them."),
        (("a", "text"), {"label": "a,a"}, "--columns label=a,a names a twice; name each column once."),
        (("a", "b", "label"), {"text": "a,b"}, "--columns text=a,b names several columns; only label can be in several."),
    ],
)  # fmt: skip
def test_a_missing_column_is_refused_with_those_that_are_there(
    columns: Sequence[str], given: Mapping[str, str], sentence: str
) -> None:
    with pytest.raises(UsageError) as error:
        choose(columns, given, "a.csv")
    assert str(error.value) == sentence


def test_of_many_columns_the_first_are_named() -> None:
    names = [f"c{number}" for number in range(MOST_SHOWN + 1)]
    with pytest.raises(UsageError, match=f"{names[-2]}, …; name it"):
        choose(names, {}, "a.csv")


def test_options_of_the_command_line_are_read() -> None:
    assert read_columns(["label=a,b", "speaker="]) == {"label": "a,b", "speaker": ""}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["label"], "--columns label was given where KEY=NAME was expected, such as --columns label=emotion."),
        (["label=a", "label=b"], "--columns was given twice for label; give it once."),
        (["lable=a"], "--columns has the unknown key lable; did you mean label?"),
        (["x=a"], f"--columns has the unknown key x; expected one of {', '.join(NAMES)}."),
    ],
)
def test_options_of_another_form_are_refused(given: list[str], sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        read_columns(given)
    assert str(error.value) == sentence


def test_the_ledgers_sentence_names_what_is_used_and_what_is_not() -> None:
    columns = ("file", "emotion", "text", "note")
    assert choose(columns, {}, "a.csv").described(columns) == (
        "columns: label = emotion, path = file, text; not used: note"
    )


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"label": 5}, "columns.label = 5"),
        ({"text": "t", "label": None}, "columns.label = None"),
        ({"label": ["a", 1]}, "columns.label = ['a', 1]"),
        ({1: "a"}, "columns.1 = 'a'"),
    ],
)
def test_what_yaml_reads_as_no_name_is_refused(columns: object, words: str) -> None:
    with pytest.raises(UsageError) as error:
        check_given(columns, "my.yaml (corpus calls)")
    assert str(error.value) == (
        f"my.yaml (corpus calls) has {words} where the name of a column was expected; put numbers into quotes, and write '' for "
        "a column that is not to be used."
    )
    assert check_given({"label": ["a", "b"], "speaker": ""}, "") == {"label": ["a", "b"], "speaker": ""}
