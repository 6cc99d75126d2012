"""What opening one sound file gave: passed from the processes that read to the one that writes."""

from dataclasses import dataclass

import numpy


@dataclass(frozen=True)
class Reading:
    """What opening one sound file gave."""

    utterance_id: str
    size: int
    """Bytes of the file; with `changed_ns` it tells whether the file is still the one that was read."""
    changed_ns: int
    duration_seconds: float = 0.0
    sample_rate: int = 0
    num_channels: int = 0
    recording: str = ""
    """SHA-256 of the decoded samples: equal for identical recordings, whatever their containers say."""
    bad: str = ""
    """Why the sound is of no use; empty where it is sound."""
    detail: str = ""
    log_mel: numpy.ndarray | None = None
    """(frames, bins) float16 decibels; None where the sound is of no use."""
