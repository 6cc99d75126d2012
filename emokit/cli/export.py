"""`emokit export`: a run's model in a format that other programs read."""

from pathlib import Path
from typing import Annotated, Any

import typer

from emokit.cli import console


def export(
    run: Annotated[Path, typer.Argument(help="A complete run folder.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder to make; RUN/onnx by default.")] = None,
    form: Annotated[str, typer.Option("--format", help="onnx; the run folder has safetensors already.")] = "onnx",
    force: Annotated[bool, typer.Option("--force", help="Replace an existing export.")] = False,
    **options: Any,
) -> None:
    """Write a run's model as ONNX and compare it with the original.

    Examples: emokit export runs/text --format onnx, emokit export runs/emodb --out emodb_onnx
    """
    from emokit import runs
    from emokit.errors import UsageError
    from emokit.files import refuse_inputs
    from emokit.modality import registry
    from emokit.runtime import quiet_libraries

    if form == "safetensors":
        raise UsageError(f"{run / runs.MODEL} holds the model as safetensors already; use it as it is.")
    if form != "onnx":
        raise UsageError(f"--format {form} is unknown; choose onnx.")
    runs.check_complete(run)
    chosen = registry.modality_of(run)
    if chosen.name not in registry.exportable():
        names = " or ".join(registry.exportable())
        raise UsageError(f"{run} is a run of {chosen.name}, which cannot be exported; name a run of {names}.")
    given = registry.check_options(chosen, "export", options)
    quiet_libraries()
    folder = out or run / "onnx"
    if force:
        refuse_inputs(folder, [run], "--out")
    difference = chosen.export(run, folder, force=force, **given)
    console.say(f"the largest difference from the original is {difference:.1g}")
    console.done(folder)


def command() -> Any:
    """The click command, with the options of every modality."""
    from emokit.cli.options import command_of
    from emokit.modality.registry import command_options

    return command_of("export", export, command_options("export"))
