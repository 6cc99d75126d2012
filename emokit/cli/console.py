"""The one place that prints: results to stdout, progress and hints to stderr.

Control characters in texts and names are shown escaped, and secrets in notes and errors are masked.
"""

import contextlib
import functools
import io
import json
import os
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import typer

from emokit.errors import EmokitError, MemoryFull, WorkError, is_memory_full
from emokit.safe_text import escape_controls, escape_json, mask_secrets

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text


class Progress(Protocol):
    """Reports how far a piece of work is."""

    def __call__(self, done: float, total: int, detail: str = "") -> None:
        """Of `total`, `done` is done; `detail` is what is at work now, such as a batch."""


TRACEBACK = "EMOKIT_TRACEBACK"
"""The environment variable that shows the traceback of a bug on the terminal."""

SIGPIPE = 13

_SUGGESTS = ContextVar("suggests", default=True)


def _console(**options: Any) -> "Console":
    """A console of rich that shows the control characters in the strings of tables escaped."""
    from rich.console import Console

    class EscapingConsole(Console):
        def render_str(self, text: str, **options: Any) -> "Text":
            return super().render_str(escape_controls(text, but="\n\t"), **options)

    return EscapingConsole(**options)


@functools.cache
def _stdout() -> "Console":
    return _console(soft_wrap=True)


@functools.cache
def _stderr() -> "Console":
    """The one console of notes and progress: it draws each note above the bar, which two consoles would write into."""
    return _console(stderr=True)


def prepare_streams() -> None:
    """Write what the terminal's encoding lacks as escapes, and what goes to a closed stream nowhere: no error after the work."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed with >&-
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - until the process ends
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def _to_stdout() -> Iterator[None]:
    """Turn a standard output that cannot be written, such as a full disk, into a sentence."""
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        _abandon(sys.stdout)
        if isinstance(error, BrokenPipeError):
            raise
        raise WorkError(
            f"Standard output cannot be written ({error.strerror}); free some space, or send it to another file."
        ) from error


def _abandon(stream: Any) -> None:
    """Send what a stream still holds nowhere: Python would try to write it again at the end, and exit with 120."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def show(result: "RenderableType") -> None:
    """Print a result for a person, such as a table, to stdout."""
    with _to_stdout():
        if isinstance(result, str):
            sys.stdout.write(escape_controls(result, but="\n\t") + "\n")  # rich would turn tabs into spaces
        else:
            _stdout().print(result)


def show_json(result: Any) -> None:
    """Print a result for a program: one JSON value to stdout."""
    has_unicode = (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    with _to_stdout():
        sys.stdout.write(escape_json(json.dumps(result, ensure_ascii=not has_unicode, allow_nan=False)) + "\n")


def say(message: str) -> None:
    """Print a note of one line to stderr; on a terminal, it is broken between words."""
    console = _stderr()
    message = escape_controls(mask_secrets(message))
    if console.is_terminal:
        message = textwrap.fill(message, console.width, break_long_words=False, break_on_hyphens=False)
    _note(message)


def _note(message: str) -> None:
    try:
        _stderr().print(message, markup=False, emoji=False, highlight=False, soft_wrap=True)
        sys.stderr.flush()
    except OSError:  # a note that cannot be written does not stop the work
        _abandon(sys.stderr)


def done(folder: Path, next_command: str | None = None) -> None:
    """Print the last lines of a command: the folder written to stdout, the next command to stderr."""
    with _to_stdout():
        _stdout().print(escape_controls(str(folder)), markup=False, emoji=False, highlight=False)
    if next_command and _SUGGESTS.get():
        _note(escape_controls(f"next: {next_command}"))  # unwrapped, so that it can be copied


@contextlib.contextmanager
def no_suggestions() -> Iterator[None]:
    """Suppress the next commands of `done`, for a command that runs others one after another."""
    token = _SUGGESTS.set(False)
    try:
        yield
    finally:
        _SUGGESTS.reset(token)


@contextlib.contextmanager
def progress(title: str) -> Iterator[Progress]:
    """Show a progress bar from the first report to the end; where stderr is no terminal, one line at the end."""
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar
    from rich.table import Column

    console = _stderr()
    unbroken = Column(no_wrap=True)
    columns = (
        TextColumn("{task.description} {task.fields[counted]}", markup=False),
        BarColumn(bar_width=None),  # takes the columns that are left
        TextColumn("{task.fields[detail]}", markup=False),
        "elapsed",
        TimeElapsedColumn(table_column=unbroken.copy()),
        "remaining",
        TimeRemainingColumn(table_column=unbroken.copy()),
    )
    with Bar(
        *columns,
        console=console,
        transient=True,
        expand=True,
        speed_estimate_period=600,
        disable=not console.is_terminal,
    ) as bar:
        last: tuple[float, int] = (0, 0)

        def report(done: float, total: int, detail: str = "") -> None:
            nonlocal last
            last = (done, total)
            shown: dict[str, Any] = {
                "completed": done,
                "total": total,
                "counted": f"{int(done)} of {total}",
                "detail": escape_controls(detail),
            }
            if bar.tasks:
                bar.update(bar.tasks[0].id, **shown)
            else:  # begun here, so that work done by an earlier command does not count as speed
                bar.add_task(title, **shown)

        yield report
    if not console.is_terminal and last[1]:
        say(f"{title}: {int(last[0])} of {last[1]}")


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
    """Print a user's error as its sentence and exit with its code; of a bug, where its traceback is.

    Args:
        after_stop: gives the advice after Ctrl-C.
        when_full: gives the advice after an error of a full memory.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        say(f"stopped by Ctrl-C; {after_stop()}.")
        raise typer.Exit(130) from error
    except Exception as raised:
        from emokit.files import path_error  # not above: start-up does without hashes and CSV

        refused = raised if isinstance(raised, EmokitError) else path_error(raised)
        if refused is None and is_memory_full(raised):
            refused = MemoryFull(f"Out of memory; {when_full()}.")
        if refused is None and type(raised).__module__.startswith("typer."):
            raise
        if isinstance(raised, BrokenPipeError):  # `| head`: as the shell counts a process that the signal ended
            raise typer.Exit(128 + SIGPIPE) from raised
        if refused is None:
            say(f"error: {_bug(raised)}")
            raise typer.Exit(1) from raised
        say(f"error: {refused}")
        raise typer.Exit(refused.exit_code) from raised


def _bug(raised: Exception) -> str:
    """Write the traceback of a bug, without secrets, and say where: the work that led to it may have taken hours."""
    import tempfile
    import traceback

    trace = mask_secrets("".join(traceback.format_exception(raised)))
    name = type(raised).__name__
    what = f"emokit has a bug ({name}: {raised})" if str(raised) else f"emokit has a bug ({name})"
    try:
        if not os.environ.get(TRACEBACK):
            file, path = tempfile.mkstemp(prefix="emokit-", suffix="-traceback.txt")
            with os.fdopen(file, "w", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(trace)
            return f"{what}; report it with {path}, which has its traceback."
    except OSError:
        pass  # a full disk: shown instead
    sys.stderr.write(escape_controls(trace, but="\n\t"))
    return f"{what}; report it with the traceback above."
