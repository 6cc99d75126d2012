"""ESD: 350 sentences in five emotions by ten speakers of Mandarin and ten of English; 35,000 files, half per language.

Homepage: https://hltsingapore.github.io/ESD/ (on request). Licence: research only.
Paper: Zhou, Sisman, Liu, Li, "Emotional voice conversion: Theory, databases and ESD", Speech Communication 137, 2022.

Names: `SSSS_NNNNNN`: speaker 0001 to 0010 Mandarin, 0011 to 0020 English; file number 1 to 1750. The number determines
the emotion and the sentence: 350 files each of Neutral, Angry, Happy, Sad, Surprise, with the sentences in the same
order. Sentences 1 to 20 are the official evaluation set (dev), 21 to 50 test, 51 to 350 train; all speakers are in all three.

Layouts: `0011/Angry/0011_000351.wav`, or with `train`, `evaluation`, `test` below the emotion, or in one more folder.
Transcripts: `0011/0011.txt`, tab-separated name, text, emotion; the encoding differs between speakers (GB 2312, UTF-16,
UTF-8, Latin-1) and some lines are malformed.
"""

import codecs
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from emokit.data.sources.scan import UNKNOWN_NAME, files, matches
from emokit.data.utterance import Dropped, Utterance
from emokit.errors import UsageError

STEM = re.compile(r"(?P<speaker>00(?:0[1-9]|1\d|20))_(?P<number>00(?:0\d|1[0-7])\d{2})")

EMOTIONS = ("Neutral", "Angry", "Happy", "Sad", "Surprise")
NUM_SENTENCES = 350
FEMALE = frozenset({"0001", "0002", "0003", "0007", "0009", "0015", "0016", "0017", "0018", "0019"})
LANGUAGES = {"en": "English", "zh": "Mandarin"}
SPLIT_FOLDERS = {"train": "train", "evaluation": "dev", "test": "test"}

ANNOTATIONS = re.compile(r"(?P<speaker>00(?:0[1-9]|1\d|20))\.txt")
TRANSCRIPT_LINE = re.compile(r"(?P<stem>\d{4}_\d{6})\t+(?P<text>[^\t]+)\t+[^\t]+")


def read(root: Path, options: Mapping[str, Any]) -> Iterator[Utterance | Dropped]:
    """Find the utterances below `root`.

    Args:
        root: the folder of the speakers' folders, or any folder above it.
        options: `languages`: a list of `en`, `zh`; English only by default.

    Raises:
        UsageError: a language is unknown.
    """
    languages = options.get("languages", ["en"])
    if (
        not isinstance(languages, list | tuple)
        or not languages
        or any(name not in list(LANGUAGES) for name in languages)
    ):
        raise UsageError(f"esd has the option languages: {languages}; expected a list of en, zh.")
    texts = _transcripts(root, languages)
    for item in matches(root, STEM):
        if isinstance(item, Dropped):
            yield item
            continue
        path, match = item
        number = int(match["number"])
        if not 1 <= number <= NUM_SENTENCES * len(EMOTIONS):
            yield Dropped(path.as_posix(), UNKNOWN_NAME)
            continue
        language = _language(match["speaker"])
        if language not in languages:
            yield Dropped(path.as_posix(), f"{LANGUAGES[language]}, which the option languages leaves out")
            continue
        yield _utterance(path, match["speaker"], number, texts)


def _utterance(path: PurePosixPath, speaker: str, number: int, texts: Mapping[str, Mapping[str, str]]) -> Utterance:
    block, index = divmod(number - 1, NUM_SENTENCES)
    emotion, sentence = EMOTIONS[block], index + 1
    split = "dev" if sentence <= 20 else "test" if sentence <= 50 else "train"
    flags = []
    # The number determines the emotion; a file may be in the wrong folder.
    flags += [f"in the folder {folder}" for folder in path.parts[:-1] if folder in EMOTIONS and folder != emotion]
    for folder in path.parts[:-1]:
        if SPLIT_FOLDERS.get(folder, split) != split:
            split = SPLIT_FOLDERS[folder]
            flags.append("in another split's folder than its sentence")
    text = texts.get(speaker, {}).get(path.stem)
    if speaker in texts and text is None:
        flags.append("no transcript")
    language = _language(speaker)
    return Utterance(
        utterance_id=f"esd/{path.stem}",
        corpus="esd",
        path=path.as_posix(),
        speaker=speaker,
        raw_label=emotion,
        gender="female" if speaker in FEMALE else "male",
        language=language,
        text=text,
        sentence=f"{language}-{sentence}",
        split=split,
        flags=tuple(flags),
    )


def _language(speaker: str) -> str:
    return "zh" if speaker <= "0010" else "en"


def _transcripts(root: Path, languages: list[str] | tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Speaker -> stem -> text, for each speaker of these languages with a transcript; malformed lines are left out."""
    texts: dict[str, dict[str, str]] = {}
    for path in files(root, frozenset({".txt"})):
        speaker = path.stem
        if not re.fullmatch(r"00(?:0[1-9]|1\d|20)", speaker) or speaker in texts or _language(speaker) not in languages:
            continue
        lines = _decoded((root / path).read_bytes(), _language(speaker)).splitlines()
        parsed = (TRANSCRIPT_LINE.fullmatch(line.strip()) for line in lines)
        texts[speaker] = {line["stem"]: line["text"].strip() for line in parsed if line}
    return texts


def _decoded(content: bytes, language: str) -> str:
    """The text of a transcript: UTF-16 if it has a byte order mark or zero bytes, UTF-8 if valid, else an older encoding."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    if b"\0" in content:
        return content.decode("utf-16-le", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # GB 18030 and Windows-1252 contain GB 2312 and the printable part of Latin-1.
        return content.decode("gb18030" if language == "zh" else "cp1252", errors="replace")
