"""Settings: frozen, typed and documented; read from a YAML file, then `--set key=value`, then flags.

A group of settings is a class that inherits from `Settings`. An unknown key is refused with the nearest known name, and a value
out of range with the name of its field. Resolved settings can be written and read again.
"""

import difflib
import hashlib
import json
import re
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from emokit.errors import DataError, EmokitError, UsageError
from emokit.yaml_files import REMAKE, RepeatedKey
from emokit.yaml_files import load_yaml as load_yaml
from emokit.yaml_files import read_yaml_mapping as read_yaml_mapping

MOST_SEED = 2**32 - 1  # numpy takes no larger one
A_GROUP = "a group of `key: value` lines"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def checked_name(name: str) -> str:
    """The name, if it can be the name of a file or folder on every system and leads to no other folder.

    Raises:
        ValueError: it cannot; the message begins with "should".
    """
    if not NAME.fullmatch(name):
        raise ValueError(
            "should have only the letters a to z, digits, '_', '.' and '-', and begin with a letter or digit"
        )
    return name


Name = Annotated[str, AfterValidator(checked_name)]
"""The type of every setting that becomes the name, or a part of the name, of a file or folder."""


class Settings(BaseModel):
    """The parent of every group of settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_bool_as_number(cls, value: Any, info: ValidationInfo) -> Any:
        # In Python True is 1, so pydantic would accept it as a number.
        annotation = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, list | tuple):
            kinds, entries, expected = _kinds(annotation), value, "numbers"
        else:
            kinds, entries, expected = list(_options(annotation)), [value], "a number"
        if any(isinstance(entry, bool) for entry in entries) and bool not in kinds and (int in kinds or float in kinds):
            raise ValueError(f"should be {expected}")
        return value

    @classmethod
    def make(
        cls,
        values: dict[str, Any],
        source: str = "The command line",
        error_type: type[EmokitError] = UsageError,
    ) -> Self:
        """Check `values` and make the settings; errors name `source` as the origin of the values.

        Raises:
            EmokitError: a key is unknown, a value has the wrong type or is out of range; a `DataError` for a file of emokit.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise error_type(_sentence(cls, error, source)) from error

    @classmethod
    def resolved(cls, values: dict[str, Any], source: str) -> Self:
        """The settings that emokit wrote into a folder; `source` is their file.

        Every field is written, so a file without its last one was cut, and defaults would replace what it lost.

        Raises:
            DataError: the file was cut or changed.
        """
        settings = cls.make(values, source, DataError)
        *_, last = flat(settings.as_dict())
        if last not in flat(values):
            raise DataError(f"{source} has no {last}, with which it should end; {REMAKE}.")
        return settings

    @classmethod
    def read(cls, path: Path | None, overrides: Iterable[str] = (), flags: dict[str, Any] | None = None) -> Self:
        """Read a YAML file, apply `key=value` overrides, then the flags that are not None.

        Args:
            path: the YAML file; None starts from the defaults.
            overrides: such as `training.max_epochs=2` or `model.channels=[16,32]`; values are YAML.
            flags: dotted key -> value, from the command line's short flags.

        Raises:
            UsageError: the file is missing or not a YAML mapping, or a key or value is refused.
        """
        values = read_yaml_mapping(path) if path else {}
        changes: dict[str, Any] = {}
        typed: dict[str, str] = {}
        for override in overrides:
            key, separator, text = override.partition("=")
            if not separator:
                raise UsageError(f"--set {override} has no '='; write it as --set key=value.")
            if not key.strip():
                raise UsageError(f"--set {override} names no key; write it as --set key=value.")
            value = parse_value(text, key)
            for other, before in changes.items():
                _check_both(other, key.strip(), before == value, f"--set {typed[other]}", f"--set {override}")
            changes[key.strip()], typed[key.strip()] = value, override
        for key, value in (flags or {}).items():
            if value is not None:
                for other, before in changes.items():
                    _check_both(other, key, before == value, f"--set {typed[other]}", f"a flag for {key} = {value}")
        changes |= {key: value for key, value in (flags or {}).items() if value is not None}
        for key, value in changes.items():
            set_dotted(values, key, value)
        if path is None:
            return cls.make(values)
        return cls.make(values, f"{path} (with what the command line changes)" if changes else str(path))

    def as_dict(self) -> dict[str, Any]:
        """Plain values only, for YAML and JSON."""
        return self.model_dump(mode="json")

    def as_yaml(self) -> str:
        """Every resolved field, in the order of the classes."""
        return yaml.safe_dump(self.as_dict(), sort_keys=False, allow_unicode=True)

    def key(self) -> str:
        """Twelve hexadecimal digits that differ whenever a value differs."""
        return key_of(self.as_dict())


def key_of(values: Mapping[str, Any]) -> str:
    """As `Settings.key`, of settings as plain values."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]


def parse_value(text: str, key: str) -> Any:
    """Read the right side of `key=value` as YAML, so that lists, numbers, true and null get their types."""
    try:
        return load_yaml(text)
    except RepeatedKey as error:
        raise UsageError(f"--set {key}={text} has {error}; remove one of the two.") from error
    except yaml.YAMLError as error:
        raise UsageError(f"--set {key}={text} has no valid value; write lists as [1,2] and quote odd text.") from error


def _check_both(first_key: str, key: str, is_same: bool, first: str, second: str) -> None:
    """Refuse a key that was given two values, or beside a whole group that has it: one of the two would be lost."""
    if (first_key == key and not is_same) or f"{key}.".startswith(f"{first_key}.") != f"{first_key}.".startswith(
        f"{key}."
    ):
        raise UsageError(f"{first} and {second} were given, and one of them would be lost; leave one out.")


def set_dotted(values: dict[str, Any], key: str, value: Any) -> None:
    """Set `a.b.c` in nested dictionaries; missing inner ones are made."""
    *groups, last = key.split(".")
    for group in groups:
        inner = values.setdefault(group, {})
        if not isinstance(inner, dict):
            raise UsageError(f"{key} goes into {group}, which is {inner!r} where {A_GROUP} was expected.")
        values = inner
    values[last] = value


def fields(cls: type[Settings], prefix: str = "") -> dict[str, str]:
    """Every dotted field of a group and its sentence: `training.max_epochs` -> "Maximum number …"."""
    sentences: dict[str, str] = {}
    for name, field in cls.model_fields.items():
        group = _group(field.annotation)
        if group is not None:
            sentences |= fields(group, f"{prefix}{name}.")
        else:
            sentences[f"{prefix}{name}"] = " ".join((field.description or "").split())
    return sentences


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as dotted keys: {"training": {"lr": 1}} -> {"training.lr": 1}."""
    dotted: dict[str, Any] = {}
    for key, value in values.items():
        is_group = isinstance(value, dict) and value
        dotted |= flat(value, f"{prefix}{key}.") if is_group else {f"{prefix}{key}": value}
    return dotted


def inputs_of(settings: Settings, data: Path | None) -> list[Path | None]:
    """What a run reads: its data, and the folders of models that its settings, or the values of a search space, name."""
    named = [value for key, value in flat(settings.as_dict()).items() if "model.name" in key]
    values = [value for entry in named for value in (entry if isinstance(entry, list) else [entry])]
    return [data, *(Path(value) for value in values if isinstance(value, str))]


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name, or group of names, that is most similar to `name`; None where none is similar."""
    names = list(known)
    last = name.rpartition(".")[2]
    group = name.removesuffix(last)
    same_group = {
        key: group + key for key in (full[len(group) :].split(".")[0] for full in names if full.startswith(group))
    }
    any_group = {full.rpartition(".")[2]: full for full in reversed(names)}
    # `any_group`: a field may be given in the wrong group or without one, `max_epochs` for `training.max_epochs`.
    for options, cutoff in ((same_group, 0.5), (any_group, 0.6)):
        close = difflib.get_close_matches(last, options, n=1, cutoff=cutoff)
        if close:
            return options[close[0]]
    return None


def _options(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, such as `int` and `None`; another annotation is its only option."""
    return typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)


def _kinds(annotation: Any) -> list[Any]:
    """An annotation and all that it contains at any depth, such as `int` in `tuple[int, ...]`."""
    return [annotation, *(kind for argument in typing.get_args(annotation) for kind in _kinds(argument))]


def _group(annotation: Any) -> type[Settings] | None:
    """The Settings class inside an annotation such as `Group` or `Group | None`."""
    return next((kind for kind in _options(annotation) if isinstance(kind, type) and issubclass(kind, Settings)), None)


def _known_keys(cls: type[Settings]) -> str:
    """Where the keys are listed that settings have: of a modality by a command, of a sweep and others here."""
    known = list(fields(cls))
    is_listed = "training.lr" in known or len(known) > 25
    return "see `emokit settings` for the known ones." if is_listed else f"expected one of {', '.join(known)}."


def _sentence(cls: type[Settings], error: ValidationError, source: str) -> str:
    first = error.errors()[0]
    key = ".".join(str(name) for name in first["loc"] if name not in ("function-after", "[key]"))
    if first["type"] in ("extra_forbidden", "invalid_key"):
        group, _, last = key.rpartition(".")
        if key in fields(cls):  # in one word
            return f"{source} has the unknown key {key}; write it as the group {group} with the key {last}."
        suggestion = nearest(key, fields(cls))
        hint = f"did you mean {suggestion}?" if suggestion else _known_keys(cls)
        return f"{source} has the unknown key {key}; {hint}"
    # pydantic's messages start with the type ("Tuple should have …") and name emokit's classes and Python's types.
    reason = re.sub(r"^(Value error, |[A-Z]\w* (?=should))", "", first["msg"])
    reason = re.sub(r"a valid dictionary( or instance of \w+)?", A_GROUP, reason).replace(
        "a valid tuple", "a list such as [a,b]"
    )
    if first["type"] == "path_type":
        reason = "should be a path"
    if first["type"] == "missing":
        return f"{source} has no {key}, which is needed; add it."
    return f"{source} has {key} = {first['input']!r}, but it {reason}." if key else f"{source}: {reason}."
