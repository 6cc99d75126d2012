"""Text from data and commands, made safe to store and show.

Secrets are masked, control characters escaped for terminals, formulas quoted for spreadsheets.
"""

import re
from typing import Any

from emokit.names import UNPRINTABLE, escape

CONTROLS = re.compile(f"[{UNPRINTABLE}]")

SECRET = r"(?:password|passwd|passphrase|token|secret|credentials?|signature|api[_-]?key|access[_-]?key)"
SECRETS = [
    # https://TOKEN@host and https://user:password@host: hosts of the web put tokens in either place
    (r"(https?:/+)(?:[^\s/?#]+|[^\s/?#:]*:\S*)@", r"\1***@"),
    # postgresql://user:password@host; a password may have @ and / in it
    (r"(:/+[^:/@\s]*:)\S*@", r"\1***@"),
    # ?sig=…&key=… of a URL, and password=… anywhere
    (r"([?&;#](?:[\w.-]*(?:key|sig|auth|pwd|pass)|[\w.-]*" + SECRET + r")=)[^&;#\s\"'`]*", r"\1***"),
    (r"(?<![\w?&;#.-])([\w.-]*" + SECRET + r"=)(?:'[^']*'|\"[^\"]*\"|[^&;#,\s\"'`]+)", r"\1***"),
    # headers: Authorization: Bearer …, X-Api-Key: …
    (r"((?:authorization|[\w-]*api-key|[\w-]*-token)[\"']?\s*:\s*[\"']?)(?:\w+[ \t]+)?[^\s\"',;`]+", r"\1***"),
    (r"\b(bearer\s+)[\w.~+/=-]{16,}", r"\1***"),
    (r"\b(hf_)[a-z0-9]{16,}", r"\1***"),
]
PATTERNS = [(re.compile(pattern, re.IGNORECASE), masked) for pattern, masked in SECRETS]

# Spreadsheets take a cell that begins with one of these as a formula.
FORMULA = re.compile(r"'*(?:\s*[=+\-@]|[\t\r\n])")


def mask_secrets(text: str) -> str:
    """Replace passwords, tokens and signatures by ***: in URLs, in `name=value` pairs, in headers, and tokens of the hub."""
    for pattern, masked in PATTERNS:
        text = pattern.sub(masked, text)
    return text


def escape_controls(text: str, but: str = "") -> str:
    r"""Write control characters as `\n`, `\x1b` or `\u202e`, so that a terminal shows them and does not obey them.

    The escapes are those of `names.escaped`; a backslash is left as it is, so that text which is escaped already stays so.

    Args:
        text: any text.
        but: the control characters to leave unchanged.
    """
    return CONTROLS.sub(lambda match: match[0] if match[0] in but else escape(match[0]), text)


def escape_json(text: str) -> str:
    r"""Write the control characters in the strings of one line of JSON as `\u009b`; its value is unchanged."""
    return CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def spreadsheet_cell(value: Any) -> Any:
    """A cell of a CSV: text that a spreadsheet would take as a formula is preceded by `'`; numbers are unchanged."""
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) and not _is_number(value) else value


def from_spreadsheet_cell(value: Any) -> Any:
    """The value that `spreadsheet_cell` was given."""
    is_quoted = isinstance(value, str) and value.startswith("'") and FORMULA.match(value)
    return value[1:] if is_quoted else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and text == text.strip() and "_" not in text
