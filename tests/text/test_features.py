"""Tokens: what is cut, what of the dialogue finds room, and that padding is padding."""

import pytest

from emokit.text.features import collate, tokenise
from emokit.text.model import learn_tokenizer
from emokit.text.passages import Passage
from emokit.text.settings import TinySettings


@pytest.fixture(scope="module")
def tokenizer():
    words = ["one two three four five six seven eight nine ten ann bo :"] * 3
    return learn_tokenizer(words, TinySettings(vocabulary=400), 12)


def spelled(tokenizer, row):
    return " ".join(token.removeprefix("Ġ") for token in tokenizer.convert_ids_to_tokens(row["input_ids"]))


def test_a_text_becomes_its_words_between_two_marks(tokenizer):
    tokens = tokenise([Passage("One two")], tokenizer)
    assert spelled(tokenizer, tokens.rows[0]) == "[CLS] one two [SEP]"
    assert tokens.lengths.tolist() == [4]


def test_a_text_of_100_000_characters_is_cut_and_said_to_be(tokenizer):
    tokens = tokenise([Passage(" ".join(["one"] * count)) for count in (25_000, 10, 11)], tokenizer)
    assert tokens.lengths.tolist() == [12, 12, 12]
    assert tokens.is_cut.tolist() == [True, False, True]


def test_the_turns_before_follow_as_a_second_part(tokenizer):
    passage = Passage("two", "Bo", ("Ann: one",))
    tokens = tokenise([passage], tokenizer)
    assert spelled(tokenizer, tokens.rows[0]) == "[CLS] bo : two [SEP] ann : one [SEP]"
    assert tokens.rows[0]["token_type_ids"] == [0, 0, 0, 0, 0, 1, 1, 1, 1]


def test_only_whole_turns_are_read_and_the_latest_first(tokenizer):
    passage = Passage("two", "Bo", ("Ann: six seven", "Bo: one", "Ann: ten"))  # 5 marks and words, then 4 + 3 + 3
    assert spelled(tokenizer, tokenise([passage], tokenizer).rows[0]) == "[CLS] bo : two [SEP] bo : one ann : ten [SEP]"


def test_an_utterance_that_fills_all_the_room_is_read_without_the_turns_before(tokenizer):
    passage = Passage("one two three four five six", "Bo", ("Ann: one",))
    (row,) = tokenise([passage], tokenizer).rows
    assert spelled(tokenizer, row) == "[CLS] bo : one two three four five six [SEP]"


def test_rows_are_padded_to_the_longest_and_masked(tokenizer):
    rows = tokenise([Passage("one two three"), Passage("four")], tokenizer).rows
    batch = collate(rows, tokenizer)
    assert batch["input_ids"].shape == (2, 5)
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
    assert batch["input_ids"][1, 3:].tolist() == [tokenizer.pad_token_id] * 2
    assert collate(rows, tokenizer, length=12)["input_ids"].shape == (2, 12)


def test_nothing_becomes_nothing(tokenizer):
    assert tokenise([], tokenizer).rows == []
