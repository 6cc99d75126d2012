"""Flags that do not go together, empty values and outputs that exist: refused before a command runs, alike for every command."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer.core

from emokit.errors import UsageError
from emokit.runtime import DEVICES, PRECISIONS

TABLES = (".parquet", ".csv", ".tsv")
"""The endings of the tables that `emokit predict --out` and `emokit transcribe --out` write."""
# Sentences to predict: which of them are empty is the modality's concern.
TEXTS = "inputs"


@dataclass(frozen=True)
class Clash:
    """A flag that does nothing beside another one.

    Attributes:
        flag: the flag that does nothing.
        other: the flag beside which it does nothing.
        why: a clause about `other`.
        unless: a third flag that gives it a meaning.
    """

    flag: str
    other: str
    why: str
    unless: str = ""


@dataclass(frozen=True)
class Need:
    """A flag that does nothing without another one; `why` is a clause about the other."""

    flag: str
    other: str
    why: str


PAGE, PLAN = "which prints tables and writes no page", "which only shows the sweep"
LABELS = "which only prints labels"
RULES: dict[str, tuple[Clash | Need, ...]] = {
    "predict": (
        Need("--split", "--data", "whose split it names"),
        Need("--column", "--file", "whose column it names"),
        Need("--language", "--transcribe", "whose recordings are in it"),
        Need("--translate", "--transcribe", "whose transcripts it translates"),
        Clash("--transcribe", "--data", "whose texts are those of `emokit prepare --transcribe`"),
        Clash("--transcribe", "--file", "whose texts are predicted"),
        Clash("--transcribe", "--text", "whose sentences are predicted"),
    ),
    "train": (Need("--workers", "--folds", "which are trained at once"),),
    "report": (
        Clash("--out", "--format", PAGE),
        Clash("--force", "--format", PAGE),
        Clash("--json", "--format", PAGE),
        Clash("--force", "--compare", "which writes no page without --out", unless="--out"),
    ),
    "sweep": (
        *(
            Clash(flag, "--status", PLAN)
            for flag in ("--data", "--run", "--workers", "--hours", "--device", "--precision", "--force", "--dry-run")
        ),
        Clash("--run", "--resume", "which names the folder"),
    ),
    "prepare": (
        Need("--language", "--transcribe", "whose recordings are in it"),
        Need("--translate", "--transcribe", "whose transcripts it translates"),
        *(
            Clash(flag, "--show-labels", LABELS)
            for flag in (
                "--root",
                "--download",
                "--out",
                "--audio-root",
                "--columns",
                "--split",
                "--fold",
                "--folds",
                "--seed",
                "--set",
                "--workers",
                "--force",
                "--transcribe",
            )
        ),
    ),
}
"""Command -> what its flags need and exclude. A plan (`--dry-run`) takes every flag of the work that it plans."""


class CheckedCommand(typer.core.TyperCommand):
    """A command whose flags are checked."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse, then check what was given, before any of it is converted: `Path("")` would be the present folder."""
        words = list(args)
        rest = super().parse_args(ctx, args)
        if not ctx.resilient_parsing:
            values, _, order = self.make_parser(ctx).parse_args(words)
            _check_once(order)
            given = {_flag(param): values[param.name] for param in order if values.get(param.name) not in (None, ())}
            check(_command(ctx), {flag: value for flag, value in given.items() if not _is_unset(value)})
        return rest


def _check_once(order: Sequence[Any]) -> None:
    """Refuse an option with one value that was given twice: the first value would be lost.

    Args:
        order: of the options and arguments as they were given.
    """
    for param in order:
        if param.param_type_name == "option" and not (param.multiple or param.is_flag) and order.count(param) > 1:
            raise UsageError(f"{_flag(param)} was given {order.count(param)} times and takes one value; give it once.")


def check(command: str, given: Mapping[str, Any]) -> None:
    """Refuse what a command line cannot mean.

    Args:
        command: such as `predict`.
        given: flag or name of an argument -> its value as typed, of what was given only.

    Raises:
        UsageError: a value is empty, flags do not go together, or the table to write exists or has another ending.
    """
    for flag, value in given.items():
        values = value if isinstance(value, list | tuple) and not flag.startswith("--") else [value]
        if flag != TEXTS and any(isinstance(entry, str) and not entry.strip() for entry in values):
            raise UsageError(f"{flag} was given an empty value; give it another, or leave it out.")
    for flag in ("--out", "--run", *(("run",) if command == "export" else ())):
        if flag in given:
            from emokit.files import check_name

            check_name(Path(given[flag]))
    for rule in RULES.get(command, ()):
        if rule.flag in given and isinstance(rule, Need) and rule.other not in given:
            raise UsageError(f"{_typed(rule.flag, given)} was given without {rule.other}, {rule.why}; give both.")
        if rule.flag in given and isinstance(rule, Clash) and rule.other in given and rule.unless not in given:
            refuse(_typed(rule.flag, given), rule.other, rule.why)
    if (device := given.get("--device")) and device not in DEVICES:  # a plan would show it
        raise UsageError(f"--device {device} is unknown; choose one of {', '.join(DEVICES)}.")
    if (precision := given.get("--precision")) and precision not in PRECISIONS:
        raise UsageError(f"--precision {precision} is unknown; choose one of {', '.join(PRECISIONS)}.")
    if command in ("predict", "transcribe") and "--out" in given:
        check_table(Path(given["--out"]))


def refuse(flag: str, other: str, why: str) -> None:
    """Refuse a flag that does nothing beside another one.

    Raises:
        UsageError: always.
    """
    raise UsageError(f"{flag} was given with {other}, {why}; leave it out.")


def check_table(out: Path) -> None:
    """Refuse to replace a file, and an ending that names no format of tables.

    Raises:
        UsageError: the sentence says which of the two.
    """
    from emokit.files import check_name, kind_of

    check_name(out)
    if kind_of(out):
        raise UsageError(f"{out} exists; name another --out, or delete it.")
    if out.suffix.lower() not in TABLES:
        raise UsageError(
            f"--out {out} has none of the endings {' '.join(TABLES)}, which name the table's format; add one."
        )


def _typed(flag: str, given: Mapping[str, Any]) -> str:
    value = given[flag]
    return f"{flag} {value}" if isinstance(value, str) else flag


def _flag(param: Any) -> str:
    """`--out` of an option, the name of an argument."""
    return next((name for name in param.opts if name.startswith("--")), str(param.name))


def _command(ctx: Any) -> str:
    """`train` of `emokit train audio`."""
    while ctx.parent and ctx.parent.parent:
        ctx = ctx.parent
    return str(ctx.info_name)


def _is_unset(value: Any) -> bool:
    """Whether it is click's mark of an argument that was not given."""
    return type(value).__name__ == "Sentinel" or (
        isinstance(value, Sequence) and not isinstance(value, str) and not value
    )
