"""The corpora that emokit can prepare: `datasets.yaml`, and a user's own file merged over it.

Whatever differs between users, such as the folder of a corpus or the label that a raw label maps to, is data. How a corpus names
its files is code, in `emokit/data/sources/corpora`.
"""

import copy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from emokit.data.sources import plugins
from emokit.data.sources.own.columns import check_given
from emokit.errors import DataError, UsageError
from emokit.files import absolute, resource
from emokit.settings import Name, Settings, nearest, read_yaml_mapping

CATALOGUE = "datasets.yaml"
TABLES = "tables"  # the option of a user's own tables
OWN_READERS = ("table", "class_folders", "hub")
"""What reads a user's own data: a table, folders named by labels, a data set of the hub or of the library `datasets`."""

# A file at the root of every corpus that emokit synthesised, so that none is mistaken for the real one.
SYNTHESISED_FILE = "SYNTHESISED.txt"
SYNTHESISED_TITLE = " (synthesised by emokit)"
SYNTHESISED_LICENCE = "made by emokit"


class Download(Settings):
    """One file to download for a corpus."""

    url: str = Field(pattern=r"^https?://\S+$")
    """Its address."""
    file: Name
    """Its name on disk; archives, recognised by their suffix, are unpacked."""
    checksum: str | None = Field(None, pattern=r"^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$")
    """As its publisher states it; null where none is published."""
    pointers: str | None = Field(None, pattern=r"^https?://\S+$")
    """For an archive of Git LFS pointers: the address of the folder of the files that they point to."""


class Corpus(Settings):
    """One corpus's entry in the catalogue."""

    name: Name
    """Its name in commands and tables, such as `crema_d`."""
    title: str
    """A one-line description."""
    homepage: str
    """Where to obtain it."""
    licence: str
    """Its terms of use."""
    paper: str
    """What to cite."""
    root: Path | None = None
    """Its folder; `--root NAME=DIR` takes precedence."""
    download: tuple[Download, ...]
    """The files that `--download` fetches; empty where the corpus is available on request only."""
    layout: str | None = None
    """The layout on disk that emokit expects, where users obtain the corpus themselves."""
    expected: int | None = Field(None, ge=1)
    """The number of utterances of the complete corpus; null where nobody states it."""
    reader: str | None = None
    """What reads it: null for the module of its name, else one of `emokit.data.sources.readers.OWN`, or `plugin`."""
    has_speakers: bool = True
    """Whether it names its speakers; else each utterance counts as a speaker of its own."""
    split: str
    """One of the split policies that `--split` accepts."""
    options: dict[str, Any]
    """The options of its reader."""
    labels: dict[str, str | None]
    """The label of each raw label, or null to leave its utterances out."""
    keeps_raw_labels: bool = False
    """Whether a raw label that `labels` lacks is a label itself."""

    @property
    def is_own(self) -> bool:
        """Whether it is a user's own data, or that of a plug-in, and no corpus that emokit knows."""
        return self.reader is not None

    @property
    def takes_columns(self) -> bool:
        """Whether its reader takes the names of columns."""
        return self.is_own and self.reader != plugins.PLUGIN

    @property
    def portable_options(self) -> dict[str, Any]:
        """The options, with tables by their names: moving them does not change the result."""
        tables = self.options.get(TABLES)
        return self.options if tables is None else {**self.options, TABLES: [Path(table).name for table in tables]}

    @property
    def is_synthesised(self) -> bool:
        """Whether emokit made the files at its root."""
        return self.root is not None and (self.root / SYNTHESISED_FILE).is_file()


def read_catalogue(path: Path | None = None, named: Iterable[str] = ()) -> dict[str, Corpus]:
    """Read the corpora by name, in the order of `datasets.yaml`.

    Args:
        path: a user's file, whose values replace those of `datasets.yaml`, and whose entries with a `reader` are corpora of
            the user's own; None for `datasets.yaml` alone.
        named: what a command names; of the corpora of plug-ins, only these are imported and in the result.

    Raises:
        UsageError: the file is missing or not YAML, or has an unknown corpus, key or label; or a named plug-in is unusable.
    """
    entries = read_yaml_mapping(resource(CATALOGUE))
    built_in, installed = set(entries), plugins.names()
    entries |= {name: plugins.Plugin(name, built_in).entry for name in named if name in installed}
    own: dict[str, Corpus] = {}
    if path is not None:
        for name, changes in read_yaml_mapping(path).items():
            if not isinstance(name, str):
                raise UsageError(f"{path} has a corpus named {name!r}, which is no text in YAML; write it in quotes.")
            if name not in entries and isinstance(changes, dict) and ("reader" in changes or TABLES in changes):
                own[name] = own_corpus(name, changes, f"{path} (corpus {name})")
                continue
            if name in installed and name not in entries:
                continue  # of a plug-in that the command does not name
            if name not in entries:
                raise UsageError(f"{path} has the unknown corpus {name}; {_hint(name, entries)}")
            entries[name] = _merged(entries[name], changes, f"{path} (corpus {name})")
    source = path or CATALOGUE
    return {
        name: _corpus(
            name, entry, f"{source} (corpus {name})" if name in built_in else f"The CATALOGUE of the plug-in {name}"
        )
        for name, entry in entries.items()
    } | own


def plugin_corpora(path: Path | None = None) -> tuple[list[Corpus], dict[str, str]]:
    """The corpora of all plug-ins, and the name and the error of each plug-in that is unusable.

    Args:
        path: a user's file, as `read_catalogue` takes it.
    """
    corpora: list[Corpus] = []
    unusable: dict[str, str] = {}
    for name in plugins.names():
        try:
            corpora.append(read_catalogue(path, [name])[name])
        except UsageError as error:
            unusable[name] = str(error)
    return corpora, unusable


def known_names(catalogue: Iterable[str]) -> list[str]:
    """The names of the corpora of a catalogue, and of those of plug-ins that it does not have."""
    return list(dict.fromkeys([*catalogue, *plugins.names()]))


def own_corpus(name: str, entry: Mapping[str, Any], source: str) -> Corpus:
    """The entry of a user's own data, with defaults for what it leaves out.

    Args:
        name: of the corpus.
        entry: `reader` (a table's by default), its `root` or `audio_root`; for a table `tables`, for a data set `source`, for
            both `columns`; and any other key of an entry.
        source: where it is from, for messages.

    Raises:
        UsageError: a key is unknown or missing, or a value has another type.
    """
    values = {"reader": "table", "root": None, **entry}
    if values["reader"] not in OWN_READERS:
        raise UsageError(f"{source} has reader = {values['reader']!r}; expected one of {', '.join(OWN_READERS)}.")
    audio_root = values.pop("audio_root", None)
    if not isinstance(audio_root, str | Path | None):
        raise UsageError(f"{source} has audio_root = {audio_root!r}, but it should be a path.")
    if not isinstance(values.get("options"), dict | None):
        raise UsageError(f"{source} has options = {values['options']!r} where `key: value` lines were expected.")
    values["root"] = audio_root or values["root"]
    options = {"corpus": name, **(values.pop("options", None) or {})}
    if "columns" in values:
        options["columns"] = check_given(values.pop("columns") or {}, source)
    if values["reader"] == "table":
        tables = values.pop(TABLES, None)
        tables = [tables] if isinstance(tables, str) else tables
        if not isinstance(tables, list) or not tables or not all(isinstance(table, str) for table in tables):
            raise UsageError(f"{source} has no tables, which its reader needs; add them as tables: [labels.csv].")
        files = [absolute(Path(table).expanduser()) for table in tables]
        options[TABLES] = [str(file) for file in files]
        values["root"] = values["root"] or files[0].parent
    elif "source" in values:
        options["source"] = values.pop("source")
    defaults = {
        "title": "own data",
        "homepage": "",
        "licence": "not stated",
        "paper": "",
        "download": [],
        "split": "auto",
        "labels": {},
        "keeps_raw_labels": True,
        "has_speakers": False,
    }
    return _corpus(name, {**defaults, **values, "options": options}, source)


def with_roots(
    catalogue: Mapping[str, Corpus],
    names: Iterable[str],
    roots: Iterable[str] = (),
    missing: dict[str, str] | None = None,
) -> list[Corpus]:
    """The named corpora, each with a root that exists and is not empty.

    Args:
        catalogue: the result of `read_catalogue`.
        names: the corpora, in the order of the result.
        roots: such as `emodb=/data/emodb`; they take precedence over the catalogue's.
        missing: if given, a corpus with an unusable root is left out and its error entered here, instead of raised.

    Raises:
        UsageError: a corpus is unknown or has no root, or a root belongs to none of the named corpora.
        DataError: a root is missing, not a folder, empty or not readable.
    """
    chosen = list(dict.fromkeys(names))
    for name in chosen:
        if name not in catalogue:
            hint = f"{_hint(name, known_names(catalogue)).rstrip('.?')}, or name data of your own as {name}=FILE or {name}=DIR."
            raise UsageError(f"The corpus {name} is unknown; {hint}")
    folders: dict[str, Path] = {}
    for root in roots:
        name, separator, folder = root.partition("=")
        if not (name and separator and folder):
            raise UsageError(f"--root {root} was given where NAME=DIR was expected, such as --root emodb=/data/emodb.")
        if name not in chosen:
            raise UsageError(
                f"--root {root} is for none of the named corpora ({', '.join(chosen)}); name {name} as well."
            )
        if name in folders:
            raise UsageError(f"--root gives {name} two folders, {folders[name]} and {folder}; name one of them.")
        folders[name] = Path(folder)
    corpora = []
    for name in chosen:
        try:
            corpora.append(_with_root(catalogue[name], folders.get(name)))
        except DataError as error:
            if missing is None:
                raise
            missing[name] = str(error)
    return corpora


def _with_root(corpus: Corpus, folder: Path | None) -> Corpus:
    if (root := folder or corpus.root) is None:
        raise UsageError(
            f"The folder of {corpus.name} is not known; give it as --root {corpus.name}=DIR, or see {corpus.homepage}."
        )
    # Absolute, so that the prepared folder can be used from any working directory.
    root = absolute(root.expanduser())
    try:
        empty = not any(root.iterdir())
    except FileNotFoundError as error:
        option = "--audio-root" if corpus.reader == "table" else "--root"
        raise DataError(f"The root of {corpus.name}, {root}, does not exist; name its folder with {option}.") from error
    except NotADirectoryError as error:
        raise DataError(f"The root of {corpus.name}, {root}, is a file; name the folder that it is in.") from error
    except OSError as error:
        raise DataError(
            f"The root of {corpus.name}, {root}, cannot be read ({error.strerror}); check its permissions."
        ) from error
    if empty:
        advice = f"get the corpus at {corpus.homepage}" if corpus.homepage else "name another folder"
        raise DataError(f"The root of {corpus.name}, {root}, is empty; {advice}.")
    return corpus.model_copy(update={"root": root})


def _corpus(name: str, entry: Mapping[str, Any], source: str) -> Corpus:
    return Corpus.make({**entry, "name": name}, source)


def _merged(entry: dict[str, Any], changes: Any, source: str) -> dict[str, Any]:
    """An entry with a user's changes. Unknown keys are refused: a misspelt one would have no effect, without a message."""
    if changes is None:
        return entry
    if not isinstance(changes, dict):
        raise UsageError(f"{source} holds {changes!r} where a mapping was expected; write it as `key: value` lines.")
    result = copy.copy(entry)
    for key, value in changes.items():
        if key not in entry:
            raise UsageError(f"{source} has the unknown key {key}; {_hint(str(key), entry)}")
        inner = entry[key]
        if isinstance(inner, dict) and value is None:
            raise UsageError(f"{source} has {key}: null; write its keys below it, or leave {key} out.")
        result[key] = _merged(inner, value, f"{source}, {key},") if isinstance(inner, dict) else value
    return result


def _hint(name: str, known: Iterable[str]) -> str:
    if not (names := list(known)):
        return "it has no keys; leave it out."
    close = nearest(name, names)
    return f"did you mean {close}?" if close else f"expected one of {', '.join(names)}."
