"""`emokit export`: a run's model in a form that others read."""

from pathlib import Path
from typing import Annotated

import typer

from emokit.cli import console


def export(
    run: Annotated[Path, typer.Argument(help="A complete run folder.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The folder to make; onnx in the run by default.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="onnx; safetensors are in the run folder already.")] = "onnx",
    force: Annotated[bool, typer.Option("--force", help="Replace an export that exists.")] = False,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Of text: run the code that came with a pretrained model.")
    ] = False,
) -> None:
    """Write a run's model as ONNX and compare it with the original.

    Examples: emokit export runs/text --format onnx, emokit export runs/emodb --out emodb_onnx
    """
    from emokit import runs
    from emokit.errors import UsageError

    if form == "safetensors":
        raise UsageError(f"{run / runs.MODEL} holds the model as safetensors already; use it as it is.")
    if form != "onnx":
        raise UsageError(f"--format {form} is unknown; choose onnx.")
    runs.check_complete(run)
    kind = runs.read_settings(run).get("kind")
    if kind not in ("audio", "text"):
        raise UsageError(f"{run} is a run of the kind {kind}; only runs of sound and of text are exported.")

    from emokit.runtime import quiet_libraries

    quiet_libraries()
    where = out or run / "onnx"
    if kind == "audio":
        from emokit.audio import export as of_sound

        difference = of_sound.export_onnx(run, where, force=force)
    else:
        from emokit.text import export as of_text

        difference = of_text.export_onnx(run, where, force=force, trust_remote_code=trust_remote_code)
    console.say(f"the largest difference from the original is {difference:.1g}")
    console.done(where)
