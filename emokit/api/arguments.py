"""Arguments of the Python functions, as the options of the commands that they stand for."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emokit.errors import UsageError
from emokit.settings import Settings, fields, flat, nearest, read_yaml_mapping, set_dotted

PathLike = str | os.PathLike[str]
EXAMPLE = '{"training.max_epochs": 5}'


def path(value: Any, argument: str) -> Path | None:
    """The path that an argument names; None stays None.

    Raises:
        UsageError: it has another type, or is empty, which would be the present folder.
    """
    if value is None:
        return None
    if not isinstance(value, str | os.PathLike):
        raise UsageError(f"{argument} is {_kind(value)} where a path was expected; give a str or a pathlib.Path.")
    if not os.fspath(value):
        raise UsageError(f"{argument} is an empty path; name a file or a folder.")
    return Path(value)


def required_path(value: Any, argument: str) -> Path:
    """As `path`, of an argument that cannot be None."""
    named = path(value, argument)
    if named is None:
        raise UsageError(f"{argument} is None where a path was expected; give a str or a pathlib.Path.")
    return named


def check_flags(**flags: Any) -> None:
    """Refuse what is neither True nor False: `force="no"` would count as True.

    Raises:
        UsageError: names the argument.
    """
    for argument, value in flags.items():
        if not isinstance(value, bool):
            raise UsageError(f"{argument} is {value!r} where True or False was expected; correct it.")


def corpus_names(corpora: Any) -> list[str]:
    """The corpora that `emokit prepare` names.

    Args:
        corpora: one or more of `emodb`, `calls=labels.csv`; or a dictionary of own data, name -> file, files or folder.

    Raises:
        UsageError: none was named, or an argument has another type.
    """
    if hasattr(corpora, "columns"):
        raise UsageError(
            f"corpora is a {type(corpora).__name__} where names were expected; write it first, such as with to_csv, and give "
            '{"calls": "labels.csv"}.'
        )
    if isinstance(corpora, Mapping) and corpora:
        for name, data in corpora.items():
            if hasattr(data, "columns"):
                raise UsageError(
                    f"The data of {name} are a {type(data).__name__} where a file or folder was expected; write them first, "
                    "such as with to_csv, and name the file."
                )
        return [f"{name}={','.join(map(os.fspath, _listed(data, str(name))))}" for name, data in corpora.items()]
    names = _listed(corpora, "corpora")
    if not names:
        raise UsageError('No corpus was named; name one or more, such as "emodb" or {"calls": "labels.csv"}.')
    return list(map(os.fspath, names))


def pairs(values: Any, argument: str, example: str) -> list[str]:
    """`NAME=VALUE` of each entry of a dictionary; `null` for None.

    Raises:
        UsageError: it is no dictionary.
    """
    if values is None:
        return []
    if not isinstance(values, Mapping):
        raise UsageError(f"{argument} is {_kind(values)} where a dictionary was expected, such as {example}.")
    return [
        f"{name}={'null' if value is None else ','.join(map(os.fspath, _listed(value, f'{argument}[{name!r}]')))}"
        for name, value in values.items()
    ]


def policies(split: Any) -> list[str]:
    """The `--split` options of a policy for all corpora, or of a dictionary: corpus -> policy."""
    return [os.fspath(split)] if isinstance(split, str | os.PathLike) else pairs(split, "split", '{"emodb": "speaker"}')


def label_names(labels: Any) -> str | None:
    """The `--labels` option of a list of labels, or of names joined by commas."""
    return None if labels is None else ",".join(_listed(labels, "labels"))


def dotted(settings: Any) -> dict[str, Any]:
    """Settings by dotted key, of a dictionary with dotted keys, groups or both.

    Raises:
        UsageError: it is no dictionary, or has a setting twice.
    """
    if settings is None:
        return {}
    if not isinstance(settings, Mapping):
        raise UsageError(f"settings is {_kind(settings)} where a dictionary was expected, such as {EXAMPLE}.")
    values: dict[str, Any] = {}
    for key, value in settings.items():
        for name, inner in flat({str(key): value}).items():
            if name in values:
                raise UsageError(f"settings has {name} twice; give it once.")
            values[name] = inner
    return values


def read_settings(cls: type[Settings], experiment: Path | None, settings: Any) -> Any:
    """The settings of an experiment's file with changes.

    Args:
        cls: the class of the settings.
        experiment: YAML file; None starts from the defaults.
        settings: changes, as `dotted` takes them.

    Raises:
        UsageError: the file is missing, a key is unknown (with the nearest known one) or a value is out of range.
    """
    changes = dotted(settings)
    values = read_yaml_mapping(experiment) if experiment else {}
    for key, value in changes.items():
        set_dotted(values, key, value)
    source = f"{experiment} (with settings={{…}})" if experiment and changes else experiment or "settings"
    return cls.make(values, str(source))


def check_known(given: Iterable[str], known: Sequence[str], function: str, cls: type[Settings]) -> None:
    """Refuse keyword arguments that a function has not.

    Args:
        given: their names.
        known: names of its further arguments.
        function: as the user calls it.
        cls: the settings that it takes; a setting is not an argument.

    Raises:
        UsageError: proposes the nearest setting or argument.
    """
    for name in given:
        if name not in known:
            setting = nearest(name, fields(cls))
            hint = f'did you mean settings={{"{setting}": …}}?' if setting else f"see help({function})."
            raise UsageError(f"{function} has no argument {name}; {hint}")


def _listed(values: Any, argument: str) -> list[Any]:
    """One value or several as a list."""
    if isinstance(values, str | os.PathLike):
        return [values]
    try:
        listed = list(values)
        for value in listed:
            os.fspath(value)
    except TypeError as error:
        raise UsageError(
            f"{argument} is {_kind(values)} where a name, a path or a list of them was expected."
        ) from error
    return listed


def _kind(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
