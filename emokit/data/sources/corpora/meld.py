"""MELD: 13,708 utterances in 1432 dialogues of the television series Friends, with audio and text, in seven emotions.

Homepage: https://affective-meld.github.io, https://github.com/declare-lab/MELD. Licence: GPL-3.0 (the repository's).
Paper: Poria et al., "MELD: A multimodal multi-party dataset for emotion recognition in conversations", ACL 2019.

Layout: `{train,dev,test}_sent_emo.csv` hold the rows; clips are `dia{Dialogue_ID}_utt{Utterance_ID}.mp4` (or .wav) in
`train_splits`, `dev_splits_complete`, `output_repeated_splits_test`, with or without a folder of the split around them,
and often with a suffix (`…_wav`). Each split numbers its dialogues from 0, so the folder determines the split of a clip.
A row without a clip is an utterance with a text and no path.

Irregularities: train 125/3 cannot be decoded and dev 110/7 is missing; dev has four clips and test one without a row,
and test has copies named `final_videos_test…`; test 38/4, test 220/0 and train 309/0 are cut wrongly (up to five
minutes), and 237 clips are shorter than 0.3 s: `prepare` decides by their length. Older CSVs contain Windows-1252
characters as control characters (U+0092 for an apostrophe), and no-break spaces. MELD_Dyadic is an excerpt with
different numbers.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from emokit.data.sources.duplicates import PREFERENCE, left_out
from emokit.data.sources.scan import UNKNOWN_NAME, files
from emokit.data.utterance import Dropped, Utterance
from emokit.errors import DataError

STEM = re.compile(r"dia(?P<dialogue>\d{1,4})_utt(?P<turn>\d{1,3})")
ANNOTATIONS = re.compile(r"(?P<split>train|dev|test)_sent_emo\.csv")
COLUMNS = ("Utterance", "Speaker", "Emotion", "Dialogue_ID", "Utterance_ID")

NO_CLIP = "no clip"
REPAIRED = "control characters repaired"

# C1 control character -> the Windows-1252 character of the same code; five codes have none and stay unchanged.
WINDOWS_1252 = {code: bytes([code]).decode("cp1252", errors="ignore") or chr(code) for code in range(0x80, 0xA0)}

Key = tuple[str, int, int]  # split, dialogue, turn


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the annotations, repaired."""

    key: Key
    text: str
    speaker: str
    emotion: str
    is_repaired: bool


def read(root: Path, options: Mapping[str, Any]) -> Iterator[Utterance | Dropped]:
    """Find the utterances below `root`; rows and clips may be in any folder. There are no options.

    Raises:
        DataError: an annotation file is not UTF-8 or lacks a column.
    """
    tables = [(path, ANNOTATIONS.fullmatch(path.name)) for path in files(root, frozenset({".csv"}))]
    copies = left_out(root, ((match["split"], path) for path, match in tables if match), is_audio=False)
    annotations: dict[str, PurePosixPath] = {}
    for path, match in tables:
        if match is None:
            yield _other_table(path)
        elif path in copies:
            yield copies[path]
        else:
            annotations[match["split"]] = path
    keyed = [(path, _key(path)) for path in sorted(files(root), key=lambda path: PREFERENCE.get(_suffix(path), 2))]
    copies = left_out(root, (((key, _suffix(path)), path) for path, key in keyed if not isinstance(key, Dropped)))
    clips: dict[Key, PurePosixPath] = {}
    for path, key in keyed:
        if isinstance(key, Dropped):
            yield key
        elif path in copies:
            yield copies[path]
        elif key in clips:
            yield Dropped(path.as_posix(), "the same clip in another format", f"taken: {clips[key].as_posix()}")
        else:
            clips[key] = path
    for split, path in annotations.items():
        for row in _rows(root, path, split):
            yield row if isinstance(row, Dropped) else _utterance(row, clips.pop(row.key, None))
    for (split, _, _), path in clips.items():
        reason = "no row in the annotations" if split in annotations else f"{split}_sent_emo.csv is missing"
        yield Dropped(path.as_posix(), reason)


def _utterance(row: Row, clip: PurePosixPath | None) -> Utterance:
    split, dialogue, turn = row.key
    return Utterance(
        utterance_id=f"meld/{split}/dia{dialogue}_utt{turn}",
        corpus="meld",
        path=clip.as_posix() if clip else None,
        speaker=row.speaker,
        raw_label=row.emotion,
        language="en",
        text=row.text,
        dialogue=f"{split}/{dialogue}",
        turn=turn,
        split=split,
        flags=(*([REPAIRED] if row.is_repaired else []), *([] if clip else [NO_CLIP])),
    )


def _key(path: PurePosixPath) -> Key | Dropped:
    """The utterance of a clip: the innermost folder that names a split, and the two numbers of the file name."""
    match = STEM.fullmatch(path.stem)
    if match is None:
        copy = path.stem.startswith("final_videos_test")
        return Dropped(path.as_posix(), "one of the final_videos_test copies" if copy else UNKNOWN_NAME)
    for folder in reversed(path.parts[:-1]):
        for word in re.split(r"[^a-z]+", folder.lower()):
            if word in ("train", "dev", "test"):
                return word, int(match["dialogue"]), int(match["turn"])
    return Dropped(path.as_posix(), "in no folder that names train, dev or test")


def _suffix(path: PurePosixPath) -> str:
    return path.suffix.lower()


def _other_table(path: PurePosixPath) -> Dropped:
    """Why a table is not one of the annotations."""
    dyadic = path.name.endswith("_sent_emo_dya.csv")
    return Dropped(path.as_posix(), "MELD_Dyadic, an excerpt of the same rows" if dyadic else UNKNOWN_NAME)


def _rows(root: Path, path: PurePosixPath, split: str) -> Iterator[Row | Dropped]:
    """The rows of an annotation file; malformed rows and repeated turns are dropped under their number."""
    seen: set[Key] = set()
    try:
        # Decoded in one piece, so that the error has the position of an invalid byte in the file.
        reader = csv.DictReader(io.StringIO((root / path).read_bytes().decode("utf-8-sig"), newline=""))
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise DataError(f"{root / path} lacks the column {missing[0]}; use the file that MELD publishes.")
        for number, cells in enumerate(reader, start=2):  # the header is row 1
            row = _row(cells, split)
            if row is None:
                yield Dropped(f"{path.as_posix()}, row {number}", "malformed row")
            elif row.key in seen:
                yield Dropped(f"{path.as_posix()}, row {number}", "a second row of the same turn")
            else:
                seen.add(row.key)
                yield row
    except UnicodeDecodeError as error:
        raise DataError(
            f"{root / path} is not UTF-8 (byte {error.object[error.start]:#04x} at {error.start}); "
            "save it as UTF-8, or use the file that MELD publishes."
        ) from error
    except csv.Error as error:
        raise DataError(f"{root / path} is no CSV ({error}); use the file that MELD publishes.") from error


def _row(cells: Mapping[str, str | None], split: str) -> Row | None:
    """A row with its text and speaker repaired; None if a cell is missing or a number invalid."""
    text, speaker, emotion, dialogue, turn = (cells[column] or "" for column in COLUMNS)
    if not (text and speaker and emotion and dialogue.isdecimal() and turn.isdecimal()):
        return None
    return Row(
        key=(split, int(dialogue), int(turn)),
        text=repaired(text),
        speaker=repaired(speaker),
        emotion=emotion,
        is_repaired=(repaired(text), repaired(speaker)) != (text, speaker),
    )


def repaired(text: str) -> str:
    """Text of older CSVs as in the present ones: curly quotes instead of control characters, plain spaces."""
    return text.translate(WINDOWS_1252).replace("\xa0", " ")
