"""`emokit settings`: every setting of a modality, its default and its meaning."""

from typing import Annotated

import typer

from emokit.cli import console


def settings(
    modality_name: Annotated[
        str,
        typer.Argument(help="The modality, such as audio or text; a wrong name lists all of them.", metavar="MODALITY"),
    ] = "audio",
    as_json: Annotated[bool, typer.Option("--json", help="Print the JSON schema, for editors and programs.")] = False,
) -> None:
    """List the settings of a modality, as a YAML file and --set take them."""
    from rich.markup import escape
    from rich.table import Column, Table

    from emokit.errors import UsageError
    from emokit.modality.protocol import Modality
    from emokit.modality.registry import MODALITIES, modality
    from emokit.settings import fields

    having = [name for name in MODALITIES if type(modality(name)).settings is not Modality.settings]
    if modality_name not in having:
        raise UsageError(f"There are no settings of {modality_name}; expected one of {', '.join(having)}.")
    settings_class = modality(modality_name).settings()
    if as_json:
        console.show_json(settings_class.model_json_schema())
        return
    table = Table(Column("setting", no_wrap=True), "default", "meaning")
    for name, sentence in fields(settings_class).items():
        value: object = settings_class()
        for group in name.split("."):
            value = getattr(value, group, None)  # a group that the command fills in is empty before
        shown = list(value) if isinstance(value, tuple) else "null" if value is None else value
        table.add_row(name, escape(str(shown)), escape(sentence))
    console.show(table)
