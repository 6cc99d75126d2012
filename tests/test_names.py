"""Names of files as text: stored without loss, shown on one line."""

import os

import pytest

from emokit.names import original, shown, storable

LATIN = os.fsdecode(b"caf\xe9.wav")
NAMES = [
    "a.wav",
    "Größe 😂.wav",
    "tab\there.wav",
    "line\nfeed.wav",
    LATIN,
    r"C:\xe9",
    r"caf\xe9.wav",
    r"\x5cxe9",
    r"\\x41",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_stored_as_text_without_loss(name):
    text = storable(name)
    assert text.encode("utf-8")
    assert original(text) == name


def test_two_names_never_become_one():
    assert len({storable(name) for name in NAMES}) == len(NAMES)


def test_only_what_utf8_cannot_hold_changes():
    assert storable(LATIN) == r"caf\xe9.wav"
    assert [storable(name) for name in NAMES[:4]] == NAMES[:4]
    assert storable(r"a\b") == r"a\b"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (LATIN, r"caf\xe9.wav"),
        ("tab\there\r\n", r"tab\there\r\n"),
        ("\x1b[31mred\x07\x9b", r"\x1b[31mred\x07\x9b"),
        ("\ud800", r"\ud800"),
        ("Größe 😂 \u202eabc", "Größe 😂 \u202eabc"),
    ],
)
def test_a_name_is_shown_on_one_line_without_control_characters(name, line):
    assert shown(name) == line
