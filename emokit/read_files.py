"""Files as they are found: what is under a name, and text and JSON read so that every fault is words and not Python's.

What cannot be read is told apart: absent, of another kind, without permission, not UTF-8, or damaged.
"""

import json
import os
import re
import stat
from pathlib import Path
from typing import Any

from emokit.errors import DataError, EmokitError

REMAKE = "make the folder that it belongs to again"
MOST_WORDS = 200  # letters of a library's message; some list a whole model


def absolute(path: Path) -> Path:
    """The path from the root of the disk, for a file that other commands read from other working folders.

    It has no `..`: in `/data/now/../corpus` the folder `now` may be deleted.
    """
    return path.resolve() if ".." in path.parts else path.absolute()


def check_readable(*paths: Path) -> None:
    """Refuse files that the user may not read, before a library takes them for damaged.

    Raises:
        DataError: names the first of them.
    """
    for path in paths:
        if path.exists() and not os.access(path, os.R_OK):
            raise DataError(f"{path} may not be read by you; ask its owner for access.")


def read_text(path: Path, advice: str = REMAKE, error_type: type[EmokitError] = DataError) -> str:
    """The text of a file that must be UTF-8; `advice` ends the sentence on a fault.

    Raises:
        EmokitError: of `error_type`; it is absent, of another kind, not readable, or not UTF-8.
    """
    if kind_of(path) not in ("file", "path without permission", None):  # a pipe would be waited for
        raise error_type(f"{path} {not_a('file', path)}; {advice}.")
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise error_type(f"{path} does not exist; {advice}.") from error
    except PermissionError as error:
        raise error_type(f"{path} may not be read by you; ask its owner for access.") from error
    except UnicodeDecodeError as error:
        raise error_type(f"{path} is not UTF-8 text; {advice}.") from error
    except (OSError, ValueError) as error:
        raise error_type(f"{path} cannot be read ({in_words(error)}); {advice}.") from error


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        DataError: the file is missing, not JSON, or has a key twice, of which one would be lost.
    """
    text = read_text(path)
    try:
        return json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is damaged ({in_words(error)}); {REMAKE}.") from error


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; `object_pairs_hook` of `json.loads`.

    Raises:
        ValueError: a key stands in it twice.
    """
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"it has the key {twice} twice")
    return values


def in_words(error: BaseException) -> str:
    """The reason of an error of Python, of the system or of a library, in words for a sentence's brackets."""
    match error:
        case UnicodeError():
            return "it is not UTF-8 text"
        case json.JSONDecodeError():
            return f"it is no JSON from line {error.lineno} column {error.colno} on"
        case OSError() if error.strerror:
            return error.strerror
        case RecursionError():
            return "it is nested too deeply"
        case KeyError():
            return f"it has no {error.args[0] if error.args else 'such key'}"
        case TypeError() | AttributeError() | IndexError():
            return "it holds values of another type or shape"
    # Libraries quote the errors of others: torch in a first line, huggingface_hub by their types.
    reason = re.sub(r"^Error\(s\) in loading state_dict for \w+:|\b[A-Z]\w+Error: ", "", str(error))
    reason = " ".join(reason.split()).rstrip(".")
    return reason[:MOST_WORDS] or "no reason was given"


def kind_of(path: Path | str) -> str | None:
    """What is under a name: a `file`, a `folder`, a `link to nothing` or what else; None where nothing is."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - a str need not be a possible path
    except PermissionError:
        return "path without permission"
    except (OSError, ValueError):
        return "link to nothing" if os.path.islink(path) else None  # noqa: PTH114
    kinds = ((stat.S_ISREG, "file"), (stat.S_ISDIR, "folder"), (stat.S_ISFIFO, "pipe"), (stat.S_ISSOCK, "socket"))
    return next((kind for is_kind, kind in kinds if is_kind(mode)), "device")


def can_wait(path: Path) -> bool:
    """Whether reading could wait for a writer for ever, or never end: a pipe, a socket or a device."""
    return kind_of(path) in ("pipe", "socket", "device")


def not_a(expected: str, path: Path) -> str:
    """Why a path is not the `file` or `folder` that was expected: `is not there`, or `is a folder, not a file`."""
    kind = kind_of(path)
    return "is not there" if kind is None else f"is a {kind}, not a {expected}"
