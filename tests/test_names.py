"""File names as text: escaped in one line, and turned back."""

import json
import os

import pytest

from emokit.names import escaped, unescaped
from emokit.safe_text import escape_controls

NAMES = {
    "wav/Übung 1.wav": "wav/Übung 1.wav",
    os.fsdecode(b"caf\xe9.wav"): r"caf\xe9.wav",
    "tab\there.wav": r"tab\there.wav",
    "line\nfeed\r.wav": r"line\nfeed\r.wav",
    "\x1b[31mred\x7f.wav": r"\x1b[31mred\x7f.wav",
    "next\x85line\u2028.wav": r"next\u0085line\u2028.wav",
    "a\u202evaw.exe": r"a\u202evaw.exe",
    "back\\slash\\t.wav": r"back\\slash\\t.wav",
    r"caf\xe9.wav": r"caf\\xe9.wav",
}


@pytest.mark.parametrize("name", NAMES)
def test_an_escaped_name_is_one_printable_line_and_can_be_turned_back(name: str) -> None:
    text = escaped(name)
    assert text == NAMES[name]
    assert unescaped(text) == name
    assert json.loads(json.dumps(text, ensure_ascii=False).encode()) == text


@pytest.mark.parametrize("character", [chr(code) for code in (*range(0x100), 0x2028, 0xD800, *range(0xDC80, 0xDD00))])
def test_every_character_comes_back_also_after_a_backslash(character: str) -> None:
    for name in (character, f"\\{character}", f"{character}e9", f"\\x{character}"):
        assert unescaped(escaped(name)) == name
        assert escaped(name).encode()
        assert len(f"a{escaped(name)}b".splitlines()) == 1


def test_a_backslash_that_begins_no_escape_is_left_as_it_is() -> None:
    assert unescaped(r"C:\data\u12\xzz") == r"C:\data\u12\xzz"


def test_a_name_that_an_earlier_emokit_stored_is_still_turned_back() -> None:
    assert unescaped(r"\u001b[31mred\u007f.wav") == "\x1b[31mred\x7f.wav"


@pytest.mark.parametrize("name", [name for name in NAMES if "\\" not in name])
def test_a_stored_name_and_shown_text_are_escaped_in_the_same_way(name: str) -> None:
    assert escape_controls(name) == escaped(name)
    assert escape_controls(escaped(name)) == escaped(name)
