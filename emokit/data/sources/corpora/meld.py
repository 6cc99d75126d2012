"""MELD: 13,708 utterances in 1432 dialogues of the television series Friends, with sound and text, in seven emotions.

Homepage: https://affective-meld.github.io, https://github.com/declare-lab/MELD. Licence: GPL-3.0 (the repository's).
Paper: Poria et al., "MELD: A multimodal multi-party dataset for emotion recognition in conversations", ACL 2019.

Layout: `{train,dev,test}_sent_emo.csv` give the rows; clips are `dia{Dialogue_ID}_utt{Utterance_ID}.mp4` (or .wav) in
`train_splits`, `dev_splits_complete`, `output_repeated_splits_test`, with a folder of the split around them or not, and
often with a word behind (`…_wav`). Dialogue numbers begin anew in every split, so a clip belongs to the split that its
folder names. A row without a clip is still an utterance: its text, with no path.

Traps: train 125/3 cannot be decoded and dev 110/7 is absent; dev has four clips and test one without a row, and test
has copies named `final_videos_test…`; test 38/4, test 220/0 and train 309/0 are cut wrongly (up to five minutes), and
237 clips are shorter than 0.3 s: their length shows it, so `prepare` decides. Older CSVs hold Windows-1252 characters
as control characters (U+0092 for an apostrophe), and no-break spaces. MELD_Dyadic is an excerpt with its own numbers.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from emokit.data.sources.scan import COPY, OTHER_CONTENT, SOUND_ENDINGS, UNKNOWN_NAME, files
from emokit.data.utterance import Dropped, Utterance
from emokit.errors import DataError

STEM = re.compile(r"dia(?P<dialogue>\d{1,4})_utt(?P<turn>\d{1,3})")
ANNOTATIONS = re.compile(r"(?P<split>train|dev|test)_sent_emo\.csv")
COLUMNS = ("Utterance", "Speaker", "Emotion", "Dialogue_ID", "Utterance_ID")

# Sound that needs no unpacking first, video last.
PREFERENCE = {".wav": 0, ".flac": 1}

NO_CLIP = "no clip"
MENDED = "control characters mended"

# What Windows-1252 has where Unicode has the C1 controls; five places are empty there and stay as they are.
CURLY = {code: bytes([code]).decode("cp1252", errors="ignore") or chr(code) for code in range(0x80, 0xA0)}

Key = tuple[str, int, int]  # split, dialogue, turn


@dataclass(frozen=True, slots=True)
class Row:
    """What a row of the annotations says, mended."""

    key: Key
    text: str
    speaker: str
    emotion: str
    mended: bool


def read(root: Path, options: Mapping[str, Any]) -> Iterator[Utterance | Dropped]:
    """Find the corpus below `root`: rows and clips may lie in any of its folders; it has no options.

    Raises:
        DataError: an annotation file is not UTF-8 or lacks a column.
    """
    annotations: dict[str, PurePosixPath] = {}
    for path in files(root, frozenset({".csv"})):
        match = ANNOTATIONS.fullmatch(path.name)
        if match and match["split"] not in annotations:
            annotations[match["split"]] = path
        else:
            yield _left_out(root, path, annotations.get(match["split"]) if match else None)
    clips: dict[Key, PurePosixPath] = {}
    for path in sorted(files(root, SOUND_ENDINGS), key=lambda path: PREFERENCE.get(path.suffix.lower(), 2)):
        key = _key(path)
        if isinstance(key, Dropped):
            yield key
        elif key not in clips:
            clips[key] = path
        elif clips[key].suffix.lower() != path.suffix.lower():
            yield Dropped(path.as_posix(), "the same clip with another ending", f"taken: {clips[key].as_posix()}")
        else:
            yield _left_out(root, path, clips[key])
    for split, path in annotations.items():
        for row in _rows(root, path, split):
            yield row if isinstance(row, Dropped) else _utterance(row, clips.pop(row.key, None))
    for (split, _, _), path in clips.items():
        reason = "no row in the annotations" if split in annotations else f"{split}_sent_emo.csv is not there"
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
        flags=(*([MENDED] if row.mended else []), *([] if clip else [NO_CLIP])),
    )


def _key(path: PurePosixPath) -> Key | Dropped:
    """Whose clip this is: the innermost folder that names a split, and the two numbers of the name."""
    match = STEM.fullmatch(path.stem)
    if match is None:
        copy = path.stem.startswith("final_videos_test")
        return Dropped(path.as_posix(), "one of the final_videos_test copies" if copy else UNKNOWN_NAME)
    for folder in reversed(path.parts[:-1]):
        for word in re.split(r"[^a-z]+", folder.lower()):
            if word in ("train", "dev", "test"):
                return word, int(match["dialogue"]), int(match["turn"])
    return Dropped(path.as_posix(), "in no folder that names train, dev or test")


def _left_out(root: Path, path: PurePosixPath, taken: PurePosixPath | None) -> Dropped:
    """Why a file is not used: another one was taken, or it is no annotation that MELD has."""
    if taken:
        same = (root / taken).stat().st_size == (root / path).stat().st_size
        return Dropped(path.as_posix(), COPY if same else OTHER_CONTENT, f"taken: {taken.as_posix()}")
    dyadic = path.name.endswith("_sent_emo_dya.csv")
    return Dropped(path.as_posix(), "MELD_Dyadic, an excerpt of the same rows" if dyadic else UNKNOWN_NAME)


def _rows(root: Path, path: PurePosixPath, split: str) -> Iterator[Row | Dropped]:
    """The rows of an annotation file; a row out of form, or of a turn that came before, is dropped under its number."""
    seen: set[Key] = set()
    try:
        # Decoded as a whole, so that the place of a wrong byte is its place in the file.
        reader = csv.DictReader(io.StringIO((root / path).read_bytes().decode("utf-8-sig"), newline=""))
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise DataError(f"{root / path} lacks the column {missing[0]}; take the file as MELD publishes it.")
        for number, cells in enumerate(reader, start=1):
            row = _row(cells, split)
            if row is None:
                yield Dropped(f"{path.as_posix()}, row {number}", "a row out of form")
            elif row.key in seen:
                yield Dropped(f"{path.as_posix()}, row {number}", "a second row of the same turn")
            else:
                seen.add(row.key)
                yield row
    except UnicodeDecodeError as error:
        raise DataError(
            f"{root / path} is not UTF-8 (byte {error.object[error.start]:#04x} at {error.start}); "
            "save it as UTF-8, or take the file as MELD publishes it."
        ) from error
    except csv.Error as error:
        raise DataError(f"{root / path} is no CSV ({error}); take the file as MELD publishes it.") from error


def _row(cells: Mapping[str, str | None], split: str) -> Row | None:
    """A row with its text and speaker mended; None where a cell is missing or a number is none."""
    text, speaker, emotion, dialogue, turn = (cells[column] or "" for column in COLUMNS)
    if not (text and speaker and emotion and dialogue.isdecimal() and turn.isdecimal()):
        return None
    return Row(
        key=(split, int(dialogue), int(turn)),
        text=mended(text),
        speaker=mended(speaker),
        emotion=emotion,
        mended=(mended(text), mended(speaker)) != (text, speaker),
    )


def mended(text: str) -> str:
    """The text of older CSVs as the present ones have it: curly quotes for control characters, plain spaces."""
    return text.translate(CURLY).replace("\xa0", " ")
