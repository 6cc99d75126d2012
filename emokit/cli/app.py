"""`emokit` itself: which command lives in which file. Nothing heavy is imported until a command runs."""

from typing import Annotated, Any

import typer
import typer.core

from emokit import __version__
from emokit.cli import console, demo, doctor, export, fuse_search, predict, prepare, report, settings, sweep, train

# What to do after Ctrl-C, by the first word of the command; of the others, give it again.
HINTS = {
    "prepare": "what was read is kept, give the same command again to go on",
    "train": "the epochs that ended are kept, add --resume to go on",
    "sweep": "the epochs that ended are kept, go on with `emokit sweep --resume RUN`",
    "demo": "give it again with --force",
}


class CommandGroup(typer.core.TyperGroup):
    """The commands, with an error of the user's turned into one sentence and its exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        with console.exit_codes(lambda: HINTS.get(ctx.invoked_subcommand, "give the command again")):
            return super().invoke(ctx)


app = typer.Typer(
    cls=CommandGroup,
    name="emokit",
    no_args_is_help=True,
    # rich's help pages take half of the third of a second in which help should come
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="From raw emotion corpora to a calibrated, fused, honestly scored model of seven emotions.",
    epilog="Start with `emokit demo --out demo`: the whole job, offline, in under three minutes.",
)
app.command("prepare")(prepare.prepare)
app.add_typer(train.app, name="train")
app.command("sweep")(sweep.sweep)
app.command("predict")(predict.predict)
app.command("export")(export.export)
app.command("fuse-search")(fuse_search.fuse_search)
app.command("report")(report.report)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("settings")(settings.settings)


def _show_version(asked: bool) -> None:
    if asked:
        console.show(__version__)
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and end.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Take what stands before the command."""


def main() -> None:
    """What the `emokit` command calls."""
    app()
