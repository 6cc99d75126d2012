"""Languages by code and by name."""

import pytest

from emokit.transcription.languages import code_of, known_codes, name_of


@pytest.mark.parametrize(
    ("language", "code"),
    [("de", "de"), ("German", "de"), ("de-AT", "de"), ("zh_CN", "zh"), ("mandarin", "zh"), ("xx", None)],
)
def test_a_language_is_known_by_its_code_and_its_english_name(language, code):
    assert code_of(language) == code


def test_codes_have_names():
    assert name_of("de") == "German"
    assert name_of("xx") == "Xx"
    assert {"en", "zh"} < set(known_codes())
