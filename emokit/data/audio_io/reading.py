"""The result of reading one audio file, passed from the processes that read to the one that writes."""

from dataclasses import dataclass

import numpy


@dataclass(frozen=True)
class Reading:
    """The result of reading one audio file: its facts and features, or the reason why it cannot be used."""

    utterance_id: str
    size: int
    """Bytes of the file; `size` and `changed_ns` tell whether the file changed since it was read."""
    changed_ns: int
    duration_seconds: float = 0.0
    sample_rate: int = 0
    num_channels: int = 0
    recording: str = ""
    """SHA-256 of the decoded samples: equal for identical recordings in any container."""
    bad: str = ""
    """Why the audio cannot be used; empty where it can."""
    detail: str = ""
    """The particulars of `bad`, or of `flags`."""
    flags: tuple[str, ...] = ()
    """What is odd about audio that is used, and how it was repaired: one short phrase each."""
    log_mel: numpy.ndarray | None = None
    """(frames, bins) float16 decibels; None where the audio cannot be used."""
