"""IEMOCAP: 10,039 turns of ten actors in 151 acted dialogues, five sessions of a woman and a man, with transcripts.

Homepage: https://sail.usc.edu/iemocap (about 12 hours, 16 kHz, mono). Licence: for research only; request it at the homepage.
Paper: Busso et al., "IEMOCAP: Interactive emotional dyadic motion capture database", Language Resources and Evaluation
42(4), 2008.

Layout: `Session1` to `Session5`, each with `sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav`, one file per turn;
`dialog/EmoEvaluation/Ses01F_impro01.txt`, a line `[start - end] TURN emotion [valence, activation, dominance]` per turn,
separated by tabs, above the lines of its raters; `dialog/transcriptions/Ses01F_impro01.txt`, a line
`TURN [start-end]: text` per turn. The first F or M of a name is the actor who wears the markers, the last one the speaker.

Emotions: the raters' majority, one of ang hap exc sad neu fru fea sur dis oth, and xxx where they have none. Published
results use four classes, 5,531 turns: angry, sad, neutral, and happy with excited.

Irregularities: `EmoEvaluation` has folders with the raters' own files, which are not read, and `dialog` has the recordings
and videos of whole dialogues; transcripts have further lines, such as `TURN_MXX0`, for turns without a label; copies made
with macOS have a `._` file beside many files. The actors of all sessions perform the same three scripts, so that texts
repeat between sessions.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from emokit.data.sources.duplicates import left_out
from emokit.data.sources.scan import UNKNOWN_NAME, files
from emokit.data.utterance import Dropped, Utterance

EMOTIONS = ("ang", "dis", "exc", "fea", "fru", "hap", "neu", "oth", "sad", "sur", "xxx")

DIALOGUE = r"(?P<session>Ses0[1-5])[FM]_(?:impro|script)\d\d(?:_\d)?[a-z]?"
STEM = re.compile(rf"(?P<dialogue>{DIALOGUE})_(?P<gender>[FM])\d{{3}}")
WHOLE_DIALOGUE = re.compile(DIALOGUE)
ANNOTATIONS = re.compile(rf"{DIALOGUE}\.txt")
LABELS, TRANSCRIPTS = "EmoEvaluation", "transcriptions"  # folders of annotations, with files of the same names

ROW = re.compile(r"\[(?P<start>\d+(?:\.\d+)?)\s*-\s*[\d.]+\]\s+(?P<turn>\S+)\s+(?P<emotion>\w+)\s+\[[^\]]*\]")
LINE = re.compile(r"(?P<turn>\S+)\s+\[[\d.]+-[\d.]+\]:\s*(?P<text>.*)")

NO_RECORDING = "no recording"
NO_TRANSCRIPT = "no transcript"
NEITHER = "no recording and no transcript"
NO_ROW = f"no row in {LABELS}"
OF_A_DIALOGUE = "a whole dialogue, whose turns have files of their own"
UNKNOWN_TURN = "unknown name of a turn"
SECOND_ROW = "a second row of the same turn"


@dataclass(frozen=True, slots=True)
class Turn:
    """One row of the annotations."""

    name: re.Match[str]
    start_seconds: float
    """Where it begins in its dialogue."""
    emotion: str


def read(root: Path, options: Mapping[str, Any]) -> Iterator[Utterance | Dropped]:
    """Find the utterances below `root`, the folder of the sessions or one above it. There are no options.

    A turn without a recording is an utterance with a text and no path; one without both is dropped.
    """
    recordings: dict[str, PurePosixPath] = {}
    for item in _recordings(root):
        if isinstance(item, Dropped):
            yield item
        else:
            recordings[item.stem] = item
    tables = [path for path in files(root, frozenset({".txt"})) if ANNOTATIONS.fullmatch(path.name)]
    copies = left_out(root, ((path.parts[-2:], path) for path in tables if _is_annotation(path)), is_audio=False)
    yield from copies.values()
    annotations = [path for path in tables if _is_annotation(path) and path not in copies]
    texts: dict[str, str] = {}
    for path in annotations:
        if path.parent.name == TRANSCRIPTS:
            texts |= _texts(root / path)
    for path in annotations:
        if path.parent.name == LABELS:
            turns = []
            for row in _rows(root, path):
                if isinstance(row, Dropped):
                    yield row
                else:
                    turns.append(row)
            turns.sort(key=lambda turn: (turn.start_seconds, turn.name[0]))
            for number, turn in enumerate(turns):
                yield _utterance(turn, number, recordings.pop(turn.name[0], None), texts.get(turn.name[0]))
    for path in recordings.values():
        yield Dropped(path.as_posix(), NO_ROW)


def _recordings(root: Path) -> Iterator[PurePosixPath | Dropped]:
    """The recordings of turns, one each; all other audio and video as `Dropped`."""
    listed = [(path, STEM.fullmatch(path.stem)) for path in files(root)]
    copies = left_out(root, ((path.stem, path) for path, match in listed if match))
    for path, match in listed:
        if match is None:
            yield Dropped(path.as_posix(), OF_A_DIALOGUE if WHOLE_DIALOGUE.fullmatch(path.stem) else UNKNOWN_NAME)
        else:
            yield copies.get(path, path)


def _is_annotation(path: PurePosixPath) -> bool:
    """Whether a text file named like a dialogue has its labels or transcripts; others have motion capture."""
    return path.parent.name in (LABELS, TRANSCRIPTS)


def _rows(root: Path, path: PurePosixPath) -> Iterator[Turn | Dropped]:
    """The turns of a file of labels; lines of single raters, and blank ones, are passed over."""
    seen: set[str] = set()
    for number, line in enumerate(_lines(root / path), start=1):
        if not line.startswith("["):
            continue
        place = f"{path.as_posix()}, line {number}"
        row = ROW.fullmatch(line)
        name = STEM.fullmatch(row["turn"]) if row else None
        if row is None:
            yield Dropped(place, "malformed row")
        elif name is None or name["dialogue"] != path.stem:
            yield Dropped(place, UNKNOWN_TURN, row["turn"])
        elif name[0] in seen:
            yield Dropped(place, SECOND_ROW, name[0])
        else:
            seen.add(name[0])
            yield Turn(name, float(row["start"]), row["emotion"])


def _texts(path: Path) -> dict[str, str]:
    """Turn -> text of a transcript; lines of other forms, without times, belong to no turn."""
    lines = (LINE.fullmatch(line) for line in _lines(path))
    return {line["turn"]: line["text"].strip() for line in lines if line and line["text"].strip()}


def _lines(path: Path) -> list[str]:
    """The lines of a file, in UTF-8 or, where they are not, in Windows-1252."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    return [line.strip() for line in text.splitlines()]


def _utterance(turn: Turn, number: int, path: PurePosixPath | None, text: str | None) -> Utterance | Dropped:
    utterance_id = f"iemocap/{turn.name[0]}"
    if path is None and text is None:
        return Dropped(utterance_id, NEITHER)
    gender = turn.name["gender"]
    return Utterance(
        utterance_id=utterance_id,
        corpus="iemocap",
        path=path.as_posix() if path else None,
        speaker=turn.name["session"] + gender,
        raw_label=turn.emotion,
        gender="female" if gender == "F" else "male",
        language="en",
        text=text,
        dialogue=turn.name["dialogue"],
        turn=number,
        flags=(*([] if path else [NO_RECORDING]), *([] if text else [NO_TRANSCRIPT])),
    )
