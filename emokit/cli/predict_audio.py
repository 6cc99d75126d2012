"""`emokit predict` of a run of sound: files, folders of them, standard input, or a prepared split."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from emokit.cli import console
from emokit.errors import DataError, UsageError
from emokit.labels import LABELS

if TYPE_CHECKING:
    import numpy

    from emokit.audio.predict import WindowPredictions


STDIN = Path("-")


def predict_audio(
    run: Path,
    paths: list[Path],
    data: Path | None,
    split: str,
    out: Path | None,
    device: str,
    timestamps: bool,
    as_json: bool,
) -> None:
    """Seven probabilities for each sound file, one line a file or a window; or a table of them for a prepared split."""
    if bool(paths) == bool(data):
        raise UsageError("Name sound files or a prepared folder with --data, one of the two.")
    if data and not out:
        raise UsageError("--data was given without --out; name the parquet table to write.")
    if out and out.exists():
        raise UsageError(f"{out} exists; name another --out, or delete it.")

    from emokit.audio import predict as work
    from emokit.runtime import choose_device, quiet_libraries

    quiet_libraries()
    with _files(paths) as files:
        chosen = choose_device(device)
        model = work.load_model(run, chosen)
        if data and out:
            count = work.predict_split(model, run, data, split, out, chosen)
            if as_json:
                console.show_json({"predictions": str(out), "split": split, "utterances": count})
                return
            console.say(f"{count} utterances of {split}")
            console.done(out)
            return
        if not as_json:
            console.show("\t".join(["file", *(["start", "end"] if timestamps else []), "label", *LABELS]))
        failed = 0
        heard = work.predict_files(model, [path for path, _ in files], chosen)
        for (_, name), (path, found) in zip(files, heard, strict=True):
            if isinstance(found, DataError):
                failed += 1
                console.say(f"error: {found}".replace(str(path), name if name != str(STDIN) else "Standard input"))
                continue
            _show(name, found, timestamps=timestamps, as_json=as_json)
    if failed:
        console.say(f"{failed} of {len(files)} files could not be used")
        raise typer.Exit(DataError.exit_code)


def _show(name: str, found: "WindowPredictions", *, timestamps: bool, as_json: bool) -> None:
    """A recording as a line, or one line for each of its windows; as JSON, with all of its windows."""
    spans = [[round(float(second), 3) for second in span] for span in found.seconds]
    if as_json:
        windows = [
            {"start_seconds": start, "end_seconds": end, **_said(probabilities)}
            for (start, end), probabilities in zip(spans, found.by_window, strict=True)
        ]
        console.show_json({"file": name, **_said(found.probabilities), "windows": windows})
    elif timestamps:
        for (start, end), probabilities in zip(spans, found.by_window, strict=True):
            console.show("\t".join([name, f"{start:.2f}", f"{end:.2f}", *_cells(probabilities)]))
    else:
        console.show("\t".join([name, *_cells(found.probabilities)]))


def _said(probabilities: "numpy.ndarray") -> dict[str, object]:
    rounded = {label: round(float(p), 6) for label, p in zip(LABELS, probabilities, strict=True)}
    return {"label": max(rounded, key=lambda label: rounded[label]), "probabilities": rounded}


def _cells(probabilities: "numpy.ndarray") -> list[str]:
    return [LABELS[int(probabilities.argmax())], *[f"{p:.3f}" for p in probabilities]]


@contextmanager
def _files(paths: list[Path]) -> Iterator[list[tuple[Path, str]]]:
    """The sound files that were named, those of folders included, each with the name to show; standard input becomes one."""
    from emokit.audio.predict import find_recordings

    with tempfile.TemporaryDirectory(prefix="emokit-") as folder:
        files: list[tuple[Path, str]] = []
        for path in paths:
            if path != STDIN:
                files += [(found, str(found)) for found in find_recordings([path])]
                continue
            # Sound is read by content and not by name, and some decoders go back and forth in it.
            kept = Path(folder) / "sound"
            kept.write_bytes(sys.stdin.buffer.read())
            files.append((kept, str(STDIN)))
        yield files
