"""`emokit predict`: probabilities of files, sentences or clips, or of a split of a prepared folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emokit.cli import console

if TYPE_CHECKING:
    from emokit.modality.predictor import Predictor
    from emokit.modality.protocol import Modality


def predict(
    run: Annotated[Path, typer.Argument(help="A complete run folder, or vision for DeepFace on video clips.")],
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            help="Audio files, folders of them or video clips; for text runs, sentences. - reads standard input.",
            metavar="INPUT…",
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", "-d", help="Prepared folder, to predict one split of it.")
    ] = None,
    split: Annotated[str, typer.Option(help="With --data: train, dev or test.")] = "test",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="With --data: parquet table to write.")] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per input and line.")] = False,
    **options: Any,
) -> None:
    """Print the probability of each emotion, one line per input; or write them as a table for a prepared split.

    Examples: emokit predict runs/emodb some.wav, ffmpeg -i film.mkv -f wav - | emokit predict runs/emodb - --timestamps,
    emokit predict runs/text "I did not expect that!",
    emokit predict runs/emodb --data prepared --split dev --out dev.parquet
    """
    from emokit.errors import UsageError
    from emokit.modality import registry
    from emokit.modality.predictor import Arguments
    from emokit.runtime import quiet_libraries

    chosen, folder = registry.find(run)
    given = registry.check_options(chosen, "predict", options)
    named = registry.with_role(chosen, given, "inputs")
    table_options = registry.with_role(chosen, given, "table")
    if data and (inputs or named):
        raise UsageError("Inputs and --data were given; name inputs to predict, or a prepared folder with --data.")
    if data and not out:
        raise UsageError("--data was given without --out; name the parquet table to write.")
    if out and not data:
        raise UsageError(f"--out {out} was given without --data; name a prepared folder, or leave --out out.")
    if out and out.exists():
        raise UsageError(f"{out} exists; name another --out, or delete it.")
    if data and table_options:
        flag = f"--{next(iter(table_options)).replace('_', '-')}"
        raise UsageError(f"{flag} was given with --data, which prints no table; leave it out.")
    quiet_libraries()
    predictor = _load(chosen, folder, device, registry.with_role(chosen, given, "model"))
    if data and out:
        _predict_split(predictor, data, split, out, as_json)
        return
    _predict_inputs(predictor, Arguments(tuple(inputs or ()), named), table_options, as_json)


def command() -> Any:
    """The click command, with the options of every modality."""
    from emokit.cli.options import command_of
    from emokit.modality.registry import command_options

    return command_of("predict", predict, command_options("predict"))


def _load(chosen: "Modality", folder: Path | None, device: str, options: dict[str, Any]) -> "Predictor":
    predictor = chosen.load(folder, device, **options)
    for note in predictor.notes:
        console.say(note)
    return predictor


def _predict_split(predictor: "Predictor", data: Path, split: str, out: Path, as_json: bool) -> None:
    """Write the predictions of a prepared split."""
    from emokit import predictions
    from emokit.data.prepared import open_prepared

    predicted, counts = predictor.predict_split(open_prepared(data), split)
    predictions.write(predicted, out)
    size = len(predicted.table)
    if as_json:
        shown = {"predictions": str(out), "split": split, "utterances": size}
        console.show_json(shown | ({"counts": counts} if counts else {}))
        return
    detail = ": " + ", ".join(f"{number} {what}" for what, number in counts.items()) if counts else ""
    console.say(f"{size} utterances of {split}{detail}")
    console.done(out)


def _predict_inputs(predictor: "Predictor", arguments: Any, options: dict[str, Any], as_json: bool) -> None:
    """Print the probabilities of each input; the errors of some do not stop the others."""
    from emokit.errors import DataError

    total = failed = 0
    with predictor.inputs(arguments) as inputs:
        if not as_json:
            console.show("\t".join(predictor.header(options)))
        for prediction in predictor.predict(inputs):
            total += 1
            if isinstance(prediction, DataError):
                failed += 1
                console.say(f"error: {prediction}")
                continue
            for flag in prediction.flags:
                console.say(f"{prediction.name}: {flag}")
            if as_json:
                console.show_json(prediction.as_dict())
            else:
                for row in predictor.rows(prediction, options):
                    console.show("\t".join(row))
    if note := predictor.closing_note():
        console.say(note)
    if failed:
        console.say(f"{failed} of {total} inputs could not be predicted")
        raise typer.Exit(DataError.exit_code)
