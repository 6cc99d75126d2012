"""`emokit predict` with a fused run, which asks its branches, and with `vision`, which reads faces."""

from collections.abc import Sequence
from pathlib import Path

from emokit.cli import console


def is_fused(run: Path) -> bool:
    """Whether a folder is a fused run."""
    from emokit import runs

    return (run / runs.SETTINGS).is_file() and runs.read_settings(run).get("kind") == "fusion"


def fused(
    run: Path,
    files: Sequence[Path],
    sentences: Sequence[str],
    data: Path | None,
    split: str,
    out: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """One line for each clip, sentence, or clip with its sentence; or a table for a prepared split."""
    from emokit.errors import UsageError

    if bool(files or sentences) == bool(data):
        raise UsageError("Name clips, sentences with --text, or a prepared folder with --data, one of them.")
    if data and not out:
        raise UsageError("--data was given without --out; name the parquet table to write.")
    if files and sentences and len(files) != len(sentences):
        raise UsageError(
            f"{len(files)} clips and {len(sentences)} sentences were given; give --text once for each clip."
        )

    from emokit.cli import fusion_tables as tables
    from emokit.fusion.late import predict as work
    from emokit.labels import LABELS
    from emokit.runtime import choose_device, quiet_libraries

    quiet_libraries()
    chosen = choose_device(device)
    model = work.load_model(run, chosen)
    for name, why in model.silent.items():
        console.say(f"without {name}: {why}")
    if data and out:
        for line in tables.joined({split: work.predict_split(model, data, split, out, chosen)}):
            console.say(line)
        console.done(out)
        return
    if not as_json:
        console.show("\t".join(["utterance", "label", *LABELS]))
    clips: list[Path | None] = [*files] or [None] * len(sentences)
    texts: list[str | None] = [*sentences] or [None] * len(files)
    for clip, sentence in zip(clips, texts, strict=True):
        probabilities, asked = work.predict_clip(model, clip, sentence, chosen)
        rounded = {label: round(float(p), 6) for label, p in zip(LABELS, probabilities, strict=True)}
        label = max(rounded, key=lambda name: rounded[name])
        if as_json:
            given = {"file": str(clip) if clip else None, "text": sentence}
            console.show_json({**given, "label": label, "probabilities": rounded, "modalities": asked})
        else:
            console.show("\t".join([str(clip or sentence), label, *[f"{p:.3f}" for p in rounded.values()]]))


def vision(data: Path | None, split: str, out: Path | None, as_json: bool) -> None:
    """A table of what DeepFace reads from the faces of a prepared split's clips."""
    from emokit.errors import UsageError

    if not data or not out:
        raise UsageError(
            "`emokit predict vision` needs a prepared folder with --data and the table to write with --out."
        )
    from emokit.vision import predict as work

    counts = work.predict_split(data, split, out, work.deepface())
    if as_json:
        console.show_json(counts)
        return
    console.say(f"{split}: " + ", ".join(f"{number} {what}" for what, number in counts.items()))
    console.done(out)
