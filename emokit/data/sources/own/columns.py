"""The columns of a user's own table: which of them has the label, which the path, and so on."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from emokit.errors import UsageError

# What a column can hold -> the names of columns that are taken for it unasked, the usual one first.
NAMES: dict[str, tuple[str, ...]] = {
    "path": ("path", "file", "filename", "file_name", "filepath", "file_path", "wav", "audio", "audio_path", "audio_file"),
    "text": ("text", "sentence", "utterance", "transcript", "transcription"),
    "label": ("label", "emotion"),
    "utterance_id": ("utterance_id",),
    "speaker": ("speaker", "speaker_id"),
    "gender": ("gender", "sex"),
    "language": ("language", "lang"),
    "sentence": ("sentence_id",),
    "dialogue": ("dialogue", "dialogue_id", "dialog", "dialog_id", "conversation", "conversation_id"),
    "turn": ("turn", "turn_id"),
    "split": ("split",),
    "fold": ("fold",),
    "start": ("start", "start_seconds", "start_time"),
    "end": ("end", "end_seconds", "end_time"),
    "text_source": ("text_source",),
}  # fmt: skip
CONTENTS = ("path", "text")
# Names that are proposed, and not taken unasked.
LIKELY: dict[str, tuple[str, ...]] = {
    "label": ("emotion_label", "emo", "class", "category", "target", "sentiment", "annotation", "gold", "y"),
    "path": ("clip", "recording", "name", "url"),
    "text": ("comment", "tweet", "message", "content", "review", "body", "post"),
}
MOST_SHOWN = 20

Columns = Mapping[str, str | Sequence[str]]
"""What a column holds -> its name; of `label`, the names of several columns with an annotator each."""


@dataclass(frozen=True)
class Chosen:
    """The columns of a table that are used.

    Attributes:
        label: the columns of the labels, one per annotator.
        others: what a column holds -> its name.
    """

    label: tuple[str, ...]
    others: Mapping[str, str]

    @classmethod
    def of(cls, columns: Columns) -> "Chosen":
        """The choice that the options of a corpus hold."""
        label = columns.get("label", ())
        others = {key: str(name) for key, name in columns.items() if key != "label"}
        return cls((label,) if isinstance(label, str) else tuple(label), others)

    @property
    def names(self) -> set[str]:
        """The names of all columns that are used."""
        return {*self.label, *self.others.values()}

    def as_options(self) -> dict[str, str | list[str]]:
        """As plain values, for the options of a corpus; `of` reads them."""
        return {"label": list(self.label), **self.others}

    def described(self, columns: Iterable[str]) -> str:
        """A sentence for the ledger: which columns of a table are used, and which are not."""
        used = [("label", ", ".join(self.label)), *self.others.items()]
        shown = ", ".join(key if name == key else f"{key} = {name}" for key, name in used)
        unused = [name for name in columns if name not in self.names]
        return f"columns: {shown}" + (f"; not used: {_listed(unused)}" if unused else "")


def read_columns(given: Iterable[str]) -> dict[str, str]:
    """What a column holds -> its name, from every `--columns KEY=NAME`.

    Raises:
        UsageError: one has another form, an unknown key, or a key that was given before.
    """
    columns: dict[str, str] = {}
    for text in given:
        key, separator, name = text.partition("=")
        if not separator:
            raise UsageError(
                f"--columns {text} was given where KEY=NAME was expected, such as --columns label=emotion."
            )
        if key in columns:
            raise UsageError(f"--columns was given twice for {key}; give it once.")
        columns[key] = name
    check_keys(columns, "--columns")
    return columns


def check_given(columns: object, source: str) -> dict[str, str | list[str]]:
    """The columns of an entry of a user's file, where YAML may have read anything.

    Raises:
        UsageError: they are no mapping of what a column holds to its name, or to several names.
    """
    if not isinstance(columns, dict):
        raise UsageError(f"{source} has columns = {columns!r} where `key: name` lines were expected.")
    for key, name in columns.items():
        names = name if isinstance(name, list) and name else [name]
        if not isinstance(key, str) or not all(isinstance(part, str) for part in names):
            raise UsageError(
                f"{source} has columns.{key} = {name!r} where the name of a column was expected; put numbers into quotes, and "
                "write '' for a column that is not to be used."
            )
    return columns


def check_keys(columns: Columns, source: str) -> None:
    """Refuse a key that names nothing that a column can hold.

    Raises:
        UsageError: names the nearest known one.
    """
    for key in columns:
        if key not in NAMES:
            close = difflib.get_close_matches(key, NAMES, n=1)
            hint = f"did you mean {close[0]}?" if close else f"expected one of {', '.join(NAMES)}."
            raise UsageError(f"{source} has the unknown key {key}; {hint}")


def choose(columns: Sequence[str], given: Columns, source: str) -> Chosen:
    """Which columns of a table are used: those that were named, and those with a usual name.

    Args:
        columns: the names of the table's columns.
        given: what a column holds -> its name, for label several names joined by commas; an empty name for a column that is
            not to be used.
        source: the table, for messages.

    Raises:
        UsageError: a named column is not there or there twice, or no column has labels, or none has paths or texts.
    """
    named = {key: _named(name, columns, source, key) for key, name in given.items()}
    taken = {name for names in named.values() for name in names}
    by_name = {name.lower(): name for name in reversed(columns) if name not in taken}
    chosen = {key: names for key, names in named.items() if names}
    for key, usual in NAMES.items():
        name = next((by_name[name] for name in usual if name in by_name), None)
        if key not in named and name is not None:
            chosen[key] = [name]
    for name in (name for names in chosen.values() for name in names):
        if columns.count(name) > 1:
            raise UsageError(f"{source} has {columns.count(name)} columns with the name {name}; rename one of them.")
    if "label" not in chosen:
        raise UsageError(
            f"{source} has no column of labels, its columns are {_listed(columns)}; "
            f"name it with --columns label={_nearest('label', columns)}."
        )
    if chosen.keys().isdisjoint(CONTENTS):
        raise UsageError(
            f"{source} has neither a column of paths nor one of texts, its columns are {_listed(columns)}; "
            f"name it with --columns path={_nearest('path', columns)} or --columns text={_nearest('text', columns)}."
        )
    others = {key: chosen[key][0] for key in NAMES if key != "label" and key in chosen}
    return Chosen(tuple(chosen["label"]), others)


def _named(name: str | Sequence[str], columns: Sequence[str], source: str, key: str) -> list[str]:
    """The columns that a user named for a key; none for an empty name."""
    names = [part.strip() for part in name.split(",")] if isinstance(name, str) else [str(part) for part in name]
    names = [part for part in names if part]
    if key != "label" and len(names) > 1:
        raise UsageError(f"--columns {key}={name} names several columns; only label can be in several.")
    for part in names:
        if names.count(part) > 1:
            raise UsageError(f"--columns {key}={','.join(names)} names {part} twice; name each column once.")
        if part not in columns:
            close = difflib.get_close_matches(part.lower(), {column.lower(): column for column in columns}, n=1)
            near = next((column for column in columns if close and column.lower() == close[0]), "")
            hint = f"did you mean --columns {key}={near}?" if near else "name one of them."
            raise UsageError(f"{source} has no column {part}, its columns are {_listed(columns)}; {hint}")
    return names


def _nearest(key: str, columns: Sequence[str]) -> str:
    """The column that probably holds something, by its name; NAME where none is similar."""
    by_name = {column.lower(): column for column in reversed(columns)}
    for wanted in (*NAMES[key], *LIKELY[key]):
        if close := difflib.get_close_matches(wanted, by_name, n=1, cutoff=0.75):
            return by_name[close[0]]
    return "NAME"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_SHOWN])
    return f"{shown}, …" if len(names) > MOST_SHOWN else shown or "none"
