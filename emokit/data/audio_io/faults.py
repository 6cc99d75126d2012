"""What can be wrong with an audio file: the reasons to refuse it, and how a container that was cut shows it."""

from dataclasses import dataclass
from pathlib import Path

from emokit.errors import DataError

LFS_POINTER = "a Git LFS pointer, not audio"
TRUNCATED = "truncated"
DAMAGED = "damaged"
SILENT = "silent"
UNDECODABLE = "undecodable"
UNREADABLE = "unreadable"
EMPTY = "empty"
NOT_REGULAR = "no regular file"
WRONG_RATE = "of an implausible sample rate"
TOO_LONG = "too long"
TOO_LOUD = "far above full scale"
NOT_FINITE = "without finite features"
NOT_IN_FILE = "without the segment"
CHANGED = "another recording than the one that was prepared"

ADVICE = {
    LFS_POINTER: "fetch the audio itself with `git lfs pull`",
    TRUNCATED: "fetch it again",
    DAMAGED: "fetch it again or leave it out",
    SILENT: "leave it out",
    UNDECODABLE: "fetch it again or leave it out",
    UNREADABLE: "check that it exists and that you may read it",
    EMPTY: "fetch it again",
    NOT_REGULAR: "name an audio file, or write its bytes to standard input and name -",
    WRONG_RATE: "correct its header or leave it out",
    TOO_LONG: "cut it into shorter recordings",
    TOO_LOUD: "scale its samples to -1..1 or leave it out",
    NOT_FINITE: "leave it out",
    NOT_IN_FILE: "correct its start and end",
    CHANGED: "put that one back, or run `emokit prepare` again",
}


class BadAudio(DataError):
    """Audio that cannot be used: `reason` is one of the phrases above, `detail` has the numbers."""

    def __init__(self, path: Path, reason: str, detail: str) -> None:
        super().__init__(path, reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.args[0]} is {self.reason} ({self.detail}); {ADVICE[self.reason]}."


@dataclass(frozen=True, slots=True)
class End:
    """What a container states of its end and of its samples, compared with the file; by default all of it agrees."""

    cut: str = ""
    """What shows that the file was cut."""
    unknown: str = ""
    """Why a cut would not show."""
    damage: str = ""
    """What the file states that cannot be true, so that its samples are in doubt."""
    odd: tuple[str, ...] = ()
    """What the file states that is not true, though its samples are in no doubt."""
    num_samples: int = 0
    """The samples that the decoder must return at least; 0 where the container does not state them."""
    md5: bytes = b""
    """MD5 of all samples as integers of `bits` bits; empty where it is not stated."""
    bits: int = 0


COMPLETE = End()


def another_at(position: int, what: str = "file") -> str:
    """The words for what follows the end of the audio, in bytes from the start: decoders differ in whether they read it."""
    return f"another {what} begins at byte {position}, which may not be read"
