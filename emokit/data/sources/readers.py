"""The readers of corpora: what finds the utterances below a root."""

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

from emokit.data.catalogue import Corpus
from emokit.data.sources.plugins import PLUGIN, Plugin
from emokit.data.sources.tree import Skipped
from emokit.data.utterance import Dropped, Remark, Utterance

# The readers of a user's own data, by the `reader` of their entries.
OWN = {
    "table": "emokit.data.sources.own.table",
    "class_folders": "emokit.data.sources.own.class_folders",
    "hub": "emokit.data.sources.own.hub",
}


class Reader(Protocol):
    """A module that reads one corpus, or one kind of own data.

    It may have `ANNOTATIONS`, a pattern of the names of files that it reads beside the recordings, and `walks(options)`, whether
    the files below the root that it did not use are to be entered in the ledger (by default they are). It may have
    `sources(root, options)`, the files and folders that it reads, where they are not all that is below the root.
    """

    def read(self, root: Path, options: Mapping[str, Any]) -> Iterator[Utterance | Dropped | Skipped | Remark]:
        """Find the utterances below `root`."""
        ...


def reader_of(corpus: Corpus) -> Reader:
    """The module that reads a corpus."""
    if corpus.reader == PLUGIN:
        return Plugin(corpus.name)
    name = OWN[corpus.reader] if corpus.reader else f"emokit.data.sources.corpora.{corpus.name}"
    return cast(Reader, importlib.import_module(name))


def walks(corpus: Corpus) -> bool:
    """Whether the files below the root of a corpus that are not its utterances are entered in the ledger."""
    ask = getattr(reader_of(corpus), "walks", None)
    return ask is None or bool(ask(corpus.options))


def sources(corpus: Corpus) -> list[Path]:
    """The files and folders that a corpus is read from."""
    if corpus.root is None:
        return []
    ask = getattr(reader_of(corpus), "sources", None)
    return [corpus.root] if ask is None else list(ask(corpus.root, corpus.options))
