"""Tokens: truncation, context turns and padding."""

import pytest

from emokit.text.features import collate, tokenize
from emokit.text.model import train_tokenizer
from emokit.text.passages import Passage
from emokit.text.settings import TinySettings


@pytest.fixture(scope="module")
def tokenizer():
    words = ["one two three four five six seven eight nine ten ann bo :"] * 3
    return train_tokenizer(words, TinySettings(vocab_size=400), 12)


def spelled_out(tokenizer, row):
    return " ".join(token.removeprefix("Ġ") for token in tokenizer.convert_ids_to_tokens(row["input_ids"]))


def test_a_text_is_between_two_special_tokens(tokenizer):
    tokens = tokenize([Passage("One two")], tokenizer)
    assert spelled_out(tokenizer, tokens.rows[0]) == "[CLS] one two [SEP]"
    assert tokens.lengths.tolist() == [4]


def test_a_text_of_100_000_characters_is_truncated_and_marked(tokenizer):
    tokens = tokenize([Passage(" ".join(["one"] * count)) for count in (25_000, 10, 11)], tokenizer)
    assert tokens.lengths.tolist() == [12, 12, 12]
    assert tokens.is_cut.tolist() == [True, False, True]


def test_context_follows_as_the_second_sequence(tokenizer):
    passage = Passage("two", "Bo", ("Ann: one",))
    tokens = tokenize([passage], tokenizer)
    assert spelled_out(tokenizer, tokens.rows[0]) == "[CLS] bo : two [SEP] ann : one [SEP]"
    assert tokens.rows[0]["token_type_ids"] == [0, 0, 0, 0, 0, 1, 1, 1, 1]


def test_only_whole_turns_are_included_and_the_latest_first(tokenizer):
    passage = Passage("two", "Bo", ("Ann: six seven", "Bo: one", "Ann: ten"))  # 6 tokens, then 4 + 3 + 3
    assert (
        spelled_out(tokenizer, tokenize([passage], tokenizer).rows[0])
        == "[CLS] bo : two [SEP] bo : one ann : ten [SEP]"
    )


def test_an_utterance_of_full_length_has_no_context(tokenizer):
    passage = Passage("one two three four five six", "Bo", ("Ann: one",))
    (row,) = tokenize([passage], tokenizer).rows
    assert spelled_out(tokenizer, row) == "[CLS] bo : one two three four five six [SEP]"


def test_rows_are_padded_to_the_longest_and_masked(tokenizer):
    rows = tokenize([Passage("one two three"), Passage("four")], tokenizer).rows
    batch = collate(rows, tokenizer)
    assert batch["input_ids"].shape == (2, 5)
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
    assert batch["input_ids"][1, 3:].tolist() == [tokenizer.pad_token_id] * 2
    assert collate(rows, tokenizer, length=12)["input_ids"].shape == (2, 12)


def test_no_passages_give_no_rows(tokenizer):
    assert tokenize([], tokenizer).rows == []
