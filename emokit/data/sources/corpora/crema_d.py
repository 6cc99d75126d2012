"""CREMA-D: 7442 clips of 91 actors (48 male, 43 female), 12 English sentences in six emotions.

Homepage: https://github.com/CheyneyComputerScience/CREMA-D (a Git LFS repository: its zip holds pointers, not audio).
Licence: Open Database License 1.0, contents under the Database Contents License 1.0.
Paper: Cao et al., "CREMA-D: Crowd-sourced emotional multimodal actors dataset", IEEE Transactions on Affective
Computing 5(4), 2014.

Names: `AAAA_SSS_EEE_LL`: actor 1001 to 1091, sentence, emotion ANG DIS FEA HAP NEU SAD, level LO MD HI, or XX for
unspecified. Only the sentence IEO was recorded at three levels; neutral has no level.

Labels: the acted emotion (`labels: acted`), or the majority vote of the listeners (`labels: voice`, the column
`VoiceVote` of `processedResults/summaryTable.csv`). The two agree on 3099 of 7442 clips; 644 votes are ties.

Irregularities: AudioMP3 and VideoFlash hold the same recordings again; old copies write `1040_ITH_SAD_X`;
`1076_MTI_SAD_XX` is silent; three pairs of files with different labels are the same recording.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emokit.data.sources.scan import AUDIO_SUFFIXES, files, matches
from emokit.data.utterance import Dropped, Utterance
from emokit.errors import DataError, UsageError

STEM = re.compile(
    r"(?P<actor>10(?:0[1-9]|[1-8]\d|9[01]))_(?P<sentence>IEO|TIE|IOM|IWW|TAI|MTI|IWL|ITH|DFA|ITS|TSI|WSI)"
    r"_(?P<emotion>ANG|DIS|FEA|HAP|NEU|SAD)_(?P<level>LO|MD|HI|XX?)"
)

SENTENCES = {
    "IEO": "It's eleven o'clock.",
    "TIE": "That is exactly what happened.",
    "IOM": "I'm on my way to the meeting.",
    "IWW": "I wonder what this is about.",
    "TAI": "The airplane is almost full.",
    "MTI": "Maybe tomorrow it will be cold.",
    "IWL": "I would like a new alarm clock.",
    "ITH": "I think I have a doctor's appointment.",
    "DFA": "Don't forget a jacket.",
    "ITS": "I think I've seen this before.",
    "TSI": "The surface is slick.",
    "WSI": "We'll stop in a couple of minutes.",
}
INTENSITIES = {"LO": "low", "MD": "medium", "HI": "high"}
VOTES = {"A": "ANG", "D": "DIS", "F": "FEA", "H": "HAP", "N": "NEU", "S": "SAD"}

COMPRESSED = frozenset({".mp3", ".flv", ".mp4"})
ANNOTATIONS = re.compile(r"VideoDemographics\.csv|summaryTable\.csv")


def read(root: Path, options: Mapping[str, Any]) -> Iterator[Utterance | Dropped]:
    """Find the utterances below `root`.

    Args:
        root: the folder of the repository, or any other folder that contains the wav files.
        options: `labels`: `acted` (the default) or `voice`.

    Raises:
        UsageError: an option has an unknown value.
        DataError: `labels: voice` was given and the table of votes is missing.
    """
    labels = options.get("labels", "acted")
    if labels not in ("acted", "voice"):
        raise UsageError(f"crema_d has the option labels: {labels}; expected acted or voice.")
    votes = _votes(root) if labels == "voice" else {}
    genders = _genders(root)
    for item in matches(root, STEM, AUDIO_SUFFIXES - COMPRESSED, key=lambda match: _present_stem(match[0])):
        if isinstance(item, Dropped):
            yield item
            continue
        path, match = item
        actor, sentence, emotion = match["actor"], match["sentence"], match["emotion"]
        stem = _present_stem(path.stem)
        if labels == "voice":
            vote = votes.get(stem)
            if vote not in VOTES:
                reason = (
                    "no voice vote"
                    if vote is None
                    else "the voice votes are tied"
                    if ":" in vote
                    else "an unknown vote"
                )
                yield Dropped(path.as_posix(), reason, vote or "")
                continue
            emotion = VOTES[vote]
        yield Utterance(
            utterance_id=f"crema_d/{stem}",
            corpus="crema_d",
            path=path.as_posix(),
            speaker=actor,
            raw_label=emotion,
            gender=genders.get(actor),
            language="en",
            text=SENTENCES[sentence],
            intensity=INTENSITIES.get(match["level"]),
            sentence=sentence,
            flags=() if stem == path.stem else ("level X in the name, read as XX",),
        )
    for path in files(root, COMPRESSED):
        yield Dropped(path.as_posix(), "AudioMP3 and VideoFlash hold the same recordings")


def _present_stem(stem: str) -> str:
    """The present name of a stem such as `1040_ITH_SAD_X`, as old copies write it."""
    return f"{stem}X" if stem.endswith("_X") else stem


def _genders(root: Path) -> dict[str, str]:
    """Actor -> `female` or `male`, from VideoDemographics.csv; empty if it is missing."""
    rows = _rows(root, "VideoDemographics.csv")
    genders = {row.get("ActorID", ""): (row.get("Sex") or "").lower() for row in rows}
    return {actor: gender for actor, gender in genders.items() if gender in ("female", "male")}


def _votes(root: Path) -> dict[str, str]:
    """Stem -> majority vote of the listeners: one letter, or several joined by colons for a tie."""
    rows = _rows(root, "summaryTable.csv")
    if not rows:
        raise DataError(
            f"crema_d has labels: voice, but {root} holds no processedResults/summaryTable.csv; "
            "add it from the corpus's repository, or use labels: acted."
        )
    for column in ("FileName", "VoiceVote"):
        if column not in rows[0]:
            raise DataError(
                f"summaryTable.csv of {root} lacks the column {column}; replace it by the file of the corpus's repository."
            )
    return {_present_stem(row["FileName"] or ""): row["VoiceVote"] or "" for row in rows}


def _rows(root: Path, name: str) -> list[dict[str, str]]:
    """The rows of the first table of this name below `root`; empty if there is none."""
    for path in files(root, frozenset({".csv"})):
        if path.name == name:
            with (root / path).open(encoding="utf-8-sig", errors="replace", newline="") as file:
                return list(csv.DictReader(file))
    return []
