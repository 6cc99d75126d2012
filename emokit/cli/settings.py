"""`emokit settings`: every setting of a training, its default and what it means."""

from typing import Annotated

import typer

from emokit.cli import console


def settings(
    kind: Annotated[str, typer.Argument(help="What kind of training: audio.")] = "audio",
    as_json: Annotated[bool, typer.Option("--json", help="The JSON schema, for editors and other programs.")] = False,
) -> None:
    """List what an experiment's YAML file and --set can say."""
    from rich.markup import escape
    from rich.table import Table

    from emokit.audio.settings import AudioSettings
    from emokit.errors import UsageError
    from emokit.settings import fields

    if kind != "audio":
        raise UsageError(f"There are no settings of {kind}; the kinds are: audio.")
    if as_json:
        console.show_json(AudioSettings.model_json_schema())
        return
    table = Table("setting", "default", "meaning")
    for name, sentence in fields(AudioSettings).items():
        value: object = AudioSettings()
        for part in name.split("."):
            value = getattr(value, part)
        shown = list(value) if isinstance(value, tuple) else "null" if value is None else value
        table.add_row(name, escape(str(shown)), escape(sentence))
    console.show(table)
