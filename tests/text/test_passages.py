"""Passages: the right context turns, and the names of texts that no model can read."""

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


def test_without_context_an_utterance_has_no_speaker():
    assert passages_of(TABLE, TABLE, 0)[0] == Passage("third")
    assert Passage("third").text_with_speaker == "third"


def test_context_is_of_the_same_dialogue_in_its_order():
    passages = passages_of(TABLE, TABLE, 5)
    assert passages[0] == Passage("third", "Ann", ("Ann: first", "Bo: second"))
    assert passages[1] == Passage("first", "Ann")
    assert passages[3] == Passage("elsewhere", "Bo")
    assert passages[4] == Passage("another corpus", "Cy")
    assert passages[0].text_with_speaker == "Ann: third"


def test_context_has_at_most_the_given_number_of_turns():
    assert passages_of(TABLE, TABLE, 1)[0].context == ("Bo: second",)


def test_a_comment_without_dialogue_has_no_context():
    assert passages_of(TABLE, TABLE, 3)[5] == Passage("a comment")


def test_context_may_be_outside_of_the_rows():
    assert passages_of(TABLE.iloc[:1], TABLE, 2)[0].context == ("Ann: first", "Bo: second")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Sentence 2 has an empty text; write one or leave it out."),
        (" \t\n", "Sentence 2 has an empty text; write one or leave it out."),
        ("ab\0c", "Sentence 2 has a null character at 3; save it as UTF-8 text."),
        ("ab\udcff", "Sentence 2 is not Unicode text (character 3); save it as UTF-8 text."),
    ],
)
def test_a_text_that_no_model_can_read_is_named(text, sentence):
    with pytest.raises(DataError) as error:
        check_texts(["fine", text], ["Sentence 1", "Sentence 2"])
    assert str(error.value) == sentence


def test_text_in_any_script_is_accepted():
    check_texts(["مرحبا 😂 \u202eabc", "你好", "x" * 100_000], ["a", "b", "c"])
