"""GoEmotions: 54,263 English Reddit comments, each with one or more of 27 emotions or neutral; text without audio.

Homepage: https://github.com/google-research/google-research/tree/master/goemotions. Licence: data CC BY 4.0.
Paper: Demszky et al., "GoEmotions: A dataset of fine-grained emotions", ACL 2020.

Layout: `train.tsv`, `dev.tsv`, `test.tsv` without a header: text, label numbers joined by commas, comment id. A number
is an index into `labels.txt` (`emotions.txt` in the source), whose order is that of `EMOTIONS`; neutral is 27.

Labels: 45,446 comments have one label. The `labels` map of datasets.yaml maps the emotions (by default by the paper's
Ekman grouping); `mapping: literal` keeps only comments with the emotions in `LITERAL`. With `conflicts: merge-same-group`
a comment with several emotions is yielded too, with the raw label `anger+annoyance`; it has a label if all its emotions
map to the same one (49,469 comments do under the Ekman grouping). With `conflicts: soft` it has a vote for each emotion.

Irregularities: 1097 training texts contain quotation marks that are not CSV quoting; some texts occur more than once,
also in two splits; a clone of a reimplementation contains regrouped copies in the folders `ekman` and `group`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from emokit.data.sources.duplicates import left_out
from emokit.data.sources.scan import UNKNOWN_NAME, files
from emokit.data.utterance import SPLITS, Dropped, Utterance
from emokit.errors import DataError, UsageError

# fmt: off
EMOTIONS = (
    "admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion", "curiosity", "desire",
    "disappointment", "disapproval", "disgust", "embarrassment", "excitement", "fear", "gratitude", "grief", "joy",
    "love", "nervousness", "optimism", "pride", "realization", "relief", "remorse", "sadness", "surprise", "neutral",
)
# fmt: on
LITERAL = frozenset({"anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise"})
LABEL_FILES = ("labels.txt", "emotions.txt")
ANNOTATIONS = re.compile(r"(?:train|dev|test)\.tsv|labels\.txt|emotions\.txt")
REGROUPED = ("ekman", "group")

OPTIONS = {"mapping": ("ekman", "literal"), "conflicts": ("drop", "merge-same-group", "soft")}


def read(root: Path, options: Mapping[str, Any]) -> Iterator[Utterance | Dropped]:
    """Find the utterances below `root`.

    Args:
        root: the folder of the TSVs, or any folder above it.
        options: `mapping`: `ekman` (the default: all 28 emotions) or `literal` (only those in `LITERAL`); `conflicts`:
            for comments with several emotions: `drop` (the default), `merge-same-group` (yielded with their emotions joined
            by `+`; the label map decides) or `soft` (each emotion is a vote).

    Raises:
        UsageError: an option has an unknown value.
        DataError: a file is not UTF-8.
    """
    for name, known in OPTIONS.items():
        if options.get(name, known[0]) not in known:
            raise UsageError(f"goemotions has the option {name}: {options[name]}; expected {' or '.join(known)}.")
    literal = options.get("mapping") == "literal"
    conflicts = options.get("conflicts", "drop")
    listed = [(path, _other_file(path)) for path in files(root, frozenset({".tsv"}))]
    copies = left_out(root, ((path.stem, path) for path, other in listed if not other), is_audio=False)
    chosen: dict[str, PurePosixPath] = {}
    for path, other in listed:
        if other or path in copies:
            yield other or copies[path]
        else:
            chosen[path.stem] = path
    seen: set[str] = set()
    for split, path in chosen.items():
        for row in _rows(root, path, split):
            if isinstance(row, Dropped):
                yield row
                continue
            emotions = row.raw_label.split("+")
            if row.utterance_id in seen:
                yield Dropped(row.utterance_id, "a second row of the same comment", path.as_posix())
            elif len(emotions) > 1 and conflicts == "drop":
                yield Dropped(row.utterance_id, "several labels", row.raw_label)
            elif literal and not LITERAL.issuperset(emotions):
                yield Dropped(row.utterance_id, "not in the literal mapping", row.raw_label)
            elif len(emotions) > 1 and conflicts == "soft":
                yield replace(row, votes=dict.fromkeys(emotions, 1.0))
            else:
                yield row
            seen.add(row.utterance_id)


def _other_file(path: PurePosixPath) -> Dropped | None:
    """Why a file is not one of the three; None if it is."""
    if path.stem not in SPLITS:
        return Dropped(path.as_posix(), UNKNOWN_NAME)
    if path.parent.name in REGROUPED:
        return Dropped(path.as_posix(), "a regrouped copy of the labels")
    return None


def _rows(root: Path, path: PurePosixPath, split: str) -> Iterator[Utterance | Dropped]:
    """Every row of a split, its emotions joined by `+`; malformed rows are dropped under their number."""
    emotions = _emotions((root / path).parent)
    for number, line in enumerate(_lines(root / path), start=1):
        match line.split("\t"):
            case [text, numbers, comment] if text and comment and (labels := _labels(numbers, emotions)):
                yield Utterance(
                    utterance_id=f"goemotions/{comment}",
                    corpus="goemotions",
                    path=None,
                    # The corpus has no authors: each comment is a speaker.
                    speaker=comment,
                    raw_label="+".join(labels),
                    language="en",
                    text=text,
                    split=split,
                )
            case _:
                yield Dropped(f"{path.as_posix()}, row {number}", "malformed row")


def _emotions(folder: Path) -> tuple[str, ...]:
    """The emotions by number, from the list beside the TSV, else in the published order."""
    for name in LABEL_FILES:
        if (folder / name).is_file():
            return tuple(line.strip() for line in _lines(folder / name) if line.strip())
    return EMOTIONS


def _labels(cell: str, emotions: tuple[str, ...]) -> list[str] | None:
    """`2,3` -> anger, annoyance; None for an invalid number."""
    numbers = cell.split(",")
    if not all(number.isdecimal() and int(number) < len(emotions) for number in numbers):
        return None
    return [emotions[int(number)] for number in numbers]


def _lines(path: Path) -> list[str]:
    """Lines, split at newlines only: a comment may contain Unicode line breaks and unpaired quotation marks."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 (byte {error.object[error.start]:#04x} at {error.start}); use the published file."
        ) from error
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n")
