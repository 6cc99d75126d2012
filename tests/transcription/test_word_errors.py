"""Word error rates, by numbers that were worked out by hand."""

import pytest

from emokit.transcription.word_errors import WordErrors, edit_distance, rate, word_errors, words_of


@pytest.mark.parametrize(
    ("before", "after", "distance"),
    [
        ("a b c", "a b c", 0),
        ("a b c", "a x c", 1),
        ("a b c", "a c", 1),
        ("a c", "a b c", 1),
        ("a b", "", 2),
        ("", "a", 1),
    ],
)
def test_the_fewest_edits(before, after, distance):
    assert edit_distance(before.split(), after.split()) == distance


def test_english_is_compared_without_case_punctuation_and_contractions():
    assert words_of("It's eleven o'clock, Mr. Smith!", "en") == words_of("it is eleven o'clock mister smith", "en")


def test_other_languages_are_compared_without_case_and_punctuation():
    assert word_errors("Der Lappen liegt auf dem Eisschrank.", "der Lappen liegt auf Eisschrank", "de") == WordErrors(
        1, 6
    )


def test_chinese_is_counted_in_characters():
    assert word_errors("你好世界", "你好世间", "zh") == WordErrors(1, 4)


def test_the_rate_is_errors_by_words_with_an_interval_over_speakers():
    entries = [(f"s{number}", WordErrors(number % 2, 4)) for number in range(8) for _ in range(2)]
    result = rate(entries)
    assert (result["rate"], result["errors"], result["words"], result["utterances"]) == (8 / 64, 8, 64, 16)
    low, high = result["interval"]
    assert 0 <= low < 8 / 64 < high <= 0.25
    assert result["per_cluster"]["s0"] == 0
    assert result["per_cluster"]["s1"] == 0.25


def test_few_speakers_have_no_interval_and_no_words_no_rate():
    assert rate([("a", WordErrors(1, 4))])["interval"] is None
    assert rate([("a", WordErrors(1, 0))])["rate"] is None
