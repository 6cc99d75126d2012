"""JL-Corpus: four speakers of New Zealand English, 15 sentences in each of ten emotions, four takes each; 2400 files.

Homepage: https://github.com/tli725/JL-Corpus, on Kaggle as tli725/jl-corpus. Licence: stated on that page.
Paper: James, Tian, Watson, "An open source emotional speech corpus for human robot interaction applications",
Interspeech 2018.

Names: `{female|male}{1|2}_emotion_{1-15}{a|b}_{1|2}`. Five primary emotions (angry excited happy neutral sad) and five
secondary ones (anxious apologetic assertive concerned encouraging), every combination once.

Irregularities: the folder's name has blanks and parentheses; no available document states which of `a|b` and `1|2` is
the session and which the repetition, so both form the take; the 15 sentences are the same for the primary emotions but
partly different for the secondary ones; sentence numbers have one digit or two.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emokit.data.sources.scan import files, matches
from emokit.data.utterance import Dropped, Utterance

PRIMARY = ("angry", "excited", "happy", "neutral", "sad")
SECONDARY = ("anxious", "apologetic", "assertive", "concerned", "encouraging")

STEM = re.compile(
    rf"(?P<speaker>(?P<gender>female|male)[12])_(?P<emotion>{'|'.join(PRIMARY + SECONDARY)})"
    r"_(?P<sentence>[1-9]|1[0-5])(?P<letter>[ab])_(?P<digit>[12])"
)
ANNOTATIONS = re.compile(rf"{STEM.pattern}\.txt")


def read(root: Path, options: Mapping[str, Any]) -> Iterator[Utterance | Dropped]:
    """Find the utterances below `root`, in any folder. There are no options."""
    transcripts = set(files(root, frozenset({".txt"})))
    for item in matches(root, STEM):
        if isinstance(item, Dropped):
            yield item
            continue
        path, match = item
        emotion, sentence = match["emotion"], match["sentence"]
        transcript = path.with_suffix(".txt")
        yield Utterance(
            utterance_id=f"jl_corpus/{path.stem}",
            corpus="jl_corpus",
            path=path.as_posix(),
            speaker=match["speaker"],
            raw_label=emotion,
            gender=match["gender"],
            language="en",
            text=_text(root / transcript) if transcript in transcripts else None,
            # Only the primary emotions have the same sentences.
            sentence=sentence if emotion in PRIMARY else f"{emotion}-{sentence}",
            take=match["letter"] + match["digit"],
        )


def _text(path: Path) -> str | None:
    """The sentence of a transcript; None if it is empty."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    return " ".join(text.split()) or None
