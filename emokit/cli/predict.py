"""`emokit predict`: probabilities of files, sentences or clips, or of a split of a prepared folder."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emokit.cli import console

if TYPE_CHECKING:
    from emokit.modality.predictor import Arguments, Prediction, Predictor
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
    split: Annotated[
        str | None, typer.Option(help="With --data: train, dev or test; test by default.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Table to write in place of printing: a new .parquet, .csv or .tsv file."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per input and line; with --out, one that names the table.")
    ] = False,
    **options: Any,
) -> None:
    """Print the probability of each emotion, one line per input; or write them as a table for a prepared split.

    Examples: emokit predict runs/emodb some.wav, ffmpeg -i film.mkv -f wav - | emokit predict runs/emodb - --timestamps,
    emokit predict runs/text "I did not expect that!",
    emokit predict runs/emodb --data prepared --split dev --out dev.parquet,
    emokit predict runs/text --file texts.csv --column text --out labels.csv
    """
    from emokit.cli.flags import refuse
    from emokit.errors import UsageError
    from emokit.modality import registry
    from emokit.modality.predictor import Arguments
    from emokit.runtime import keep_memory

    chosen, folder = registry.find(run)
    given = registry.check_options(chosen, "predict", options)
    named = registry.with_role(chosen, given, "inputs")
    table_options = registry.with_role(chosen, given, "table")
    if data and (inputs or named):
        raise UsageError("Inputs and --data were given; name inputs to predict, or a prepared folder with --data.")
    if data and not out:
        raise UsageError("--data was given without --out; name the table to write.")
    for flag in (f"--{name.replace('_', '-')}" for name in table_options):
        if data:
            refuse(flag, "--data", "which prints no table")
        if out:
            refuse(flag, "--out", "whose table has one row per input")
        if as_json:
            refuse(flag, "--json", "which prints no table")
    keep_memory()
    predictor = _load(chosen, folder, device, registry.with_role(chosen, given, "model"))
    if data and out:
        _predict_split(predictor, data, split or "test", out, as_json)
        return
    arguments = Arguments(tuple(inputs or ()), named)
    if out:
        _write_inputs(predictor, arguments, out, as_json)
    else:
        _print_inputs(predictor, arguments, table_options, as_json)


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


def _print_inputs(predictor: "Predictor", arguments: "Arguments", options: dict[str, Any], as_json: bool) -> None:
    """Print the probabilities of each input."""
    with _predicted(predictor, arguments) as predictions:
        if not as_json:
            _show_row(predictor.header(options))
        for prediction in predictions:
            if as_json:
                console.show_json(prediction.as_dict())
            else:
                for row in predictor.rows(prediction, options):
                    _show_row(row)


def _write_inputs(predictor: "Predictor", arguments: "Arguments", out: Path, as_json: bool) -> None:
    """Write the probabilities of all inputs as a table."""
    from emokit.modality.output import write_inputs

    with _predicted(predictor, arguments) as predictions:
        size = write_inputs(predictions, out)
        if as_json:
            console.show_json({"predictions": str(out) if size else None, "inputs": size})
        elif size:
            console.say(f"{size} {'input' if size == 1 else 'inputs'}")
            console.done(out)


@contextlib.contextmanager
def _predicted(predictor: "Predictor", arguments: "Arguments") -> "Iterator[Iterator[Prediction]]":
    """The predictions of inputs; the errors of some do not stop the others, and are named and counted on stderr."""
    from emokit.errors import DataError

    total = failed = 0

    def predictions() -> "Iterator[Prediction]":
        nonlocal total, failed
        for prediction in predictor.predict(inputs):
            total += 1
            if isinstance(prediction, DataError):
                failed += 1
                console.say(f"error: {prediction}")
            else:
                for flag in prediction.flags:
                    console.say(f"{prediction.name}: {flag}")
                yield prediction

    with predictor.inputs(arguments) as inputs:
        yield predictions()
    if note := predictor.closing_note():
        console.say(note)
    if failed:
        console.say(f"{failed} of {total} inputs could not be predicted")
        raise typer.Exit(DataError.exit_code)


def _show_row(cells: list[str]) -> None:
    from emokit.safe_text import escape_controls

    console.show("\t".join(map(escape_controls, cells)))
