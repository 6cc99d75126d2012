"""TESS, the Toronto emotional speech set: two actresses, "Say the word …" with 200 words in seven emotions.

Homepage: https://doi.org/10.5683/SP2/E8H2MF (2800 recordings of about 2.1 s, 24.4 kHz, mono).
Licence: CC BY-NC-ND 4.0.
To cite: Pichora-Fuller and Dupuis, "Toronto emotional speech set (TESS)", Borealis, 2020.

Names such as `OAF_back_ps`: speaker (OAF is 64 years old, YAF 26), word, emotion (`ps`: pleasant surprise).

Irregularities: one recording of OAF is named `OA_bite_neutral`. Folders are spelt in several ways (`OAF_Fear`,
`YAF_fear`, `OAF_Pleasant_surprise`, `YAF_pleasant_surprised`), so only the name determines the emotion. A widespread
download contains its tree twice. `YAF_germ_angry.wav` and `YAF_neat_fear.wav` are AIFF inside, `OAF_food_fear.wav` is at
96 kHz. Two speakers cannot be divided into three splits without a shared speaker.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emokit.data.sources.scan import matches
from emokit.data.utterance import Dropped, Utterance

EMOTIONS = ("angry", "disgust", "fear", "happy", "neutral", "ps", "sad")

STEM = re.compile(rf"(?P<speaker>OAF?|YAF)_(?P<word>[a-z]+)_(?P<emotion>{'|'.join(EMOTIONS)})")
FOLDER = re.compile(rf"(?P<speaker>OAF|YAF)_(?P<emotion>{'|'.join(EMOTIONS)}|pleasant_surprised?)", re.IGNORECASE)


def read(root: Path, options: Mapping[str, Any]) -> Iterator[Utterance | Dropped]:
    """Find the utterances below `root`, in any folder. There are no options."""
    for item in matches(root, STEM):
        if isinstance(item, Dropped):
            yield item
            continue
        path, name = item
        speaker = "OAF" if name["speaker"] == "OA" else name["speaker"]
        yield Utterance(
            utterance_id=f"tess/{name[0]}",
            corpus="tess",
            path=path.as_posix(),
            speaker=speaker,
            raw_label=name["emotion"],
            gender="female",
            language="en",
            text=f"Say the word {name['word']}.",
            sentence=name["word"],
            flags=_flags(path.parent.name, speaker, name),
        )


def _flags(folder_name: str, speaker: str, name: re.Match[str]) -> tuple[str, ...]:
    flags = []
    if name["speaker"] != speaker:
        flags.append(f"named {name['speaker']}_ instead of {speaker}_")
    folder = FOLDER.fullmatch(folder_name)
    if folder:
        emotion = folder["emotion"].lower()
        emotion = "ps" if emotion.startswith("pleasant") else emotion
        if (folder["speaker"].upper(), emotion) != (speaker, name["emotion"]):
            flags.append(f"in the folder {folder_name}")
    return tuple(flags)
