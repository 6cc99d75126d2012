"""`emokit export`: a run's model, or a prepared folder, in a format that other programs read."""

from pathlib import Path
from typing import Annotated, Any

import typer

from emokit.cli import console

OF_PREPARED = ("datasets", "csv", "audiofolder")  # written out, as importing its module takes longer than `--help` may


def export(
    run: Annotated[Path, typer.Argument(help="A complete run folder, or a prepared folder.", metavar="FOLDER")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder to make; RUN/onnx by default, needed for a prepared folder."),
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="Of a run onnx (it has safetensors already); of a prepared folder datasets (as save_to_disk writes it), csv "
            "(recordings stay where they are) or audiofolder (recordings are copied, with metadata.jsonl).",
        ),
    ] = "onnx",
    force: Annotated[bool, typer.Option("--force", help="Replace an existing export.")] = False,
    **options: Any,
) -> None:
    """Write a run's model as ONNX and compare it with the original, or a prepared folder as a data set.

    Examples: emokit export runs/text --format onnx, emokit export prepared --format datasets --out my_data_set
    """
    from emokit import runs
    from emokit.data.prepared import FINGERPRINT
    from emokit.errors import UsageError
    from emokit.files import refuse_inputs
    from emokit.modality import registry

    is_prepared = runs.is_prepared(run) or (run / FINGERPRINT).exists()
    if form == "safetensors":
        raise UsageError(f"{run / runs.MODEL} holds the model as safetensors already; use it as it is.")
    if form not in ("onnx", *OF_PREPARED):
        raise UsageError(f"--format {form} is unknown; choose {_listed(OF_PREPARED if is_prepared else ('onnx',))}.")
    if is_prepared:
        _export_prepared(run, out, form, options, force=force)
        return
    runs.check_complete(run)
    if form != "onnx":
        raise UsageError(f"{run} is a run, and --format {form} is for a prepared folder; choose onnx.")
    chosen = registry.modality_of(run)
    if chosen.name not in registry.exportable():
        names = " or ".join(registry.exportable())
        raise UsageError(f"{run} is a run of {chosen.name}, which cannot be exported; name a run of {names}.")
    given = registry.check_options(chosen, "export", options)
    folder = out or run / "onnx"
    if force:
        refuse_inputs(folder, [run], "--out")
    difference = chosen.export(run, folder, force=force, **given)
    console.say(f"the largest difference from the original is {difference:.1g}")
    console.done(folder)


def _export_prepared(folder: Path, out: Path | None, form: str, options: dict[str, Any], *, force: bool) -> None:
    import shlex

    from emokit.data.prepared import open_prepared
    from emokit.data.publish.export import export as work
    from emokit.errors import UsageError

    if form == "onnx":
        raise UsageError(f"{folder} is a prepared folder, which has no model; choose --format {_listed(OF_PREPARED)}.")
    given = next((name for name, value in options.items() if value), None)
    if given:
        raise UsageError(f"--{given.replace('_', '-')} is for a run, and {folder} is a prepared folder; leave it out.")
    if out is None:
        raise UsageError(f"No folder was named for the data of {folder}; name a new one with --out.")
    exported = work(open_prepared(folder), out, form, force=force)
    if exported.num_left_out:
        console.say(f"left out: {exported.num_left_out} utterances without a recording; --format datasets has all")
    console.done(out, shlex.join(["emokit", "prepare", *exported.source]))


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:-1]) + " or " * (len(names) > 1) + names[-1]


def command() -> Any:
    """The click command, with the options of every modality."""
    from emokit.cli.options import command_of
    from emokit.modality.registry import command_options

    return command_of("export", export, command_options("export"))
