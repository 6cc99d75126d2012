"""Rehearse an import at full size: a short, soft tone under every file name of a corpus.

The names come from a CSV with the columns `path` (relative, with forward slashes) and `sample_rate` (Hz), and any others.
"""

import csv
import hashlib
from pathlib import Path, PurePosixPath

import numpy as np

from emokit.errors import DataError, UsageError
from emokit.files import explained_disk_errors
from emokit.read_files import in_words

VIDEO_ENDINGS = frozenset({".mp4", ".flv", ".m4a"})
TONE_HZ = 440.0
AMPLITUDE = 0.1
SIGNATURE_BYTES = 8


def rehearse(manifest: Path, root: Path, seconds: float = 0.1) -> int:
    """Write a wav file below `root` for every name in `manifest`; names of videos get the suffix `.wav`.

    The first samples of a file are a hash of its name, so that no two files have the same content.

    Args:
        manifest: the list of names.
        root: a new or empty folder, so that no recording is overwritten.
        seconds: the duration of each file.

    Returns:
        The number of files.

    Raises:
        UsageError: `root` is not empty.
        DataError: the list is missing or malformed, or a path leads outside `root`.
        WorkError: the disk is full.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise UsageError(f"{root} exists and is not an empty folder; name a new folder for the rehearsal.")
    names = _names(manifest)
    headers = {rate: _wav_header(rate, _num_samples(rate, seconds)) for rate in set(names.values())}
    tones = {rate: _tone(rate, _num_samples(rate, seconds)) for rate in headers}
    with explained_disk_errors(root):
        for folder in {path.parent for path in names}:
            (root / folder).mkdir(parents=True, exist_ok=True)
        for path, rate in names.items():
            # Without whole_file: 35,000 flushes would take minutes, and a rehearsal can be repeated at no cost.
            (root / path).write_bytes(headers[rate] + _signature(path) + tones[rate])
    return len(names)


def _names(manifest: Path) -> dict[PurePosixPath, int]:
    """Relative path -> sample rate (Hz) of every row; each path is checked to be below the root."""
    advice = "name a CSV with the columns path and sample_rate."
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [column for column in ("path", "sample_rate") if column not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"{manifest} lacks the column {missing[0]}; {advice}")
            rows = [(reader.line_num, row["path"] or "", row["sample_rate"] or "") for row in reader]
    except FileNotFoundError as error:
        raise DataError(f"{manifest} is not there; {advice}") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{manifest} cannot be read ({in_words(error)}); {advice}") from error
    names: dict[PurePosixPath, int] = {}
    for number, name, rate in rows:
        path = PurePosixPath(name)
        if not name or path.is_absolute() or ".." in path.parts or any(character in name for character in "\\:\0"):
            raise DataError(
                f"{manifest} has the path {name!r} in line {number}; expected a relative path without '..' and colons."
            )
        if not rate.isdecimal() or int(rate) == 0:
            raise DataError(f"{manifest} has the sample_rate {rate!r} in line {number}; expected a number of Hz.")
        names[path.with_suffix(".wav") if path.suffix.lower() in VIDEO_ENDINGS else path] = int(rate)
    return names


def _num_samples(sample_rate: int, seconds: float) -> int:
    """Number of samples of a file; at least those of the signature."""
    return max(round(sample_rate * seconds), SIGNATURE_BYTES)


def _wav_header(sample_rate: int, num_samples: int) -> bytes:
    """The 44 bytes before the samples of a mono 16-bit wav file."""
    size = 2 * num_samples
    fields = b"".join(value.to_bytes(width, "little") for value, width in ((1, 2), (1, 2), (sample_rate, 4)))
    fields += b"".join(value.to_bytes(width, "little") for value, width in ((2 * sample_rate, 4), (2, 2), (16, 2)))
    start = b"RIFF" + (36 + size).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    return start + fields + b"data" + size.to_bytes(4, "little")


def _tone(sample_rate: int, num_samples: int) -> bytes:
    """The samples after the signature."""
    times = np.arange(SIGNATURE_BYTES, num_samples) / sample_rate
    wave = AMPLITUDE * np.sin(2 * np.pi * TONE_HZ * times)
    return (wave * 32767).astype("<i2").tobytes()


def _signature(path: PurePosixPath) -> bytes:
    """Eight soft samples, each a byte of the name's hash."""
    digest = hashlib.blake2b(path.as_posix().encode(), digest_size=SIGNATURE_BYTES).digest()
    return np.frombuffer(digest, np.uint8).astype("<i2").tobytes()
