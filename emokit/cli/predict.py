"""`emokit predict`: what a trained model says of sound files, or of a prepared split."""

from pathlib import Path
from typing import Annotated

import typer

from emokit.cli import console


def predict(
    run: Annotated[Path, typer.Argument(help="A complete run folder.")],
    files: Annotated[
        list[Path] | None, typer.Argument(help="Sound files of any length and format.", metavar="FILE…")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", "-d", help="A prepared folder, for a whole split of it.")
    ] = None,
    split: Annotated[str, typer.Option(help="With --data: train, dev or test.")] = "test",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="With --data: the parquet table to write.")] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a file, one a line.")] = False,
) -> None:
    """Seven probabilities for each sound file, one line a file; or a table of them for a prepared split.

    Examples: emokit predict runs/emodb some.wav, emokit predict runs/emodb --data prepared --split dev --out dev.parquet
    """
    from emokit.errors import UsageError

    if bool(files) == bool(data):
        raise UsageError("Name sound files or a prepared folder with --data, one of the two.")
    if data and not out:
        raise UsageError("--data was given without --out; name the parquet table to write.")

    from emokit.audio import predict as work
    from emokit.labels import LABELS
    from emokit.runtime import choose_device, quiet_libraries

    quiet_libraries()
    chosen = choose_device(device)
    model = work.load_model(run, chosen)
    if data and out:
        console.say(f"{work.predict_split(model, run, data, split, out, chosen)} utterances of {split}")
        console.done(out)
        return
    if not as_json:
        console.show("\t".join(["file", "label", *LABELS]))
    for path, probabilities in work.predict_files(model, files or [], chosen):
        rounded = {label: round(float(p), 6) for label, p in zip(LABELS, probabilities, strict=True)}
        label = max(rounded, key=lambda name: rounded[name])
        if as_json:
            console.show_json({"file": str(path), "label": label, "probabilities": rounded})
        else:
            console.show("\t".join([str(path), label, *[f"{p:.3f}" for p in rounded.values()]]))
