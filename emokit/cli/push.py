"""`emokit push`: a run as a model, or a prepared folder as a data set, to the Hugging Face hub."""

from pathlib import Path
from typing import Annotated

import typer

from emokit.cli import console


def push(
    folder: Annotated[Path, typer.Argument(help="A complete run folder, or a prepared folder.")],
    name: Annotated[str, typer.Argument(help="Repository on the hub, made if it is missing.", metavar="USER/NAME")],
    private: Annotated[bool, typer.Option("--private", help="Make a private repository.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the files and their sizes in bytes; upload nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the files or the address as JSON.")] = False,
) -> None:
    """Upload a run's model, card, scores and predictions, or a prepared folder as a data set.

    Log in with `hf auth login` first, or set HF_TOKEN. Paths of this computer are taken out of settings and configurations.

    Examples: emokit push runs/emodb USER/emodb --dry-run, emokit push prepared USER/calls --private
    """
    from emokit.api.push import push_folder, upload_of

    if dry_run:
        with upload_of(folder, name) as upload:
            sizes = upload.sizes
            kind = upload.kind
        if as_json:
            console.show_json({"repository": name, "type": kind, "files": sizes})
        else:
            for path, size in sizes.items():
                console.show(f"{size:>12}  {path}")
            console.say(f"{len(sizes)} files, {sum(sizes.values())} bytes, as a {kind} to {name}; nothing was uploaded")
        return
    address = push_folder(folder, name, private=private)
    console.show_json({"address": address}) if as_json else console.show(address)
