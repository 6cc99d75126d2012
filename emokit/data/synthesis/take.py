"""What a layout is made of: sounds to be spoken, and files with words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Take:
    """One sound file to be made."""

    path: str
    """Relative to the corpus root."""
    speaker: str
    gender: str
    emotion: str
    """A key of `prosody.PROSODIES`."""
    sentence: str
    """Takes of the same sentence have the same syllables."""
    strength: float = 1.0
    """1 for an ordinary expression of the emotion."""
    sample_rate: int = 16_000
    num_channels: int = 1


@dataclass(frozen=True, slots=True)
class Words:
    """One text file to be made."""

    path: str
    """Relative to the corpus root."""
    text: str
    encoding: str = "utf-8"


def how_many(size: float, ordinary: int, most: int) -> int:
    """The number of takes at this size: one at least, and no more than the real corpus has names for."""
    return min(most, max(1, round(ordinary * size)))
