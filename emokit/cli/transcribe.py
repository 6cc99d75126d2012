"""`emokit transcribe`: recordings to texts, and how many words are wrong where they are known."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emokit.cli import console

if TYPE_CHECKING:
    from emokit.api.transcribe import Row
    from emokit.data.prepared import Prepared
    from emokit.transcription.recogniser import SpeechRecogniser


def transcribe(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(help="Audio files or folders of them. - reads standard input.", metavar="INPUT…"),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            help="Folder or hub name of a Whisper model, or the URL of an OpenAI-compatible API, such as "
            "http://localhost:8000/v1#NAME, with its token in EMOKIT_API_TOKEN.",
        ),
    ] = "",
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            "-d",
            help="Prepared folder, whose recordings are transcribed; with the word error rate where the words are known.",
        ),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(help="Language of all recordings, such as de; by default that of the corpus, else detected."),
    ] = None,
    translate: Annotated[
        str | None,
        typer.Option(help="Folder or hub name of a Marian, M2M100 or NLLB model that translates into English."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Table to write in place of printing: a new .parquet, .csv or .tsv file."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count the recordings, and the cached transcripts; transcribe nothing.")
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="One JSON object per recording and line; with --out or --dry-run, a single one."),
    ] = False,
) -> None:
    """Print what is said in recordings, one line each; with a prepared folder, the word error rate too.

    Transcripts of a prepared folder are cached in it, so an interrupted command goes on where it was.

    Examples: emokit transcribe some.wav folder --model whisper-base,
    emokit transcribe --data prepared --model whisper-base --out transcripts.csv
    """
    from emokit.data.prepared import open_prepared
    from emokit.errors import UsageError
    from emokit.runtime import quiet_libraries
    from emokit.transcription.recogniser import load_recogniser

    if not model:
        raise UsageError(
            "No model was named; name a folder of Whisper or the URL of an OpenAI-compatible API with --model."
        )
    if bool(inputs) == bool(data):
        raise UsageError("Name recordings, or a prepared folder with --data: exactly one of them.")
    quiet_libraries()
    prepared = open_prepared(data) if data else None
    recogniser = load_recogniser(model, language=language, translate=translate, device=device, option="--model")
    if dry_run:
        _count(recogniser, inputs or [], prepared, as_json=as_json)
        return
    rows = _transcribed(recogniser, inputs or [], prepared)
    _show(rows, prepared, out, as_json=as_json)


def _transcribed(recogniser: "SpeechRecogniser", inputs: Sequence[str], prepared: "Prepared | None") -> "list[Row]":
    """The transcripts, with a progress bar; what is doubtful or wrong with one is noted when all are there."""
    from emokit.api.transcribe import transcribe_inputs, transcribe_prepared

    with contextlib.ExitStack() as stack:
        if prepared:
            progress = stack.enter_context(console.progress("transcribing"))
            return list(transcribe_prepared(recogniser, prepared, progress))
        recordings = stack.enter_context(_recordings(inputs))
        progress = stack.enter_context(console.progress("transcribing"))
        return list(transcribe_inputs(recogniser, recordings, progress))


def _count(
    recogniser: "SpeechRecogniser", inputs: Sequence[str], prepared: "Prepared | None", *, as_json: bool
) -> None:
    """Print how many recordings would be transcribed."""
    from emokit.api.transcribe import count_prepared

    if prepared:
        counts = count_prepared(recogniser, prepared)
    else:
        with _recordings(inputs) as recordings:
            counts = {"recordings": len(recordings), "cached": 0}
    model = recogniser.identity["model"]
    if as_json:
        console.show_json({"model": model, **counts})
        return
    console.show(
        f"{counts['recordings'] - counts['cached']} of {counts['recordings']} recordings would be transcribed with {model}; "
        f"{counts['cached']} transcripts are cached"
    )


@contextlib.contextmanager
def _recordings(names: Sequence[str]) -> Iterator[Any]:
    """The recordings that are named; what was skipped in folders is noted."""
    from emokit.data.sources.tree import Skipped
    from emokit.modality.recordings import audio_inputs, skipped_note

    skipped: list[Skipped] = []
    with audio_inputs(names, skipped) as recordings:
        yield recordings
    if note := skipped_note(skipped):
        console.say(note)


def _show(rows: "Sequence[Row]", prepared: "Prepared | None", out: Path | None, *, as_json: bool) -> None:
    """Print or write the transcripts and the word error rates; exit with 3 if a recording has no transcript."""
    from emokit.api.transcribe import error_rates, write_rows
    from emokit.cli.tables import word_error_rates
    from emokit.data.transcripts import Transcript
    from emokit.errors import DataError

    rates = error_rates(rows, prepared.table) if prepared else {}
    written = [row for row in rows if isinstance(row.result, Transcript)]
    for row in rows:
        if isinstance(row.result, Transcript):
            for flag in row.result.flags:
                console.say(f"{row.name}: {flag}")
        else:
            console.say(f"error: {row.result}")
    if out:
        write_rows(rows, out)
    elif as_json:
        for row in rows:
            console.show_json(row.as_dict())
    else:
        _print(written)
    if as_json and (out or rates):
        summary = {"transcripts": str(out), "recordings": len(rows)} if out else {}
        console.show_json({**summary, **({"word_error_rates": rates} if rates else {})})
    elif rates:
        console.show(word_error_rates(rates))
    if out and not as_json:
        console.done(out)
    if failed := len(rows) - len(written):
        console.say(f"{failed} of {len(rows)} recordings could not be transcribed")
        raise typer.Exit(DataError.exit_code)


def _print(rows: "Sequence[Row]") -> None:
    """Print a line for each transcript: its recording, the language, the text, and what was translated."""
    from emokit.safe_text import escape_controls

    entries: list[Mapping[str, Any]] = [row.as_dict() for row in rows]
    has_originals = any("original" in entry for entry in entries)
    columns = ["language", "text", *(["original"] if has_originals else [])]
    console.show("\t".join(["recording", *columns]))
    for row, entry in zip(rows, entries, strict=True):
        cells = [" ".join(str(entry.get(name) or "").split()) for name in columns]
        console.show("\t".join(map(escape_controls, [row.name, *cells])))
