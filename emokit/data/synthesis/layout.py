"""The entries of a layout: audio files to synthesise, and text files."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AudioFile:
    """One audio file to synthesise."""

    path: str
    """Relative to the corpus root."""
    speaker: str
    gender: str
    emotion: str
    """A key of `prosody.PROSODIES`."""
    sentence: str
    """Files with the same sentence have the same syllables."""
    strength: float = 1.0
    """1 for an ordinary expression of the emotion."""
    sample_rate: int = 16_000
    """Hz."""
    num_channels: int = 1


@dataclass(frozen=True, slots=True)
class TextFile:
    """One text file to write."""

    path: str
    """Relative to the corpus root."""
    text: str
    encoding: str = "utf-8"


def num_takes(size: float, ordinary: int, most: int) -> int:
    """The number of takes at this size: at least one, and at most as many as the real corpus has names for."""
    return min(most, max(1, round(ordinary * size)))
