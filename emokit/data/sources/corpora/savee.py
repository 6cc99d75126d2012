"""SAVEE: four Englishmen of the University of Surrey, 120 sentences each in seven emotions.

Homepage: http://kahlan.eps.surrey.ac.uk/savee (480 recordings of about 3.9 s, 44.1 kHz, mono).
Licence: for research only; request it at the homepage.
Paper: Haq and Jackson, "Speaker-dependent audio-visual emotion recognition", AVSP 2009.

Two layouts: `ALL/DC_a01.wav`, and `AudioData/DC/a01.wav` (also nested as `AudioData/AudioData`), in which the speakers
share names. The letters are the emotion, the digits the sentence: 01 to 30 for neutral, 01 to 15 for the others.

Irregularities: `sa` and `su` both begin with `s`, so the pattern matches all letters. Each emotion numbers its sentences
from 01: three are common to all emotions, two specific to it, ten generic. The recordings of 01 and 02 have the same words in
every emotion, so 01 to 03 are taken for the common ones; of the others, letters and digits together identify the sentence.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from emokit.data.sources.duplicates import left_out
from emokit.data.sources.scan import UNKNOWN_NAME, files
from emokit.data.utterance import Dropped, Utterance

EMOTIONS = {
    "a": "anger",
    "d": "disgust",
    "f": "fear",
    "h": "happiness",
    "n": "neutral",
    "sa": "sadness",
    "su": "surprise",
}

COMMON = frozenset({"01", "02", "03"})  # numbers of the sentences that all emotions have

SPEAKERS = ("DC", "JE", "JK", "KL")

STEM = re.compile(
    rf"(?:(?P<speaker>{'|'.join(SPEAKERS)})_)?"
    r"(?P<sentence>(?P<neutral>n)(?:0[1-9]|[12][0-9]|30)|(?P<emotion>sa|su|[adfh])(?:0[1-9]|1[0-5]))"
)

NO_SPEAKER = "no speaker in its name or folder"


def read(root: Path, options: Mapping[str, Any]) -> Iterator[Utterance | Dropped]:
    """Find the utterances below `root`, in both layouts. There are no options."""
    items = [_utterance(path) for path in files(root)]
    utterances = [item for item in items if isinstance(item, Utterance)]
    dropped = left_out(root, ((item.utterance_id, PurePosixPath(item.path or "")) for item in utterances))
    for item in items:
        yield item if isinstance(item, Dropped) else dropped.get(PurePosixPath(item.path or ""), item)


def _utterance(path: PurePosixPath) -> Utterance | Dropped:
    name = STEM.fullmatch(path.stem)
    if name is None:
        return Dropped(path.as_posix(), UNKNOWN_NAME)
    folder = path.parent.name if path.parent.name in SPEAKERS else None
    speaker = name["speaker"] or folder
    if speaker is None:
        return Dropped(path.as_posix(), NO_SPEAKER)
    number = name["sentence"][-2:]
    return Utterance(
        utterance_id=f"savee/{speaker}_{name['sentence']}",
        corpus="savee",
        path=path.as_posix(),
        speaker=speaker,
        raw_label=EMOTIONS[name["neutral"] or name["emotion"]],
        gender="male",
        language="en",
        sentence=number if number in COMMON else name["sentence"],
        flags=(f"in the folder of {folder}",) if folder and folder != speaker else (),
    )
