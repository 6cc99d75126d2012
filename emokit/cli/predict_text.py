"""`emokit predict` with a run of text: sentences as arguments, from a file, from standard input, or a prepared split."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from emokit.cli import console
from emokit.errors import DataError, UsageError
from emokit.labels import LABELS

STDIN = "-"


def predict_text(
    run: Path,
    sentences: list[str],
    file: Path | None,
    data: Path | None,
    split: str,
    out: Path | None,
    device: str,
    trust_remote_code: bool,
    as_json: bool,
) -> None:
    """One line a sentence, in the order of the input; or a table of a prepared split."""
    if sum((bool(sentences), file is not None, data is not None)) != 1:
        raise UsageError(
            "Name sentences, a file of them with --file or a prepared folder with --data, one of the three."
        )
    if data and not out:
        raise UsageError("--data was given without --out; name the parquet table to write.")

    from emokit.runtime import choose_device, quiet_libraries
    from emokit.text import predict as work

    quiet_libraries()
    classifier = work.load_classifier(run, choose_device(device), trust_remote_code=trust_remote_code)
    if data and out:
        console.say(f"{work.predict_split(classifier, run, data, split, out)} utterances of {split}")
        console.done(out)
        return
    if not as_json:
        console.show("\t".join(["number", "label", *LABELS, "text"]))
    num_cut = number = 0
    for number, (_, text, probabilities, is_cut) in enumerate(
        work.predict_texts(classifier, _texts(sentences, file)), start=1
    ):
        label = LABELS[int(probabilities.argmax())]
        num_cut += is_cut
        if as_json:
            rounded = {label: round(float(p), 6) for label, p in zip(LABELS, probabilities, strict=True)}
            console.show_json({"number": number, "text": text, "label": label, "probabilities": rounded, "cut": is_cut})
        else:
            shown = " ".join(text.split())
            console.show("\t".join([str(number), label, *[f"{p:.3f}" for p in probabilities], shown]))
    if not number:
        raise DataError(f"{file or 'Standard input'} holds no text; give one sentence a line.")
    if num_cut:
        console.say(f"{num_cut} of {number} texts were longer than the model reads; their beginnings were read")


def _texts(sentences: list[str], file: Path | None) -> Iterator[tuple[str, str]]:
    """(name, text) of each sentence, from wherever they were named."""
    if file is not None:
        try:
            with file.open("rb") as lines:
                yield from _lines(lines, str(file))
        except OSError as error:
            raise DataError(f"{file} cannot be read ({error.strerror}); name a file of one sentence a line.") from error
    elif sentences == [STDIN]:
        yield from _lines(sys.stdin.buffer, "Standard input")
    else:
        yield from ((f"Sentence {number}", text) for number, text in enumerate(sentences, start=1))


def _lines(file: BinaryIO, name: str) -> Iterator[tuple[str, str]]:
    """The lines of a file; only a line feed ends one, since a sentence may hold what Unicode calls a line break."""
    for number, line in enumerate(file, start=1):
        where = f"{name}, line {number},"
        try:
            yield where, line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            wrong = f"byte {error.object[error.start]:#04x} at {error.start}"
            raise DataError(f"{where} is not UTF-8 ({wrong}); save it as UTF-8 text.") from error
