"""The one place that prints: results to stdout, progress and hints to stderr."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from emokit.errors import EmokitError, MemoryFull, is_memory_full
from emokit.names import shown

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

# Reports how far a piece of work is: (done, total).
Progress = Callable[[int, int], None]


def _stdout() -> "Console":
    from rich.console import Console

    return Console(soft_wrap=True)


def _stderr() -> "Console":
    from rich.console import Console

    return Console(stderr=True, soft_wrap=True)


def show(result: "RenderableType") -> None:
    """Print a result for a person, such as a table, to stdout."""
    if isinstance(result, str):
        sys.stdout.write(_without_surrogates(result) + "\n")  # else unchanged: rich would turn tabs into spaces
        sys.stdout.flush()
    else:
        _stdout().print(result)


def show_json(result: Any) -> None:
    """Print a result for a program: one JSON value to stdout."""
    sys.stdout.write(_without_surrogates(json.dumps(result, ensure_ascii=False)) + "\n")
    sys.stdout.flush()


def _without_surrogates(text: str) -> str:
    r"""Text as any terminal takes it: a byte of a name that is not UTF-8 becomes `\udce9`, which JSON reads as the same."""
    return text.encode(errors="backslashreplace").decode()


def say(message: str) -> None:
    """Print a note of one line to stderr."""
    _stderr().print(shown(message), markup=False, emoji=False, highlight=False)


def done(folder: Path, next_command: str | None = None) -> None:
    """Print the last lines of a command: the folder written to stdout, the next command to stderr."""
    _stdout().print(shown(str(folder)), markup=False, emoji=False, highlight=False)
    if next_command:
        say(f"next: {next_command}")


@contextlib.contextmanager
def progress(title: str) -> Iterator[Progress]:
    """Show a progress bar with the time left; where stderr is no terminal, one line at the end."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = _stderr()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None)
        last = (0, 0)

        def report(done: int, total: int) -> None:
            nonlocal last
            last = (done, total)
            bar.update(task, completed=done, total=total)

        yield report
    if not console.is_terminal and last[1]:
        say(f"{title}: {last[0]} of {last[1]}")


@contextlib.contextmanager
def live() -> "Iterator[Callable[[RenderableType], None] | None]":
    """Show a part of the terminal that each call redraws; None where stderr is no terminal."""
    from rich.live import Live

    console = _stderr()
    if not console.is_terminal:
        yield None
        return
    with Live(console=console, auto_refresh=False, transient=True) as place:
        yield lambda shown: place.update(shown, refresh=True)


@contextlib.contextmanager
def exit_codes(
    after_stop: Callable[[], str] = lambda: "run the command again",
    when_full: Callable[[], str] = lambda: "free memory and run the command again",
) -> Iterator[None]:
    """Print a user's error as its sentence and exit with its code; a bug keeps its traceback.

    Args:
        after_stop: gives the advice after Ctrl-C.
        when_full: gives the advice after an error of a full memory.
    """
    try:
        yield
    except EmokitError as error:
        say(f"error: {error}")
        raise typer.Exit(error.exit_code) from error
    except KeyboardInterrupt as error:
        say(f"stopped by Ctrl-C; {after_stop()}.")
        raise typer.Exit(130) from error
    except Exception as error:
        if not is_memory_full(error):
            raise
        say(f"error: Out of memory; {when_full()}.")
        raise typer.Exit(MemoryFull.exit_code) from error
