"""`emokit` itself: which command is in which file. Nothing heavy is imported until a command runs."""

import os
from typing import Annotated, Any

import typer
import typer.core

from emokit.cli import (
    console,
    demo,
    doctor,
    export,
    fuse_search,
    predict,
    prepare,
    push,
    report,
    settings,
    sweep,
    train,
    transcribe,
)
from emokit.cli.flags import CheckedCommand
from emokit.cli.usage import explained
from emokit.runtime import VERSION, quiet_libraries

# What to do after Ctrl-C, by command; for the others, run the command again.
HINTS = {
    "prepare": "files that were read are kept, run the same command again to continue",
    "train": "completed epochs are kept, add --resume to continue",
    "sweep": "completed epochs are kept, continue with `emokit sweep --resume RUN`",
    "demo": "run it again with --force",
}

# What to lower when the memory is full, by command.
LOWER = {
    "prepare": "files that were read are kept, continue with --workers 1",
    "train": "train with fewer --workers, a smaller --batch-size or a smaller model, or add --resume when memory is free",
    "sweep": "continue with `emokit sweep --resume RUN` and fewer --workers",
    "predict": "predict fewer or shorter inputs at once, or compute on another --device",
    "transcribe": "transcribe fewer or shorter recordings at once, or compute on another --device",
    "fuse-search": "search with a larger --step and fewer --resamples",
    "report": "name fewer runs",
}

# Commands with options of the modalities: made when they are called.
MADE_WHEN_CALLED = {"predict": predict.command, "export": export.command}


class CommandGroup(typer.core.TyperGroup):
    """The commands; a user's error becomes one sentence and its exit code."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name; None for an unknown one."""
        if cmd_name in MADE_WHEN_CALLED:
            return MADE_WHEN_CALLED[cmd_name]()
        return super().get_command(ctx, cmd_name)

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Parse what comes before the command."""
        with console.exit_codes(), explained():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        quiet_libraries()
        with (
            console.exit_codes(
                lambda: HINTS.get(ctx.invoked_subcommand, "run the command again"),
                lambda: LOWER.get(ctx.invoked_subcommand, "free memory and run the command again"),
            ),
            explained(),
        ):
            return super().invoke(ctx)


app = typer.Typer(
    cls=CommandGroup,
    name="emokit",
    no_args_is_help=True,
    # rich's help pages take half of the third of a second in which help should appear
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="From raw emotion corpora to a calibrated, fused, honestly scored emotion model.",
    epilog="Start with `emokit demo --out demo`: the whole chain, offline, in under three minutes.",
)
app.command("prepare", cls=CheckedCommand)(prepare.prepare)
app.add_typer(train.app, name="train")
app.command("sweep", cls=CheckedCommand)(sweep.sweep)
app.command("predict", cls=CheckedCommand)(predict.predict)
app.command("transcribe", cls=CheckedCommand)(transcribe.transcribe)
app.command("export", cls=CheckedCommand)(export.export)
app.command("fuse-search", cls=CheckedCommand)(fuse_search.fuse_search)
app.command("push", cls=CheckedCommand)(push.push)
app.command("report", cls=CheckedCommand)(report.report)
app.command("demo", cls=CheckedCommand)(demo.demo)
app.command("doctor", cls=CheckedCommand)(doctor.doctor)
app.command("settings", cls=CheckedCommand)(settings.settings)


def _show_version(asked: bool) -> None:
    if asked:
        console.show(VERSION)
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Read the options that come before the command."""


def main() -> None:
    """The `emokit` command."""
    console.prepare_streams()
    os.environ["MPLBACKEND"] = "agg"  # figures are files, and matplotlib fails on a backend that it does not know
    app()
