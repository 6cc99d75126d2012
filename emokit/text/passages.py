"""The text input of an utterance: its text, and on request its speaker and the preceding turns of the dialogue."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emokit.errors import DataError

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, slots=True)
class Passage:
    """An utterance as text input."""

    text: str
    speaker: str | None = None
    """Set only where context is read."""
    context: tuple[str, ...] = ()
    """The preceding turns, each with its speaker, the latest last."""

    @property
    def text_with_speaker(self) -> str:
        """The text, after its speaker's name where that is set."""
        return f"{self.speaker}: {self.text}" if self.speaker else self.text


def passages_of(rows: "pandas.DataFrame", table: "pandas.DataFrame", context_turns: int) -> list[Passage]:
    """The passages of utterances, in their order.

    Args:
        rows: the utterances.
        table: all utterances, with the preceding turns; a turn that `prepare` dropped is missing.
        context_turns: number of preceding turns; 0 reads every utterance alone and without its speaker.
    """
    if not context_turns:
        return [Passage(text) for text in rows["text"]]
    import pandas

    in_dialogue = table[table["dialogue"].notna() & table["turn"].notna() & table["text"].notna()]
    dialogues: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for corpus, dialogue, turn, speaker, text in _columns(in_dialogue, "corpus", "dialogue", "turn", "speaker", "text"):
        dialogues[corpus, dialogue].append((int(turn), f"{speaker}: {text}"))
    passages = []
    for corpus, dialogue, turn, speaker, text in _columns(rows, "corpus", "dialogue", "turn", "speaker", "text"):
        if pandas.isna(dialogue) or pandas.isna(turn):
            passages.append(Passage(text))
            continue
        earlier = sorted(line for line in dialogues[corpus, dialogue] if line[0] < turn)[-context_turns:]
        passages.append(Passage(text, speaker, tuple(line for _, line in earlier)))
    return passages


def check_texts(texts: Sequence[str], names: Iterable[str]) -> None:
    """Refuse texts that no model can read, by name.

    Raises:
        DataError: a text is empty, has a null character or is not Unicode.
    """
    for text, name in zip(texts, names, strict=True):
        if not text.strip():
            raise DataError(f"{name} has an empty text; write one or leave it out.")
        null = text.find("\0")
        if null >= 0:
            raise DataError(f"{name} has a null character at {null + 1}; save it as UTF-8 text.")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise DataError(
                f"{name} is not Unicode text (character {error.start + 1}); save it as UTF-8 text."
            ) from error


def _columns(table: "pandas.DataFrame", *names: str) -> Iterable[tuple]:
    return zip(*(table[name] for name in names), strict=True)
