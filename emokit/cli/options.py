"""Options that modalities add to commands, put into a command's signature as Typer reads it."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from emokit.cli.flags import CheckedCommand
from emokit.modality.protocol import Option


def with_options(function: Callable[..., None], options: Iterable[Option], doc: str = "") -> Callable[..., None]:
    """The command function with an option of its own for each of `options`, in place of its `**options`.

    Args:
        function: takes `**options`.
        options: of modalities.
        doc: the help text; the function's docstring by default.
    """

    def command(**arguments: Any) -> None:
        function(**arguments)

    parameters = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    parameters += [
        inspect.Parameter(
            option.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=False if option.type is bool else None,
            annotation=Annotated[_annotation(option), typer.Option(option.flag, help=option.help)],
        )
        for option in options
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__doc__ = doc or function.__doc__
    return command


def command_of(name: str, function: Callable[..., None], options: Iterable[Option], doc: str = "") -> Any:
    """A click command made of a function and options, as `with_options` takes them."""
    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command(name, cls=CheckedCommand)(with_options(function, options, doc))
    return typer.main.get_command(app)


def help_text(summary: str, examples: Sequence[str]) -> str:
    """The help of a command: a sentence, and its examples."""
    return summary + ("\n\nExamples: " + ", ".join(examples) if examples else "")


def _annotation(option: Option) -> Any:
    if option.type is bool:
        return bool
    return list[str] | None if option.type is list else Path | None if option.type is Path else str | None
