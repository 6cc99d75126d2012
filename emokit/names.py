r"""Unprintable characters as text, everywhere in the same way: `\x1b` is a byte, `\u202e` a character.

A name on disk is a series of bytes. Python keeps bytes that are not UTF-8 as lone surrogates, which neither JSON nor parquet
nor a terminal takes; tabs and line feeds break the rows of a table. A name that is stored is `escaped`: each of these is a
backslash and its code, and a backslash is two, so that the name can be turned back. Text that is only shown keeps its
backslashes, see `safe_text.escape_controls`.
"""

import re

# Control characters of ASCII (C0 and DEL) and of Latin-1 (C1), lone surrogates, line and paragraph separators, and the marks
# that change the direction of the text after them (bidi).
UNPRINTABLE = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
LETTERS = {"\t": "t", "\n": "n", "\r": "r", "\\": "\\"}
CHARACTERS = {letter: character for character, letter in LETTERS.items()}


def escaped(name: str) -> str:
    r"""A name with every unprintable character escaped: `\t`, `\n`, `\xe9` for a byte that is not UTF-8, `\u0085`."""
    return re.sub(rf"[{UNPRINTABLE}\\]", lambda match: escape(match[0]), name)


def unescaped(text: str) -> str:
    """The name that `escaped` was given; a backslash that begins no escape is left as it is."""
    return re.sub(r"\\(?:([tnr\\])|x([0-9a-f]{2})|u([0-9a-f]{4}))", _unescape, text)


def escape(character: str) -> str:
    r"""The escape of one character: `\n`, `\x1b` for a byte (ASCII, or not UTF-8), `\u0085` for any other."""
    if character in LETTERS:
        return "\\" + LETTERS[character]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # as os.fsdecode maps bytes: 0x80..0xff to U+DC80..U+DCFF
        code -= 0xDC00
    elif code > 0x7F:
        return f"\\u{code:04x}"
    return f"\\x{code:02x}"


def _unescape(match: re.Match[str]) -> str:
    letter, byte, code = match.groups()
    if letter:
        return CHARACTERS[letter]
    if code:
        return chr(int(code, 16))
    number = int(byte, 16)
    return chr(number if number < 0x80 else 0xDC00 + number)
