"""`emokit predict`: what a trained model says of sound files or sentences, or of a prepared split."""

from pathlib import Path
from typing import Annotated

import typer


def predict(
    run: Annotated[
        Path, typer.Argument(help="A complete run folder, or the word vision: DeepFace on a split's clips.")
    ],
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            help="Sound files of any length and format, folders of them, or - for standard input; of a run of text, sentences, "
            "or -.",
            metavar="INPUT…",
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="Of a run of text: a file of one sentence a line.")
    ] = None,
    text: Annotated[
        list[str] | None, typer.Option("--text", help="For a fused run: a sentence, with a file what is said in it.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", "-d", help="A prepared folder, for a whole split of it.")
    ] = None,
    split: Annotated[str, typer.Option(help="With --data: train, dev or test.")] = "test",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="With --data: the parquet table to write.")] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run the code that came with a pretrained model.")
    ] = False,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", help="Of a run of sound: one line a window, with where it starts and ends.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object an input, one a line; of sound, with its windows.")
    ] = False,
) -> None:
    """Seven probabilities for each sound file or sentence, one line each; or a table of them for a prepared split.

    Examples: emokit predict runs/emodb some.wav, ffmpeg -i film.mkv -f wav - | emokit predict runs/emodb - --timestamps,
    emokit predict runs/text "I did not expect that!",
    emokit predict runs/emodb --data prepared --split dev --out dev.parquet
    """
    from emokit import runs
    from emokit.cli import predict_fused
    from emokit.errors import UsageError

    other = (run / runs.SETTINGS).is_file() and runs.read_settings(run).get("kind") != "audio"
    if timestamps and (data or other):
        raise UsageError("--timestamps is for sound files and a run of sound; leave it out.")
    if run == Path("vision") and not run.is_dir():
        predict_fused.vision(data, split, out, as_json)
        return
    if predict_fused.is_fused(run):
        predict_fused.fused(run, [Path(name) for name in inputs or ()], text or [], data, split, out, device, as_json)
        return
    if text:
        raise UsageError(f"--text was given and {run} is no fused run; leave it out.")
    runs.check_complete(run)
    if runs.read_settings(run).get("kind") == "text":
        from emokit.cli.predict_text import predict_text

        predict_text(run, inputs or [], file, data, split, out, device, trust_remote_code, as_json)
        return
    if file:
        raise UsageError(f"--file was given and {run} is no run of text; name sound files instead.")
    from emokit.cli.predict_audio import predict_audio

    predict_audio(run, [Path(name) for name in inputs or ()], data, split, out, device, timestamps, as_json)
