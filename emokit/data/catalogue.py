"""The corpora that emokit knows: `datasets.yaml`, and a user's own file laid over it.

What differs from user to user, such as the folder of a corpus or the fate of a label, is data and not code; what a
corpus's names mean is code, in `emokit/data/corpora`.
"""

import copy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from emokit.errors import DataError, UsageError
from emokit.files import resource
from emokit.labels import LABELS
from emokit.settings import Settings, nearest, read_yaml_mapping

CATALOGUE = "datasets.yaml"

# A file at the root of every corpus that emokit made itself, which must never pass for the real one.
SYNTHESISED_FILE = "SYNTHESISED.txt"
SYNTHESISED_TITLE = " (synthesised by emokit)"
SYNTHESISED_LICENCE = "made by emokit"


class Download(Settings):
    """One file that a corpus, or a part of it, may be fetched as."""

    url: str = Field(pattern=r"^https?://\S+$")
    """Where it is."""
    file: str = Field(pattern=r"^\w[\w.-]*$")
    """What it is called on disk; archives, known by their ending, are unpacked."""
    checksum: str | None = Field(None, pattern=r"^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$")
    """As its publisher states it; null where none is published."""
    pointers: str | None = Field(None, pattern=r"^https?://\S+$")
    """Where the archive holds Git LFS pointers: the address of the folder of the files that they stand for."""


class Corpus(Settings):
    """One corpus's entry of the catalogue."""

    name: str
    """Its name in commands and tables, such as `crema_d`."""
    title: str
    """What it is, in a line."""
    homepage: str
    """Where it is to be had."""
    licence: str
    """On which terms."""
    paper: str
    """What to cite."""
    root: Path | None = None
    """The folder that it lies in; `--root NAME=DIR` goes before it."""
    download: tuple[Download, ...]
    """The files that `--download` fetches; none where the corpus is given on request."""
    layout: str | None = None
    """How it lies on disk, where a user has to get it."""
    expected: int = Field(ge=1)
    """How many utterances the whole corpus has."""
    split: str
    """How it is split: one of the policies that `--split` takes."""
    options: dict[str, Any]
    """What its reader can be told."""
    labels: dict[str, str | None]
    """The corpus's own label -> one of the seven, or null for what is left out."""

    @property
    def is_synthesised(self) -> bool:
        """Whether what lies at its root was made by emokit."""
        return self.root is not None and (self.root / SYNTHESISED_FILE).is_file()


def read_catalogue(path: Path | None = None) -> dict[str, Corpus]:
    """Read the corpora, by name, in the order of `datasets.yaml`.

    Args:
        path: a user's file, whose values are laid over those that come with emokit; None for these alone.

    Raises:
        UsageError: the file is not there or no YAML, or names a corpus, a key or a label that does not exist.
    """
    entries = read_yaml_mapping(resource(CATALOGUE))
    if path is not None:
        for name, changes in read_yaml_mapping(path).items():
            if name not in entries:
                raise UsageError(f"{path} has the unknown corpus {name}; {_hint(str(name), entries)}")
            entries[name] = _laid_over(entries[name], changes, f"{path} (corpus {name})")
    source = path or CATALOGUE
    return {name: _corpus(name, entry, f"{source} (corpus {name})") for name, entry in entries.items()}


def with_roots(
    catalogue: Mapping[str, Corpus],
    names: Iterable[str],
    roots: Iterable[str] = (),
    missing: dict[str, str] | None = None,
) -> list[Corpus]:
    """The corpora named, each with a root that is there and holds something.

    Args:
        catalogue: what `read_catalogue` gave.
        names: the corpora to take, in this order.
        roots: such as `emodb=/data/emodb`; they go before the catalogue's.
        missing: where given, a root that is of no use does not raise: the corpus is left out, and why is entered here.

    Raises:
        UsageError: a corpus is unknown, or has no root, or a root is given for none of them.
        DataError: a root is not there, no folder, empty or not readable.
    """
    chosen = list(dict.fromkeys(names))
    for name in chosen:
        if name not in catalogue:
            raise UsageError(f"The corpus {name} is unknown; {_hint(name, catalogue)}")
    given: dict[str, Path] = {}
    for root in roots:
        name, separator, folder = root.partition("=")
        if not (name and separator and folder):
            raise UsageError(f"--root {root} was given where NAME=DIR was expected, such as --root emodb=/data/emodb.")
        if name not in chosen:
            raise UsageError(
                f"--root {root} is for none of the corpora asked for ({', '.join(chosen)}); name {name} as well."
            )
        given[name] = Path(folder)
    found = []
    for name in chosen:
        try:
            found.append(_with_root(catalogue[name], given.get(name)))
        except DataError as error:
            if missing is None:
                raise
            missing[name] = str(error)
    return found


def _with_root(corpus: Corpus, given: Path | None) -> Corpus:
    root = given or corpus.root
    if root is None:
        raise UsageError(
            f"The folder of {corpus.name} is not known; give it as --root {corpus.name}=DIR, or see {corpus.homepage}."
        )
    root = root.expanduser()
    try:
        empty = not any(root.iterdir())
    except FileNotFoundError as error:
        raise DataError(f"The root of {corpus.name}, {root}, does not exist; name its folder with --root.") from error
    except NotADirectoryError as error:
        raise DataError(f"The root of {corpus.name}, {root}, is a file; name the folder that it is in.") from error
    except OSError as error:
        raise DataError(f"The root of {corpus.name}, {root}, cannot be read ({error.strerror}); see to it.") from error
    if empty:
        raise DataError(f"The root of {corpus.name}, {root}, is empty; get the corpus at {corpus.homepage}.")
    return corpus.model_copy(update={"root": root})


def _corpus(name: str, entry: Mapping[str, Any], source: str) -> Corpus:
    corpus = Corpus.make({**entry, "name": name}, source)
    for raw_label, label in corpus.labels.items():
        if label is not None and label not in LABELS:
            raise UsageError(
                f"{source} maps {raw_label} to {label}, which is none of the seven; "
                f"write one of {', '.join(LABELS)}, or null to leave {raw_label} out."
            )
    return corpus


def _laid_over(entry: dict[str, Any], changes: Any, source: str) -> dict[str, Any]:
    """An entry with a user's changes; a key that it does not have is refused, as a slip would do nothing in silence."""
    if changes is None:
        return entry
    if not isinstance(changes, dict):
        raise UsageError(f"{source} holds {changes!r} where a mapping was expected; write it as `key: value` lines.")
    result = copy.copy(entry)
    for key, value in changes.items():
        if key not in entry:
            raise UsageError(f"{source} has the unknown key {key}; {_hint(str(key), entry)}")
        inner = entry[key]
        result[key] = _laid_over(inner, value, f"{source}, {key},") if isinstance(inner, dict) else value
    return result


def _hint(name: str, known: Iterable[str]) -> str:
    names = list(known)
    if not names:
        return "there is none to set; leave it out."
    close = nearest(name, names)
    return f"did you mean {close}?" if close else f"expected one of {', '.join(names)}."
