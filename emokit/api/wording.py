"""Errors of the Python functions: the options of commands that their sentences name become the arguments of the functions."""

import functools
import re
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from emokit.errors import EmokitError

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")

FLAGS = ("compile", "force", "private", "resume", "trust-remote-code")
DICTIONARIES = {"columns": "columns", "map": "map", "root": "root", "set": "settings", "split": "split"}
NUMBERS = ("fold", "seed", "workers")
TEXTS = ("audio-root", "data", "datasets", "device", "folds", "labels", "out", "precision", "run", "split")
# Options for a setting, which Python has not.
SETTINGS = {
    "batch-size": "training.batch_size",
    "epochs": "training.max_epochs",
    "lr": "training.lr",
    "track": "training.report_to",
}
COMMAND = re.compile(r"(`[^`]*`)")  # a command line stays one
END = r"(?=[.,;:)]*(?:\s|$))"
# What follows an option is its value where it looks like one, and a word of the sentence elsewhere.
VALUE = (
    r"(?P<value>[A-Z]+|auto|cuda|mps|cpu|float32|bf16|fp16|emobox|leave-\S+?|\S*[/\\]\S*?|\S+?(?= (?:was|is unknown)))"
)
RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(rf"--({'|'.join(FLAGS)})\b"), lambda match: f"{_name(match[1])}=True"),
    (
        re.compile(rf"--({'|'.join(DICTIONARIES)}) ([^\s=]+)=(\S*?){END}"),
        lambda match: f'{DICTIONARIES[match[1]]}={{"{match[2]}": {_literal(match[3], match[1])}}}',
    ),
    (re.compile(r"--root ([\w-]+)(?=[,;.])"), lambda match: f'root["{match[1]}"]'),
    (re.compile(rf"--({'|'.join(SETTINGS)}) ([\d.]*\d)"), lambda match: _setting(match[1], match[2])),
    (re.compile(rf"--({'|'.join(SETTINGS)})\b"), lambda match: _setting(match[1], "…")),
    (re.compile(rf"--({'|'.join(NUMBERS)}) (-?\d+)"), lambda match: f"{match[1]}={match[2]}"),
    (re.compile(rf"--({'|'.join(TEXTS)}) {VALUE}{END}"), lambda match: f'{_name(match[1])}="{match["value"]}"'),
    (re.compile(rf"--({'|'.join((*NUMBERS, *TEXTS, *DICTIONARIES))})\b"), lambda match: f"{_name(match[1])}="),
    (re.compile(r"\} settings=\{"), lambda match: ", "),
)


def in_python(sentence: str) -> str:
    """A sentence with the arguments of the Python functions in place of the options: `force=True` for `--force`."""
    parts = COMMAND.split(sentence)
    for number in range(0, len(parts), 2):
        for pattern, written in RULES:
            parts[number] = pattern.sub(written, parts[number])
    return "".join(parts)


def names_arguments(function: Callable[Parameters, Returned]) -> Callable[Parameters, Returned]:
    """Let the errors of a function name its arguments, where the work below it names the options of the commands."""

    @functools.wraps(function)
    def call(*arguments: Parameters.args, **options: Parameters.kwargs) -> Returned:
        try:
            return function(*arguments, **options)
        except EmokitError as error:
            reworded(error)
            raise

    return call


def reworded(error: EmokitError) -> EmokitError:
    """The error with the sentence that `in_python` returns."""
    error.args = (in_python(str(error)), *error.args[1:])
    return error


def _name(option: str) -> str:
    return DICTIONARIES.get(option, option).replace("-", "_")


def _setting(option: str, value: Any) -> str:
    return f'settings={{"{SETTINGS[option]}": {value}}}'


def _literal(value: str, option: str) -> str:
    """A value as Python writes it: only settings have numbers."""
    if value == "null":
        return "None"
    if option == "set" and value in ("true", "false"):
        return value.capitalize()
    if value == "…" or (option == "set" and re.fullmatch(r'-?[\d.]+(?:e-?\d+)?|[\["{].*', value)):
        return value
    return f'"{value}"'
