"""What is read of an utterance: its words, and where asked for, who said them and the turns before."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas

from emokit.errors import DataError


@dataclass(frozen=True, slots=True)
class Passage:
    """An utterance as text."""

    text: str
    speaker: str | None = None
    """Named only where dialogue is read."""
    before: tuple[str, ...] = ()
    """The turns before it, each with its speaker, the latest last."""

    @property
    def words(self) -> str:
        """The text with its speaker in front, where one is named."""
        return f"{self.speaker}: {self.text}" if self.speaker else self.text


def passages_of(rows: pandas.DataFrame, table: pandas.DataFrame, context_turns: int) -> list[Passage]:
    """The passages of some rows, in their order.

    Args:
        rows: utterances to be read.
        table: all utterances, among them the turns before; a turn that `prepare` dropped is missing.
        context_turns: how many turns before; 0 reads every utterance alone and unnamed.
    """
    if not context_turns:
        return [Passage(text) for text in rows["text"]]
    spoken = table[table["dialogue"].notna() & table["turn"].notna() & table["text"].notna()]
    dialogues: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for corpus, dialogue, turn, speaker, text in _columns(spoken, "corpus", "dialogue", "turn", "speaker", "text"):
        dialogues[corpus, dialogue].append((int(turn), f"{speaker}: {text}"))
    found = []
    for corpus, dialogue, turn, speaker, text in _columns(rows, "corpus", "dialogue", "turn", "speaker", "text"):
        if pandas.isna(dialogue) or pandas.isna(turn):
            found.append(Passage(text))
            continue
        earlier = sorted(said for said in dialogues[corpus, dialogue] if said[0] < turn)[-context_turns:]
        found.append(Passage(text, speaker, tuple(said for _, said in earlier)))
    return found


def check_texts(texts: Sequence[str], names: Iterable[str]) -> None:
    """Refuse texts that no model can read, by name.

    Raises:
        DataError: a text is empty, has a null character or is no Unicode.
    """
    for text, name in zip(texts, names, strict=True):
        if not text.strip():
            raise DataError(f"{name} has an empty text; give it words or leave it out.")
        null = text.find("\0")
        if null >= 0:
            raise DataError(f"{name} has a null character at {null + 1}; save it as UTF-8 text.")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise DataError(
                f"{name} is no Unicode text (character {error.start + 1}); save it as UTF-8 text."
            ) from error


def _columns(table: pandas.DataFrame, *names: str) -> Iterable[tuple]:
    return zip(*(table[name] for name in names), strict=True)
