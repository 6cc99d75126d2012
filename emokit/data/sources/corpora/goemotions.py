"""GoEmotions: 54,263 English Reddit comments, each with one or more of 27 emotions or neutral; text without sound.

Homepage: https://github.com/google-research/google-research/tree/master/goemotions. Licence: data CC BY 4.0.
Paper: Demszky et al., "GoEmotions: A dataset of fine-grained emotions", ACL 2020.

Layout: `train.tsv`, `dev.tsv`, `test.tsv` without a header: text, label numbers joined by commas, comment id. Numbers
count the lines of `labels.txt` (`emotions.txt` in the source), which is the order below; neutral is 27.

Labels: 45,446 comments have one label. What the words become is the `labels` map of datasets.yaml (by default the
paper's Ekman grouping); `mapping: literal` keeps only comments whose words are themselves one of the seven.
With `conflicts: merge-same-group` a comment of several words is yielded too, with the raw label `anger+annoyance`; it
belongs to a class where all of its words do (49,469 comments do under the Ekman grouping).

Traps: 1097 training texts contain quotation marks that quote nothing in the sense of CSV; some texts occur more than
once, also in two splits; a clone of a reimplementation holds regrouped copies in `ekman` and `group` folders.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from emokit.data.sources.scan import COPY, OTHER_CONTENT, UNKNOWN_NAME, files
from emokit.data.utterance import SPLITS, Dropped, Utterance
from emokit.errors import DataError, UsageError

# fmt: off
WORDS = (
    "admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion", "curiosity", "desire",
    "disappointment", "disapproval", "disgust", "embarrassment", "excitement", "fear", "gratitude", "grief", "joy",
    "love", "nervousness", "optimism", "pride", "realization", "relief", "remorse", "sadness", "surprise", "neutral",
)
# fmt: on
LITERAL = frozenset({"anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise"})
WORD_LISTS = ("labels.txt", "emotions.txt")
REGROUPED = ("ekman", "group")

OPTIONS = {"mapping": ("ekman", "literal"), "conflicts": ("drop", "merge-same-group")}


def read(root: Path, options: Mapping[str, Any]) -> Iterator[Utterance | Dropped]:
    """Find the corpus below `root`.

    Args:
        root: the folder of the TSVs, or any above it.
        options: `mapping`: `ekman` (the default: all 28 words) or `literal` (only the seven words); `conflicts`: what
            becomes of comments with several labels: `drop` (the default) or `merge-same-group` (yielded with their
            words joined by `+`, for the map of labels to decide).

    Raises:
        UsageError: an option has another value.
        DataError: a file is not UTF-8.
    """
    for name, known in OPTIONS.items():
        if options.get(name, known[0]) not in known:
            raise UsageError(f"goemotions has the option {name}: {options[name]}; expected {' or '.join(known)}.")
    literal = options.get("mapping") == "literal"
    merge = options.get("conflicts") == "merge-same-group"
    chosen: dict[str, PurePosixPath] = {}
    for path in files(root, frozenset({".tsv"})):
        dropped = _left_out(root, path, chosen.get(path.stem))
        if dropped:
            yield dropped
        else:
            chosen[path.stem] = path
    seen: set[str] = set()
    for split, path in chosen.items():
        for row in _rows(root, path, split):
            if isinstance(row, Dropped):
                yield row
                continue
            words = row.raw_label.split("+")
            if row.utterance_id in seen:
                yield Dropped(row.utterance_id, "a second row of the same comment", path.as_posix())
            elif len(words) > 1 and not merge:
                yield Dropped(row.utterance_id, "several labels", row.raw_label)
            elif literal and not LITERAL.issuperset(words):
                yield Dropped(row.utterance_id, "not literally one of the seven", row.raw_label)
            else:
                yield row
            seen.add(row.utterance_id)


def _left_out(root: Path, path: PurePosixPath, taken: PurePosixPath | None) -> Dropped | None:
    """Why a file is not one of the three; None where it is."""
    if path.stem not in SPLITS:
        return Dropped(path.as_posix(), UNKNOWN_NAME)
    if path.parent.name in REGROUPED:
        return Dropped(path.as_posix(), "a regrouped copy of the labels")
    if taken:
        same = (root / taken).stat().st_size == (root / path).stat().st_size
        return Dropped(path.as_posix(), COPY if same else OTHER_CONTENT, f"taken: {taken.as_posix()}")
    return None


def _rows(root: Path, path: PurePosixPath, split: str) -> Iterator[Utterance | Dropped]:
    """Every row of a split, its words joined by `+`; rows out of form are dropped under their number."""
    words = _words((root / path).parent)
    for number, line in enumerate(_lines(root / path), start=1):
        match line.split("\t"):
            case [text, numbers, comment] if text and comment and (labels := _labels(numbers, words)):
                yield Utterance(
                    utterance_id=f"goemotions/{comment}",
                    corpus="goemotions",
                    path=None,
                    # Authors are not part of the corpus: every comment stands for itself.
                    speaker=comment,
                    raw_label="+".join(labels),
                    language="en",
                    text=text,
                    split=split,
                )
            case _:
                yield Dropped(f"{path.as_posix()}, row {number}", "a row out of form")


def _words(folder: Path) -> tuple[str, ...]:
    """The words that the numbers count, from the list beside the TSV, else the published order."""
    for name in WORD_LISTS:
        if (folder / name).is_file():
            return tuple(line.strip() for line in _lines(folder / name) if line.strip())
    return WORDS


def _labels(cell: str, words: tuple[str, ...]) -> list[str] | None:
    """`2,3` -> anger, annoyance; None where a number is none or too large."""
    numbers = cell.split(",")
    if not all(number.isdecimal() and int(number) < len(words) for number in numbers):
        return None
    return [words[int(number)] for number in numbers]


def _lines(path: Path) -> list[str]:
    """Lines as the file ends them: a comment may hold what Unicode calls a line break, and quotes mean nothing."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 (byte {error.object[error.start]:#04x} at {error.start}); take it as it is published."
        ) from error
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n")
