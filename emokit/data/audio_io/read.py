"""Read audio: any container, sample rate and number of channels to one waveform, or a short reason why that fails.

16-bit PCM wav files, which most corpora consist of, are parsed here, in half of a library's time. soundfile reads by content
and not by file name, so an AIFF named `.wav` is read. PyAV reads what soundfile cannot, such as AAC in mp4.
A truncated file is an error, not a shorter utterance: see `ends`. What is decoded is judged by `plausible`.

Changed bytes are noticed where the format has checksums: FLAC, Ogg, WavPack, TTA and AC-3. PCM, MP3, AAC, WebM and Matroska have
none, or decoders ignore them: what is changed inside of such a file, with its frames intact, is decoded as noise.
"""

import contextlib
import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soxr

from emokit.data.audio_io.chunks import find_wave
from emokit.data.audio_io.decoders import read_plain, read_with_pyav, read_with_soundfile
from emokit.data.audio_io.ends import find_end
from emokit.data.audio_io.faults import (
    EMPTY,
    LFS_POINTER,
    NOT_REGULAR,
    UNREADABLE,
    BadAudio,
)
from emokit.data.audio_io.plausible import MAX_SECONDS, Audio, Samples, Waveform, check_end, plausible

KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFDIR: "a folder"}


def read_audio(path: Path, max_seconds: float = MAX_SECONDS) -> Audio:
    """Read an audio file and average its channels.

    Args:
        path: of the file.
        max_seconds: the longest audio that is decoded.

    Raises:
        BadAudio: it is missing, no regular file, empty, truncated, damaged, silent, too long, implausibly loud, of an
            implausible sample rate, a Git LFS pointer, or in no format that a decoder reads.
    """
    with open_regular(path) as file:
        num_bytes = os.fstat(file.fileno()).st_size
        start = file.read(12) if num_bytes else b""  # some files of /proc have a size of 0 and wait for content
        if not start:
            raise BadAudio(path, EMPTY, "0 bytes")
        if start == b"version http":
            raise BadAudio(path, LFS_POINTER, f"{num_bytes} bytes")
        is_wave = start[:4] in (b"RIFF", b"RIFX") and start[8:] == b"WAVE"
        wave = find_wave(file, num_bytes, start[:4]) if is_wave else None
        end = wave.end if wave else find_end(file, num_bytes)
        check_end(path, end)
        channels: Samples  # (samples, channels)
        channels, sample_rate = (
            (wave and read_plain(path, file, wave, start[:4], max_seconds))
            or read_with_soundfile(path, max_seconds)
            or read_with_pyav(path, file, max_seconds)
        )
    return plausible(path, channels, sample_rate, end)


def resample(waveform: Waveform, sample_rate: int, target_rate: int) -> Waveform:
    """Resample as `librosa.load(path, sr=target_rate)` does: soxr in high quality, the length rounded up.

    Args:
        waveform: (samples,)
        sample_rate: Hz
        target_rate: Hz

    Returns:
        (ceil(samples * target_rate / sample_rate),); the same array where the rates are equal.
    """
    if sample_rate == target_rate:
        return waveform
    num_samples = math.ceil(len(waveform) * (target_rate / sample_rate))
    resampled: Waveform = soxr.resample(waveform, sample_rate, target_rate, quality="HQ")[:num_samples]
    missing = num_samples - len(resampled)
    return np.pad(resampled, (0, missing)) if missing else resampled


@contextlib.contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file; a pipe without a writer, or a device, could hang or never end.

    Raises:
        BadAudio: it is no regular file, or it cannot be read.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise BadAudio(path, NOT_REGULAR, KINDS.get(stat.S_IFMT(mode), "a device"))
        file = path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise BadAudio(path, UNREADABLE, getattr(error, "strerror", None) or str(error)) from error
    with file:
        try:
            yield file
        except OSError as error:
            raise BadAudio(path, UNREADABLE, error.strerror or str(error)) from error
