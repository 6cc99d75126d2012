"""Corpora of other packages: entry points of the group `emokit.corpora`, each a module, imported only where it is named.

A module has `read(root, options)`, which yields `Utterance` and `Dropped`, and `CATALOGUE`, a dict like an entry of
`datasets.yaml`; `docs/corpora-plugin.md` shows one. What it yields is checked here: it is other people's code.
"""

import dataclasses
import importlib.metadata
import re
from collections.abc import Container, Iterator, Mapping
from numbers import Real
from pathlib import Path
from typing import Any

from emokit.data.sources.tree import Skipped
from emokit.data.utterance import OUTSIDE, SPLITS, Dropped, Remark, Utterance
from emokit.errors import DataError, EmokitError, UsageError

GROUP = "emokit.corpora"
PLUGIN = "plugin"
"""The `reader` of a plug-in's corpus."""

REQUIRED = ("utterance_id", "corpus", "speaker", "raw_label")
OF_OTHER_TYPES = ("turn", "start_seconds", "end_seconds", "votes", "flags")


def names() -> list[str]:
    """The names of the installed plug-ins; none of them is imported."""
    return sorted({entry.name for entry in importlib.metadata.entry_points(group=GROUP)})


class Plugin:
    """An installed plug-in, and the reader of its corpus."""

    def __init__(self, name: str, built_in: Container[str] = ()) -> None:
        """Import a plug-in.

        Args:
            name: one of `names()`.
            built_in: the names of the corpora that emokit has itself.

        Raises:
            UsageError: its name is taken, or it cannot be imported, or lacks `read` or `CATALOGUE`.
        """
        entries = {entry.value: entry for entry in importlib.metadata.entry_points(group=GROUP, name=name)}
        entry = next(iter(entries.values()))
        self.name = name
        distribution = entry.dist
        self.source = f"{entry.value} of {distribution.name} {distribution.version}" if distribution else entry.value
        if name in built_in:
            raise self._refusal("has the name of a corpus that emokit knows", "rename it, or uninstall its package.")
        if len(entries) > 1:
            raise self._refusal(f"is there twice, also as {list(entries)[1]}", "uninstall one of the two packages.")
        try:
            self._module: Any = entry.load()
        except Exception as error:  # whatever the code of others raises
            raise self._refusal(
                f"cannot be imported ({_described(error)})", "update or uninstall its package."
            ) from error
        if not callable(getattr(self._module, "read", None)):
            raise self._refusal("has no function read(root, options)", "update or uninstall its package.")
        if not isinstance(getattr(self._module, "CATALOGUE", None), dict):
            raise self._refusal(
                "has no dict CATALOGUE, like an entry of datasets.yaml", "update or uninstall its package."
            )
        annotations = getattr(self._module, "ANNOTATIONS", None)
        self.ANNOTATIONS = annotations if isinstance(annotations, re.Pattern) else None
        self.walks = getattr(self._module, "walks", None)

    @property
    def entry(self) -> dict[str, Any]:
        """Its entry in the catalogue, with defaults for what it leaves out."""
        given: dict[str, Any] = self._module.CATALOGUE
        defaults: dict[str, Any] = {
            "title": self.name,
            "homepage": "",
            "licence": "not stated",
            "paper": "",
            "root": None,
            "download": [],
            "layout": None,
            "expected": None,
            "has_speakers": True,
            "split": "auto",
            "options": {},
            "labels": {},
            "keeps_raw_labels": not given.get("labels"),
        }
        return {**defaults, **given, "reader": PLUGIN}

    def sources(self, root: Path, options: Mapping[str, Any]) -> list[Path]:
        """What its utterances depend on: the root, or what it says itself, and its code."""
        ask, code = getattr(self._module, "sources", None), getattr(self._module, "__file__", None)
        return [*(ask(root, options) if ask else [root]), *([Path(code)] if code else [])]

    def read(self, root: Path, options: Mapping[str, Any]) -> Iterator[Utterance | Dropped | Skipped | Remark]:
        """What the plug-in finds below `root`.

        Raises:
            DataError: it fails, or yields something else than utterances of its corpus.
        """
        seen: set[str] = set()
        try:
            for item in self._module.read(root, options):
                if isinstance(item, Utterance):
                    self._check(item, seen)
                elif not isinstance(item, Dropped | Skipped | Remark):
                    raise DataError(
                        f"The plug-in {self.name} yielded a value of the type {type(item).__name__} where Utterance or Dropped "
                        f"of emokit.data.utterance was expected; report it to the authors of {self.source}."
                    )
                yield item
        except EmokitError:
            raise
        except Exception as error:  # whatever the code of others raises
            raise DataError(
                f"The plug-in {self.name} failed while it read {root} ({_described(error)}); "
                f"report it to the authors of {self.source}."
            ) from error

    def _check(self, utterance: Utterance, seen: set[str]) -> None:
        wrong = _wrong_field(utterance, self.name)
        if wrong is None and utterance.utterance_id in seen:
            wrong = "utterance_id", "an id of its own"
        if wrong is not None:
            field, expected = wrong
            raise DataError(
                f"The plug-in {self.name} gives {utterance.utterance_id!r} the {field} {getattr(utterance, field)!r}, where "
                f"{expected} was expected; report it to the authors of {self.source}."
            )
        seen.add(utterance.utterance_id)

    def _refusal(self, problem: str, remedy: str) -> UsageError:
        return UsageError(f"The plug-in {self.name} ({self.source}) {problem}; {remedy}")


def _wrong_field(utterance: Utterance, corpus: str) -> tuple[str, str] | None:
    """The first field with a value that the table of utterances cannot have, and what was expected; None if there is none."""
    for field in dataclasses.fields(utterance):
        value = getattr(utterance, field.name)
        if field.name not in OF_OTHER_TYPES and not (
            isinstance(value, str) and value if field.name in REQUIRED else value is None or isinstance(value, str)
        ):
            return field.name, "a text"
    checks = {
        "corpus": (utterance.corpus == corpus, corpus),
        "utterance_id": (utterance.utterance_id.startswith(f"{corpus}/"), f"{corpus}/…"),
        "path": (utterance.path is None or not OUTSIDE.search(utterance.path), "one below the root"),
        "split": (utterance.split in (None, *SPLITS), f"one of {', '.join(SPLITS)}"),
        "turn": (utterance.turn is None or type(utterance.turn) is int, "a whole number"),
        "start_seconds": (utterance.start_seconds is None or isinstance(utterance.start_seconds, Real), "a number"),
        "end_seconds": (utterance.end_seconds is None or isinstance(utterance.end_seconds, Real), "a number"),
        "votes": (utterance.votes is None or isinstance(utterance.votes, Mapping), "a mapping of raw labels to votes"),
        "flags": (
            isinstance(utterance.flags, tuple) and all(isinstance(f, str) for f in utterance.flags),
            "a tuple of texts",
        ),
    }
    return next(((name, expected) for name, (is_right, expected) in checks.items() if not is_right), None)


def _described(error: Exception) -> str:
    """The type and the first line of an error."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
