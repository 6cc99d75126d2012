"""`emokit predict` of a run of sound: files, folders of them, or a prepared split."""

from pathlib import Path

import typer

from emokit.cli import console


def predict_audio(
    run: Path, paths: list[Path], data: Path | None, split: str, out: Path | None, device: str, as_json: bool
) -> None:
    """Seven probabilities for each sound file, one line a file; or a table of them for a prepared split."""
    from emokit.errors import DataError, UsageError

    if bool(paths) == bool(data):
        raise UsageError("Name sound files or a prepared folder with --data, one of the two.")
    if data and not out:
        raise UsageError("--data was given without --out; name the parquet table to write.")
    if out and out.exists():
        raise UsageError(f"{out} exists; name another --out, or delete it.")

    from emokit.audio import predict as work
    from emokit.labels import LABELS
    from emokit.runtime import choose_device, quiet_libraries

    quiet_libraries()
    files = work.find_sounds(paths)
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
        console.show("\t".join(["file", "label", *LABELS]))
    failed = 0
    for path, found in work.predict_files(model, files, chosen):
        if isinstance(found, DataError):
            failed += 1
            console.say(f"error: {found}")
            continue
        rounded = {label: round(float(p), 6) for label, p in zip(LABELS, found, strict=True)}
        label = max(rounded, key=lambda name: rounded[name])
        if as_json:
            console.show_json({"file": str(path), "label": label, "probabilities": rounded})
        else:
            console.show("\t".join([str(path), label, *[f"{p:.3f}" for p in rounded.values()]]))
    if failed:
        console.say(f"{failed} of {len(files)} files could not be used")
        raise typer.Exit(DataError.exit_code)
