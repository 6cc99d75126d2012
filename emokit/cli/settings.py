"""`emokit settings`: every setting of a training or a fusion, its default and what it means."""

from typing import Annotated

import typer

from emokit.cli import console


def settings(
    kind: Annotated[str, typer.Argument(help="Of what: audio, text or fusion.")] = "audio",
    as_json: Annotated[bool, typer.Option("--json", help="The JSON schema, for editors and other programs.")] = False,
) -> None:
    """List what an experiment's YAML file and --set can say."""
    from rich.markup import escape
    from rich.table import Column, Table

    from emokit.audio.settings import AudioSettings
    from emokit.errors import UsageError
    from emokit.fusion.late.settings import FusionSettings
    from emokit.settings import Settings, fields
    from emokit.text.settings import TextSettings

    kinds: dict[str, type[Settings]] = {"audio": AudioSettings, "text": TextSettings, "fusion": FusionSettings}
    if kind not in kinds:
        raise UsageError(f"There are no settings of {kind}; the kinds are: {', '.join(kinds)}.")
    if as_json:
        console.show_json(kinds[kind].model_json_schema())
        return
    table = Table(Column("setting", no_wrap=True), "default", "meaning")
    for name, sentence in fields(kinds[kind]).items():
        value: object = kinds[kind]()
        for part in name.split("."):
            value = getattr(value, part, None)  # of a group that the work itself fills in there is nothing yet
        shown = list(value) if isinstance(value, tuple) else "null" if value is None else value
        table.add_row(name, escape(str(shown)), escape(sentence))
    console.show(table)
