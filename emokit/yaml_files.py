"""YAML files, read so that nothing in them is lost or fills the memory: no key twice, no bomb of aliases, no text as a number.

PyYAML reads YAML 1.1, in which `1:30` is 90, `010` is 8, `no` is false and `2024-01-31` is a date. Here a plain word is what it
looks like, as in YAML 1.2: `true`, `false`, `null`, decimal numbers, and else the text that is written.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from emokit.errors import EmokitError, UsageError
from emokit.read_files import read_text

REMAKE = "make its folder again, or leave it out"  # where emokit wrote the file
MOST_VALUES = 1_000_000  # of a YAML file


class RepeatedKey(yaml.YAMLError):
    """A mapping has a key twice; PyYAML would take the last one without a word."""

    def __init__(self, key: Any, first_line: int, second_line: int) -> None:
        super().__init__(f"the key {key} at line {first_line} and again at line {second_line}")


class _Loader(yaml.SafeLoader):
    """The safe loader of PyYAML, without the types of YAML 1.1; it refuses a key that is given twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        lines: dict[Any, int] = {}
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key, line = self.construct_object(key_node), key_node.start_mark.line + 1
            if key in lines:
                raise RepeatedKey(key, lines[key], line)
            lines[key] = line
        values: dict[Any, Any] = super().construct_mapping(node, deep)
        return values


_Loader.yaml_implicit_resolvers = {}
NUMERALS = list("-+.0123456789")
for _tag, _pattern, _first in (
    ("bool", "true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("null", "~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", "<<", ["<"]),
    # A zero at the start belongs to a name, such as a speaker's.
    ("int", "[-+]?(?:0|[1-9][0-9]*)", NUMERALS),
    (
        "float",
        r"[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)",
        NUMERALS,
    ),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _first)


def load_yaml(text: str) -> Any:
    """The value of a YAML text.

    Raises:
        yaml.YAMLError: it is not YAML, or has a key twice (`RepeatedKey`).
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is not None and _num_values(node, {}) > MOST_VALUES:
            raise yaml.YAMLError(f"more than {MOST_VALUES} values")
        return None if node is None else loader.construct_document(node)
    # Of PyYAML, on a value that its tag does not fit (`!!bool maybe`, `!!int ""`,
    # `!!timestamp soon`), and on a thousand open brackets.
    except (ValueError, LookupError, AttributeError, RecursionError) as error:
        raise yaml.YAMLError(str(error)) from error


def _num_values(node: yaml.Node, known: dict[int, int]) -> int:
    """The number of values of a node with its aliases written out: nine lines can stand for a billion."""
    if id(node) not in known:
        known[id(node)] = MOST_VALUES + 1  # of a node inside of itself
        inner = [part for pair in node.value for part in (pair if isinstance(pair, tuple) else (pair,))]
        known[id(node)] = 1 + sum(_num_values(part, known) for part in inner if isinstance(part, yaml.Node))
    return known[id(node)]


def read_yaml_mapping(path: Path, error_type: type[EmokitError] = UsageError) -> dict[str, Any]:
    """Read a YAML file that must hold a mapping; an empty file is an empty mapping.

    Args:
        path: the file.
        error_type: `DataError` for a file that emokit wrote.

    Raises:
        EmokitError: the file is missing, unreadable, not YAML or not a mapping, or has a key twice.
    """
    is_users = error_type is UsageError
    advice, repair = (
        ("name a YAML file of settings", "fix it and run the command again") if is_users else (REMAKE, REMAKE)
    )
    text = read_text(path, advice, error_type)
    try:
        values = load_yaml(text)
    except RepeatedKey as error:
        raise error_type(f"{path} has {error}; remove one of the two.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        raise error_type(f"{path} is not valid YAML{line}; {repair}.") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise error_type(f"{path} holds a {type(values).__name__} where a mapping of settings was expected; {repair}.")
    return values
