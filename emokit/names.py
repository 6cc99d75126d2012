"""Names of files as text: a name need not be UTF-8, and can contain line feeds and control characters.

Python holds the bytes of a name that are not UTF-8 as lone surrogates, which no UTF-8 file can hold.
"""

import re

_STORED = re.compile(r"\\(?=x[0-9a-f]{2})|[\udc80-\udcff]")
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def storable(name: str) -> str:
    """A name as Unicode text: bytes that are not UTF-8 become `\\xe9`; `original` gives the name back."""
    return _STORED.sub(_escape, name)


def original(text: str) -> str:
    """The name that `storable` made a text of."""
    return _ESCAPE.sub(lambda match: _decode(int(match[1], 16), match[0]), text)


def shown(text: str) -> str:
    """Text as a part of one line: control characters and bytes that are not UTF-8 become escapes such as `\\n` and `\\xe9`."""
    return _NOT_SHOWN.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xD800 <= code <= 0xDFFF and not 0xDC80 <= code <= 0xDCFF:
        return f"\\u{code:04x}"
    return _SHORT.get(match[0]) or f"\\x{code & 0xFF:02x}"


def _decode(byte: int, escape: str) -> str:
    if byte == ord("\\"):
        return "\\"
    return chr(0xDC00 + byte) if byte >= 0x80 else escape
