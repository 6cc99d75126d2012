"""MSP-Podcast: segments of podcasts with one speaker each, rated by listeners; 264,705 with labels in release 2.0.

Homepage: https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Podcast.html (more than 400 hours, 16 kHz, mono).
Licence: the university's, for academic or commercial use; request it at the homepage.
Paper: Lotfian and Busso, "Building naturalistic emotionally balanced speech corpus by retrieving emotional speech from
existing podcast recordings", IEEE Transactions on Affective Computing 10(4), 2019.

Layout: `Labels/labels_consensus.csv` with the columns FileName, EmoClass, SpkrID, Gender, Split_Set and ratings of
arousal, valence and dominance; `Audios/MSP-PODCAST_0001_0008.wav` (`Audio` in older releases), 16 kHz, mono; and
`Transcripts/MSP-PODCAST_0001_0008.txt`. The first number of a name is the podcast, the others the segment.

Labels: the raters' plurality: A angry, S sad, H happy, U surprise, F fear, D disgust, C contempt, N neutral, O other, and X
where they do not agree. Splits: Train, Development, and three test sets, of which Test1 is the usual one; Test2 was not
selected by emotion; the labels of Test3 are not published. Test sets share speakers with each other.

Irregularities: older releases write `labels_concensus.csv`; the folder of previous releases has tables and recordings of
its own; the speaker of some segments is `Unknown`: those of one podcast count as one speaker here, as they often are.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from emokit.data.sources.duplicates import left_out
from emokit.data.sources.scan import UNKNOWN_NAME, files
from emokit.data.utterance import Dropped, Utterance
from emokit.errors import DataError, UsageError

EMOTIONS = ("A", "C", "D", "F", "H", "N", "O", "S", "U", "X")

STEM = re.compile(r"MSP-PODCAST_(?P<podcast>\w+?)_(?P<segment>\d+)(?:_\d+)*")
TABLE = re.compile(r"labels_con[sc]ensus\.csv")
ANNOTATIONS = re.compile(rf"{TABLE.pattern}|{STEM.pattern}\.txt")
COLUMNS = ("FileName", "EmoClass", "SpkrID", "Gender", "Split_Set")
SPLITS = {"Train": "train", "Development": "dev"}
TESTS = ("Test1", "Test2", "Test3")
GENDERS = {"Female": "female", "Male": "male"}

NO_RECORDING = "no recording"
NO_TRANSCRIPT = "no transcript"
NEITHER = "no recording and no transcript"
NO_ROW = "no row in the labels"
NO_SPEAKER = "speaker unknown"
SECOND_ROW = "a second row of the same segment"


def read(root: Path, options: Mapping[str, Any]) -> Iterator[Utterance | Dropped]:
    """Find the utterances below `root`, the folder of a release or one above it.

    Args:
        root: the folder.
        options: `test_sets`: a list of Test1, Test2, Test3, which are the test split; Test1 only by default.

    Raises:
        UsageError: a test set is unknown.
        DataError: the labels are not UTF-8 or lack a column.
    """
    test_sets = options.get("test_sets", ["Test1"])
    if not isinstance(test_sets, list | tuple) or not test_sets or any(name not in TESTS for name in test_sets):
        raise UsageError(f"msp_podcast has the option test_sets: {test_sets}; expected a list of {', '.join(TESTS)}.")
    recordings: dict[str, PurePosixPath] = {}
    for item in _recordings(root):
        if isinstance(item, Dropped):
            yield item
        else:
            recordings[item.stem] = item
    transcripts = {path.stem: path for path in files(root, frozenset({".txt"})) if STEM.fullmatch(path.stem)}
    tables = [path for path in files(root, frozenset({".csv"})) if TABLE.fullmatch(path.name)]
    # The first one is the least deep: those of previous releases are in a folder of their own.
    yield from left_out(root, (("labels", path) for path in tables), is_audio=False).values()
    for row in _rows(root, tables[0]) if tables else ():
        if isinstance(row, Dropped):
            yield row
        else:
            stem = PurePosixPath(row["FileName"]).stem
            yield _utterance(root, row, recordings.pop(stem, None), transcripts.get(stem), test_sets)
    for path in recordings.values():
        yield Dropped(path.as_posix(), NO_ROW if tables else "labels_consensus.csv is missing")


def _recordings(root: Path) -> Iterator[PurePosixPath | Dropped]:
    """The recordings of segments, one each; all other audio as `Dropped`."""
    listed = [(path, STEM.fullmatch(path.stem)) for path in files(root)]
    copies = left_out(root, ((path.stem, path) for path, match in listed if match))
    for path, match in listed:
        yield copies.get(path, path) if match else Dropped(path.as_posix(), UNKNOWN_NAME)


def _rows(root: Path, path: PurePosixPath) -> Iterator[dict[str, str] | Dropped]:
    """The rows of the labels; malformed and repeated ones are dropped under their number."""
    seen: set[str] = set()
    try:
        # Decoded in one piece, so that the error has the position of an invalid byte in the file.
        reader = csv.DictReader(io.StringIO((root / path).read_bytes().decode("utf-8-sig"), newline=""))
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise DataError(f"{root / path} lacks the column {missing[0]}; use the file of the release.")
        for number, cells in enumerate(reader, start=2):  # the header is row 1
            row = {column: (cells[column] or "").strip() for column in COLUMNS}
            place = f"{path.as_posix()}, row {number}"
            if not (STEM.fullmatch(PurePosixPath(row["FileName"]).stem) and row["EmoClass"]):
                yield Dropped(place, "malformed row")
            elif row["FileName"] in seen:
                yield Dropped(place, SECOND_ROW, row["FileName"])
            else:
                seen.add(row["FileName"])
                yield row
    except UnicodeDecodeError as error:
        raise DataError(
            f"{root / path} is not UTF-8 (byte {error.object[error.start]:#04x} at {error.start}); "
            "use the file of the release."
        ) from error
    except csv.Error as error:
        raise DataError(f"{root / path} is no CSV ({error}); use the file of the release.") from error


def _utterance(
    root: Path,
    row: Mapping[str, str],
    path: PurePosixPath | None,
    transcript: PurePosixPath | None,
    test_sets: list[str] | tuple[str, ...],
) -> Utterance | Dropped:
    stem, part = PurePosixPath(row["FileName"]).stem, row["Split_Set"]
    name = path.as_posix() if path else f"msp_podcast/{stem}"
    split = SPLITS.get(part, "test" if part in test_sets else None)
    if split is None:
        return Dropped(
            name, f"{part}, which the option test_sets leaves out" if part in TESTS else "unknown Split_Set", part
        )
    text = _text(root / transcript) if transcript else None
    if path is None and not text:
        return Dropped(name, NEITHER)
    match = STEM.fullmatch(stem)
    podcast, segment = (match["podcast"], int(match["segment"])) if match else ("", 0)
    is_known = row["SpkrID"] not in ("", "Unknown")
    return Utterance(
        utterance_id=f"msp_podcast/{stem}",
        corpus="msp_podcast",
        path=path.as_posix() if path else None,
        speaker=row["SpkrID"] if is_known else f"unknown of {podcast}",
        raw_label=row["EmoClass"],
        gender=GENDERS.get(row["Gender"]),
        language="en",
        text=text or None,
        dialogue=podcast,
        turn=segment,
        split=split,
        flags=(
            *([] if path else [NO_RECORDING]),
            *([] if text else [NO_TRANSCRIPT]),
            *([] if is_known else [NO_SPEAKER]),
        ),
    )


def _text(path: Path) -> str:
    """The text of a transcript, in UTF-8; characters of other encodings are replaced."""
    return " ".join(path.read_bytes().decode("utf-8-sig", errors="replace").split())
