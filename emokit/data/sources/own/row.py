"""One row of a user's own table: its cells as the fields of an utterance, or why it cannot be one."""

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emokit.data.sources.own.columns import Chosen
from emokit.data.sources.own.words import split_of
from emokit.data.splits.fold_lists import FOLD_NAME
from emokit.data.utterance import OUTSIDE, TEXT_SOURCES, Utterance
from emokit.files import SURROGATE

GENDERS = {
    "f": "female",
    "female": "female",
    "w": "female",
    "woman": "female",
    "m": "male",
    "male": "male",
    "man": "male",
}
SEVERAL = (dict, list, bytes)
NO_LABEL = "no label"
NO_UNICODE = "half of a character, which is no Unicode"
NUL = "a NUL character"
NO_CONTENT = "neither a path nor a text"
OTHER_SPLIT = "a split other than train, dev and test"
WITHOUT_SPLIT = "no split"
WHOLE_NUMBER = re.compile(r"[+-]?\d+(\.0*)?")
LARGEST_TURN = 2**31 - 1  # what the column of turns can hold


class Unusable(Exception):
    """A row that cannot be an utterance: a short phrase, and the value that is wrong."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of an utterance that a row states; its path is as the row has it."""

    raw_label: str
    votes: Mapping[str, float] | None
    path: str
    text: str | None
    utterance_id: str
    speaker: str
    gender: str | None
    language: str | None
    sentence: str | None
    dialogue: str | None
    turn: int | None
    split: str | None
    fold: str | None
    start: float | None
    end: float | None
    flags: tuple[str, ...]
    text_source: str | None = None


def fields_of(cells: Mapping[str, Any], chosen: Chosen, split: str | None) -> Fields:
    """The fields of an utterance.

    Args:
        cells: name of a column -> cell.
        chosen: which columns are used.
        split: of the table, where its name has one.

    Raises:
        Unusable: the row lacks a label or a content, or has a value that is none.
    """
    several = next((key for key, name in chosen.others.items() if isinstance(cells.get(name), SEVERAL)), None)
    if several is not None:
        raise Unusable(f"{several} is no single value")
    values = {key: text_of(cells.get(name)) for key, name in chosen.others.items()}
    text = cells.get(chosen.others.get("text", ""))
    votes = _votes(cells, chosen)
    everything = "".join([*values.values(), *votes])
    if SURROGATE.search(everything):  # JSON can escape half of a character
        raise Unusable(NO_UNICODE)
    if "\0" in everything:
        raise Unusable(NUL)
    if not votes:
        raise Unusable(NO_LABEL)
    text = (text if isinstance(text, str) else text_of(text)) or None
    if not values.get("path") and (text is None or not text.strip()):
        raise Unusable(NO_CONTENT)
    own_id, fold = values.get("utterance_id", ""), values.get("fold", "")
    if "utterance_id" in values and (not own_id or OUTSIDE.search(own_id)):
        raise Unusable("no usable utterance_id", own_id)
    if fold and not FOLD_NAME.fullmatch(fold):
        raise Unusable("a fold that is neither a number nor a name", fold)
    gender = values.get("gender", "").lower()
    start, end = _seconds(values, "start"), _seconds(values, "end")
    if end is not None and end <= (start or 0):
        raise Unusable("end before its start", f"{start or 0:g} to {end:g} s")
    is_single = len(votes) == 1 and len(chosen.label) == 1
    return Fields(
        raw_label=Counter(votes).most_common(1)[0][0],
        votes=None if is_single else votes,
        path=values.get("path", ""),
        text=text,
        text_source=source if text and (source := values.get("text_source")) in TEXT_SOURCES else None,
        utterance_id=own_id,
        speaker=values.get("speaker", ""),
        gender=GENDERS.get(gender),
        language=values.get("language") or None,
        sentence=values.get("sentence") or None,
        dialogue=values.get("dialogue") or None,
        turn=_turn(values.get("turn", "")),
        split=_split(values, split),
        fold=fold or None,
        start=start,
        end=end,
        flags=("gender other than female and male, not used",) if gender and gender not in GENDERS else (),
    )


COMMON = (
    "raw_label",
    "gender",
    "language",
    "text",
    "text_source",
    "sentence",
    "turn",
    "split",
    "fold",
    "votes",
    "flags",
)


def utterance_of(corpus: str, local: str, path: str | None, fields: Fields) -> Utterance:
    """The utterance of a row, with its id within the corpus and the path of its recording."""
    is_segment = path is not None and (fields.start is not None or fields.end is not None)
    # Without a speaker, the segments of one recording belong together as the turns of a dialogue do.
    recording = path if is_segment and not fields.speaker else None
    return Utterance(
        utterance_id=f"{corpus}/{local.removeprefix(f'{corpus}/')}",
        corpus=corpus,
        path=path,
        speaker=fields.speaker or local,
        dialogue=fields.dialogue or recording,
        start_seconds=fields.start if path else None,
        end_seconds=fields.end if path else None,
        **{name: getattr(fields, name) for name in COMMON},
    )


def text_of(cell: object) -> str:
    """A cell as text without outer white space: a whole number without a fraction, empty where there is no value."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _votes(cells: Mapping[str, Any], chosen: Chosen) -> dict[str, float]:
    """Raw label -> votes: of one label, of a list of labels, of annotators, or of columns that count votes for their label."""
    if len(chosen.label) == 1:
        cell = cells.get(chosen.label[0])
        if isinstance(cell, dict | bytes):
            raise Unusable("label is no single value")
        labels = [text_of(part) for part in (cell if isinstance(cell, list | tuple) else [cell])]
        return {label: float(count) for label, count in Counter(filter(None, labels)).items()}
    values = [text_of(cells.get(name)) for name in chosen.label]
    try:
        counts = [float(value or 0) for value in values]
    except ValueError:
        return {label: float(count) for label, count in Counter(filter(None, values)).items()}
    if not (math.isfinite(sum(counts)) and all(count >= 0 for count in counts)):
        raise Unusable("votes that are no counts", ", ".join(values))
    return {label: count for label, count in zip(chosen.label, counts, strict=True) if count}


def counts_votes(cells: Mapping[str, Any], chosen: Chosen) -> bool:
    """Whether the columns of several annotators hold numbers, which count as votes for the labels that name the columns."""
    values = [text_of(cells.get(name)) for name in chosen.label]
    return len(values) > 1 and any(values) and all(value.replace(".", "", 1).isdigit() for value in values if value)


def _split(values: Mapping[str, str], of_table: str | None) -> str | None:
    word = values.get("split", "")
    if word and split_of(word) is None:
        raise Unusable(OTHER_SPLIT, word)
    if not word and "split" in values and of_table is None:
        raise Unusable(WITHOUT_SPLIT)
    return split_of(word) or of_table


def _turn(value: str) -> int | None:
    if not value:
        return None
    if not WHOLE_NUMBER.fullmatch(value):
        raise Unusable("a turn that is no whole number", value)
    if abs(number := float(value)) > LARGEST_TURN:  # with many digits, infinity
        raise Unusable(f"a turn above {LARGEST_TURN}", value)
    return int(number)


def _seconds(values: Mapping[str, str], key: str) -> float | None:
    value = values.get(key, "")
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds >= 0):
        raise Unusable(f"{key} is no number of seconds", value)
    return seconds
