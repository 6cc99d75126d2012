"""What the command line's parser refuses, each as one sentence of emokit: found, expected, what to do."""

import ast
import contextlib
import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from typer._click.exceptions import (
    BadOptionUsage,
    BadParameter,
    MissingParameter,
    NoArgsIsHelpError,
    NoSuchOption,
)
from typer._click.exceptions import UsageError as ParserError

from emokit.errors import UsageError


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn an error of the parser into a UsageError; a command without words still shows its help."""
    try:
        yield
    except NoArgsIsHelpError:
        raise
    except ParserError as error:
        raise UsageError(sentence(error)) from error


def sentence(error: ParserError) -> str:
    """The sentence on an error of the parser."""
    command = _command(error.ctx)
    see = f"see `{command} --help`."
    if isinstance(error, NoSuchOption):
        known = [name for param in error.ctx.command.get_params(error.ctx) for name in param.opts] if error.ctx else []
        return f"{command} has no option {error.option_name}; {_suggestion(error.option_name, known) or see}"
    if isinstance(error, BadOptionUsage):
        if "does not take a value" in error.message:
            return f"{error.option_name} was given a value and takes none; leave the value out."
        return f"{error.option_name} was given without its value; write {error.option_name} VALUE."
    if isinstance(error, MissingParameter) and error.param is not None:
        return f"{command} was given no {_name(error.param)}; add it, or {see}"
    if isinstance(error, BadParameter) and error.param is not None:
        if unreadable := re.search(r"""(['"].*['"]) is not readable""", error.message, re.DOTALL):
            return f"{ast.literal_eval(unreadable[1])} may not be read by you; ask its owner for access."
        reason = error.message.removeprefix("Input ").partition(", unable to")[0]
        return f"{_name(error.param)} was given{_value(error)}, but it {reason}; correct it, or leave it out."
    if unknown := re.match(r"No such command '(.*?)'", error.message, re.DOTALL):
        group: Any = error.ctx.command if error.ctx else None
        names = group.list_commands(error.ctx) if group else []
        choice = f"choose one of {', '.join(names)}."
        return f"{command} has no command {unknown[1]}; {_suggestion(unknown[1], names) or choice}"
    if extra := re.match(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", error.message, re.DOTALL):
        return f"{command} was given {extra[1]}, which it does not take; leave it out, or {see}"
    return f"{command} was given what it does not take ({error.message.rstrip('.')}); {see}"


def _command(ctx: Any) -> str:
    """`emokit train audio`, however the program was started."""
    names: list[str] = []
    while ctx is not None and ctx.parent is not None:
        names.insert(0, str(ctx.info_name))
        ctx = ctx.parent
    return " ".join(["emokit", *names])


def _name(param: Any) -> str:
    """`--out` of an option, `RUN` of an argument."""
    option = next((name for name in param.opts if name.startswith("--")), None)
    return option or str(param.metavar or param.name).strip("…").upper()


def _value(error: ParserError) -> str:
    """The value that was refused, after a space."""
    cause = error.__cause__
    refused = getattr(cause, "errors", None)
    return f" {refused()[0]['input']}" if callable(refused) else " a wrong value"


def _suggestion(name: str, known: Sequence[str]) -> str | None:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else None
