"""EmoDB, the Berlin database of emotional speech: ten actors, ten everyday German sentences in seven emotions.

Homepage: http://emodb.bilderbar.info (535 recordings of about 2.8 s, 16 kHz, mono).
Licence: free for research.
Paper: Burkhardt, Paeschke, Rolfes, Sendlmeier and Weiss, "A database of German emotional speech", Interspeech 2005.

Names such as `03a01Fa`: speaker 03, text a01, emotion F (initial of the German word: Freude), version a. Versions have
gaps, as takes that listeners did not recognise were removed; the later release 2.0 contains those as well, under such
names.

Irregularities: some copies on the web are cut or padded to two seconds under the same names, or label F as disgust;
only the name determines the emotion here. Four recordings of speaker 14 have a PAD chunk. The folders beside `wav`
(`lablaut`, `silb`, `labsilb`) hold transcripts, not audio.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emokit.data.sources.scan import matches
from emokit.data.utterance import Dropped, Utterance

EMOTIONS = {
    "W": "anger",  # Wut
    "L": "boredom",  # Langeweile
    "E": "disgust",  # Ekel
    "A": "fear",  # Angst
    "F": "happiness",  # Freude
    "T": "sadness",  # Trauer
    "N": "neutral",
}

GENDERS = dict.fromkeys(("03", "10", "11", "12", "15"), "male") | dict.fromkeys(
    ("08", "09", "13", "14", "16"), "female"
)

TEXTS = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}

STEM = re.compile(
    rf"(?P<speaker>{'|'.join(GENDERS)})(?P<text>{'|'.join(TEXTS)})(?P<emotion>[{''.join(EMOTIONS)}])(?P<version>[a-f])"
)


def read(root: Path, options: Mapping[str, Any]) -> Iterator[Utterance | Dropped]:
    """Find the utterances below `root`, in any folder. There are no options."""
    for item in matches(root, STEM):
        if isinstance(item, Dropped):
            yield item
            continue
        path, name = item
        yield Utterance(
            utterance_id=f"emodb/{name[0]}",
            corpus="emodb",
            path=path.as_posix(),
            speaker=name["speaker"],
            raw_label=EMOTIONS[name["emotion"]],
            gender=GENDERS[name["speaker"]],
            language="de",
            text=TEXTS[name["text"]],
            sentence=name["text"],
            take=name["version"],
        )
