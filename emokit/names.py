"""File names as text: any name, also one that is not UTF-8, in one line that can be stored, shown, and turned back.

A name on disk is a series of bytes. Python keeps bytes that are not UTF-8 as lone surrogates, which neither JSON nor parquet
nor a terminal takes; tabs and line feeds break the rows of a table. Escaped, each of these is a backslash and its code, and
a backslash is two.
"""

import re

# Control characters, separators of lines, marks that reverse the direction of writing, lone surrogates.
UNPRINTABLE = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
LETTERS = {"\t": "t", "\n": "n", "\r": "r", "\\": "\\"}
CHARACTERS = {letter: character for character, letter in LETTERS.items()}


def escaped(name: str) -> str:
    r"""A name with every unprintable character escaped: `\t`, `\n`, `\xe9` for a byte that is not UTF-8, `\u0085`."""
    return re.sub(rf"[{UNPRINTABLE}\\]", _escape, name)


def unescaped(text: str) -> str:
    """The name that `escaped` was given; a backslash that begins no escape is left as it is."""
    return re.sub(r"\\(?:([tnr\\])|x([89a-f][0-9a-f])|u([0-9a-f]{4}))", _unescape, text)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in LETTERS:
        return "\\" + LETTERS[character]
    code = ord(character)
    # As os.fsdecode maps bytes: 0x80..0xff to U+DC80..U+DCFF.
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def _unescape(match: re.Match[str]) -> str:
    letter, byte, code = match.groups()
    return CHARACTERS[letter] if letter else chr(0xDC00 + int(byte, 16) if byte else int(code, 16))
