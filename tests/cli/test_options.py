"""Options of modalities in a command's signature, as Typer reads it."""

from pathlib import Path

from typer.testing import CliRunner

from emokit.cli.options import command_of, help_text, with_options
from emokit.modality.protocol import Option

OPTIONS = [
    Option("trust_remote_code", "Run code.", ("train",)),
    Option("file", "A file.", ("train",), Path),
    Option("text", "A text.", ("train",), list),
    Option("language", "A language.", ("train",), str),
]


def test_options_become_keyword_arguments_of_their_type():
    given = []

    def function(run: str, **options: object) -> None:
        """Do it."""
        given.append((run, options))

    command = command_of("work", function, OPTIONS)
    words = ["here", "--trust-remote-code", "--file", "a.txt", "--text", "a", "--text", "b", "--language", "de"]
    assert CliRunner().invoke(_app(command), words).exit_code == 0
    assert CliRunner().invoke(_app(command), ["here"]).exit_code == 0
    assert given == [
        ("here", {"trust_remote_code": True, "file": Path("a.txt"), "text": ["a", "b"], "language": "de"}),
        ("here", {"trust_remote_code": False, "file": None, "text": None, "language": None}),
    ]


def test_the_help_is_the_docstring_unless_another_is_given():
    def function(**options: object) -> None:
        """Do it."""

    assert with_options(function, OPTIONS).__doc__ == "Do it."
    assert with_options(function, OPTIONS, "Do that.").__doc__ == "Do that."


def test_examples_follow_the_sentence():
    assert help_text("Do it.", ()) == "Do it."
    assert help_text("Do it.", ("emokit a", "emokit b")) == "Do it.\n\nExamples: emokit a, emokit b"


def _app(command):
    """A Typer app that runs a click command, for the runner."""
    import typer
    import typer.core

    class Group(typer.core.TyperGroup):
        def list_commands(self, ctx):
            return ["work"]

        def get_command(self, ctx, cmd_name):
            return command

        def parse_args(self, ctx, args):
            return super().parse_args(ctx, ["work", *args])

    app = typer.Typer(cls=Group)

    @app.callback()
    def group():
        """Group."""

    return app
