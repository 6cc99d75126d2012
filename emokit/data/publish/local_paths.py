"""Paths of this computer, taken out of what is published: folders tell a user's name, employer and projects."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import Any

TEXTS = frozenset({".json", ".jsonl", ".yaml", ".yml", ".md", ".txt"})
# What ends a path in a text: quotes, brackets, separators of lists, white space.
REST = r"(?:[/\\][^\s\"'`,;:()\[\]{}<>|]*)?"


class LocalPaths:
    """The folders of this computer that must not be published; each path in them is replaced by its last name."""

    def __init__(self, folders: Iterable[Path], values: Iterable[Any] = ()) -> None:
        """Begin.

        Args:
            folders: such as the home folder; the root of the file system does not count.
            values: nested settings; every absolute path in them counts as well.
        """
        exact = {text for value in values for text in _texts(value) if PurePath(text).is_absolute()}
        bases = {str(folder) for folder in folders if folder.is_absolute()}
        self._patterns = [
            re.compile(re.escape(form) + (REST if text in bases else ""))
            for text in sorted(bases | exact, key=len, reverse=True)
            if len(PurePath(text).parts) > 1
            for form in dict.fromkeys((text, json.dumps(text)[1:-1]))
        ]

    def masked(self, text: str) -> str:
        """The text with the last name of each path in its place."""
        for pattern in self._patterns:
            text = pattern.sub(lambda match: _last_name(match[0]), text)
        return text

    def published(self, file: Path) -> Path | bytes:
        """A file as it is published: itself, or its content without local paths where it is text that has some."""
        if file.suffix.lower() not in TEXTS:
            return file
        content = file.read_bytes()
        text = content.decode("utf-8", errors="surrogateescape")
        masked = self.masked(text)
        return file if masked == text else masked.encode("utf-8", errors="surrogateescape")


def _last_name(path: str) -> str:
    return re.split(r"[/\\]+", path.rstrip("/\\"))[-1]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
