"""Passages: the turns before are the right ones, and what no model can read is named."""

import pandas
import pytest

from emokit.errors import DataError
from emokit.text.passages import Passage, check_texts, passages_of

TABLE = pandas.DataFrame(
    [
        ("meld", "train/1", 2, "Ann", "third"),
        ("meld", "train/1", 0, "Ann", "first"),
        ("meld", "train/1", 1, "Bo", "second"),
        ("meld", "train/2", 0, "Bo", "elsewhere"),
        ("other", "train/1", 1, "Cy", "another corpus"),
        ("goemotions", None, None, "id7", "a comment"),
    ],
    columns=["corpus", "dialogue", "turn", "speaker", "text"],
)


def test_without_context_an_utterance_is_read_alone_and_unnamed():
    assert passages_of(TABLE, TABLE, 0)[0] == Passage("third")
    assert Passage("third").words == "third"


def test_the_turns_before_are_of_the_same_dialogue_in_their_order():
    found = passages_of(TABLE, TABLE, 5)
    assert found[0] == Passage("third", "Ann", ("Ann: first", "Bo: second"))
    assert found[1] == Passage("first", "Ann")
    assert found[3] == Passage("elsewhere", "Bo")
    assert found[4] == Passage("another corpus", "Cy")
    assert found[0].words == "Ann: third"


def test_no_more_turns_are_read_than_asked_for():
    assert passages_of(TABLE, TABLE, 1)[0].before == ("Bo: second",)


def test_a_comment_without_dialogue_stays_as_it_is():
    assert passages_of(TABLE, TABLE, 3)[5] == Passage("a comment")


def test_the_turns_before_may_lie_outside_the_rows_that_are_read():
    assert passages_of(TABLE.iloc[:1], TABLE, 2)[0].before == ("Ann: first", "Bo: second")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Sentence 2 has an empty text; give it words or leave it out."),
        (" \t\n", "Sentence 2 has an empty text; give it words or leave it out."),
        ("ab\0c", "Sentence 2 has a null character at 3; save it as UTF-8 text."),
        ("ab\udcff", "Sentence 2 is no Unicode text (character 3); save it as UTF-8 text."),
    ],
)
def test_what_no_model_can_read_is_named(text, sentence):
    with pytest.raises(DataError) as error:
        check_texts(["fine", text], ["Sentence 1", "Sentence 2"])
    assert str(error.value) == sentence


def test_text_in_any_script_is_fine():
    check_texts(["مرحبا 😂 \u202eabc", "你好", "x" * 100_000], ["a", "b", "c"])
