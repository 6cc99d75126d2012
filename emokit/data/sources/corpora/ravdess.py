"""RAVDESS: 24 professional actors, two sentences in eight emotions, each at two intensities and twice.

Homepage: https://zenodo.org/records/1188976 (`Audio_Speech_Actors_01-24.zip`: 1440 recordings of about 3.7 s, 48 kHz).
Licence: CC BY-NC-SA 4.0.
Paper: Livingstone and Russo, "The Ryerson Audio-Visual Database of Emotional Speech and Song", PLoS ONE 13(5), 2018.

Names such as `03-01-05-01-02-01-12`: modality (01 video with audio, 02 video, 03 audio), channel (01 speech, 02 song),
emotion, intensity (01 normal, 02 strong; neutral has no strong version), statement, repetition, actor (odd: male, even:
female).

Irregularities: a widespread download contains its tree twice; in its outer copy, eight recordings are altered (22,050 Hz
instead of 48,000 Hz), and one of actor 02 is among those of actor 05: the name is right, the folder is not. Other copies
append the emotion to the name (`03-01-05-01-02-01-12_angry`). Five recordings are stereo, and two of actor 07 are the
same recording twice. Songs and videos share folders and names with the speech.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emokit.data.sources.scan import matches
from emokit.data.utterance import Dropped, Utterance

EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgust",
    "08": "surprised",
}

INTENSITIES = {"01": "normal", "02": "strong"}

TEXTS = {"01": "Kids are talking by the door.", "02": "Dogs are sitting by the door."}

STEM = re.compile(
    r"""(?P<code>
        (?P<modality>0[1-3])-(?P<channel>0[12])-(?P<emotion>0[1-8])-(?P<intensity>0[12])
        -(?P<statement>0[12])-(?P<repetition>0[12])-(?P<actor>0[1-9]|1[0-9]|2[0-4])
    )(?P<appended>_[A-Za-z]+)?""",
    re.VERBOSE,
)
ACTOR_FOLDER = re.compile(r"(?:.*_)?Actor_(\d\d)", re.IGNORECASE)

VIDEO = "video, not audio"
SONG = "song, not speech"
LONGER_NAME = "a copy under a longer name"


def read(root: Path, options: Mapping[str, Any]) -> Iterator[Utterance | Dropped]:
    """Find the utterances below `root`; songs and videos are dropped. There are no options."""
    for item in matches(root, STEM, key=lambda name: name["code"], renamed=LONGER_NAME):
        if isinstance(item, Dropped):
            yield item
            continue
        path, name = item
        if name["modality"] != "03":
            yield Dropped(path.as_posix(), VIDEO)
            continue
        if name["channel"] != "01":
            yield Dropped(path.as_posix(), SONG)
            continue
        yield Utterance(
            utterance_id=f"ravdess/{name['code']}",
            corpus="ravdess",
            path=path.as_posix(),
            speaker=name["actor"],
            raw_label=EMOTIONS[name["emotion"]],
            gender="male" if int(name["actor"]) % 2 else "female",
            language="en",
            text=TEXTS[name["statement"]],
            intensity=INTENSITIES[name["intensity"]],
            sentence=name["statement"],
            take=name["repetition"],
            flags=_flags(path.parent.name, name),
        )


def _flags(folder: str, name: re.Match[str]) -> tuple[str, ...]:
    actor = ACTOR_FOLDER.fullmatch(folder)
    flags = []
    if actor and actor[1] != name["actor"]:
        flags.append(f"in the folder of actor {actor[1]}")
    if name["appended"]:
        flags.append(f"{name['appended']} appended to its name")
    return tuple(flags)
