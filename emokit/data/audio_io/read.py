"""Read audio: any container, sample rate and number of channels to one waveform, or a short reason why that fails.

16-bit PCM wav files, which most corpora consist of, are parsed here, in half of a library's time. soundfile reads by content
and not by file name, so an AIFF named `.wav` is read. PyAV reads what soundfile cannot, such as AAC in mp4.
A truncated file is an error, not a shorter utterance: the length in its header is compared with the data.
"""

import contextlib
import hashlib
import math
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import av
import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from emokit.errors import DataError

Waveform = npt.NDArray[np.float32]
Samples = npt.NDArray[Any]  # float32, or int16 as stored

LFS_POINTER = "a Git LFS pointer, not audio"
TRUNCATED = "truncated"
SILENT = "silent"
UNDECODABLE = "undecodable"
UNREADABLE = "unreadable"
EMPTY = "empty"

ADVICE = {
    LFS_POINTER: "fetch the audio itself with `git lfs pull`",
    TRUNCATED: "fetch it again",
    SILENT: "leave it out",
    UNDECODABLE: "fetch it again or leave it out",
    UNREADABLE: "check that it exists and that you may read it",
    EMPTY: "fetch it again",
}

# Peak of -80 dBFS: three steps of 16 bits.
SILENCE = 10 ** (-80 / 20)
INT16_STEP = np.float32(2**-15)

# Writers that cannot seek back to complete the header declare almost 2 GiB (SoX), 4 GiB (FFmpeg) or 0 bytes (GStreamer).
STREAMED_FROM = 0x7FFFF000


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """The audio of one file, at its stored sample rate."""

    waveform: Waveform
    """(samples,), the mean of the channels; -1..1, which floating-point files may exceed slightly."""
    sample_rate: int
    """Hz"""
    num_channels: int
    """As stored, before averaging."""
    int16_waveform: npt.NDArray[np.int16] | None = None
    """(samples,), the waveform as stored; None unless that is one channel of 16 bits."""

    def recording_hash(self) -> str:
        """SHA-256 of the samples: equal for equal audio in any container, number format and number of channels."""
        stored = self.int16_waveform
        if stored is None:
            scaled = self.waveform / INT16_STEP
            rounded = np.rint(scaled)
            if np.array_equal(scaled, rounded) and rounded.min() >= -(2**15) and rounded.max() < 2**15:
                stored = rounded.astype(np.int16)
        return hashlib.sha256(np.ascontiguousarray(self.waveform if stored is None else stored).data).hexdigest()


class BadAudio(DataError):
    """Audio that cannot be used: `reason` is one of the phrases above, `detail` has the numbers."""

    def __init__(self, path: Path, reason: str, detail: str) -> None:
        super().__init__(path, reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.args[0]} is {self.reason} ({self.detail}); {ADVICE[self.reason]}."


def read_audio(path: Path) -> Audio:
    """Read an audio file and average its channels.

    Raises:
        BadAudio: it is missing, empty, truncated, silent, a Git LFS pointer, or in no format that a decoder reads.
    """
    channels: Samples  # (samples, channels)
    channels, sample_rate = _read_wav(path) or _read_with_soundfile(path) or _read_with_pyav(path)
    num_samples, num_channels = channels.shape
    if num_samples == 0:
        raise BadAudio(path, EMPTY, "0 samples")
    int16_waveform: npt.NDArray[np.int16] | None = None
    scaled: Waveform = channels
    if channels.dtype == np.int16:
        int16_waveform = np.asarray(channels[:, 0], np.int16) if num_channels == 1 else None
        scaled = channels.astype(np.float32)
        scaled *= INT16_STEP
    waveform = scaled[:, 0] if num_channels == 1 else scaled.mean(axis=1)  # (samples,)
    peak = float(max(waveform.max(), -waveform.min()))
    if not math.isfinite(peak):
        raise BadAudio(path, UNDECODABLE, "samples are not finite numbers")
    if peak < SILENCE:
        raise BadAudio(path, SILENT, f"{num_samples} samples, peak {peak:.1e} of full scale")
    return Audio(waveform, sample_rate, num_channels, int16_waveform)


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


def _read_wav(path: Path) -> tuple[Samples, int] | None:
    """The channels (samples, channels) and sample rate of a 16-bit PCM wav file; None for other files, which a library reads.

    Refuses files that a decoder would accept: Git LFS pointers and truncated wav files.
    """
    try:
        with path.open("rb") as file:
            num_bytes = os.fstat(file.fileno()).st_size
            start = file.read(12)
            if not start:
                raise BadAudio(path, EMPTY, "0 bytes")
            if start == b"version http":
                raise BadAudio(path, LFS_POINTER, f"{num_bytes} bytes")
            if start[:4] not in (b"RIFF", b"RIFX") or start[8:] != b"WAVE":
                return None
            header, declared = b"", 0
            for name, size in _chunks(file, start[:4]):
                if name == b"fmt ":
                    header = file.read(min(size, 40))
                elif name == b"data":
                    declared = size
                    break
            remaining = num_bytes - file.tell()
            if remaining < declared < STREAMED_FROM:
                raise BadAudio(path, TRUNCATED, f"its header declares {declared} bytes of audio, it has {remaining}")
            encoding = (
                header[24:26] if header[:2] == b"\xfe\xff" else header[:2]
            )  # WAVE_FORMAT_EXTENSIBLE: its subformat
            _, num_channels, rate, _, width, bits = struct.unpack("<HHIIHH", header[:16].ljust(16, b"\0"))
            is_pcm = start[:4] == b"RIFF" and encoding == b"\1\0"
            is_plain = is_pcm and bits == 16 and width == 2 * num_channels > 0 < rate
            if not is_plain or not 0 < declared < STREAMED_FROM:
                return None
            content = file.read(declared - declared % width)
            return np.frombuffer(content, np.dtype("<i2")).reshape(-1, num_channels), rate
    except OSError as error:
        raise BadAudio(path, UNREADABLE, error.strerror or str(error)) from error


def _chunks(file: BinaryIO, container: bytes) -> Iterator[tuple[bytes, int]]:
    """Seek to the content of each chunk of a wav file and yield the chunk's name and declared size.

    Args:
        file: after the first 12 bytes.
        container: `RIFF` (little-endian) or `RIFX` (big-endian).
    """
    order: Literal["little", "big"] = "little" if container == b"RIFF" else "big"
    while len(header := file.read(8)) == 8:
        size = int.from_bytes(header[4:], order)
        begin = file.tell()
        yield header[:4], size
        file.seek(begin + size + size % 2)  # chunks begin at even offsets


def _read_with_soundfile(path: Path) -> tuple[Samples, int] | None:
    """The channels (samples, channels) and sample rate; None where soundfile does not read the format or finds no samples."""
    try:
        file = soundfile.SoundFile(path)
    except soundfile.LibsndfileError:
        return None
    with file:
        # A header without a length declares 0 or the largest number.
        if not 0 < file.frames < 2**31:
            return None
        try:
            # Reading int16 and scaling later gives the same numbers as reading float32, in a third of the time.
            channels = file.read(dtype="int16" if file.subtype == "PCM_16" else "float32", always_2d=True)
        except soundfile.LibsndfileError:
            if file.format != "FLAC":
                return None
            channels = _read_until_damage(path)
        if file.format == "FLAC" and len(channels) < file.frames:
            detail = f"its header declares {file.frames} samples, it has {len(channels)}"
            raise BadAudio(path, TRUNCATED, detail)
        return channels, file.samplerate


def _read_until_damage(path: Path) -> Waveform:
    """The readable samples before the damage, to within a block: (samples, channels)."""
    # A decoder that met damage cannot always seek back, so the file is reopened.
    with soundfile.SoundFile(path) as file:
        blocks = [np.zeros((0, file.channels), np.float32)]
        with contextlib.suppress(soundfile.LibsndfileError):
            while len(block := file.read(256, dtype="float32", always_2d=True)):
                blocks.append(block)
    return np.concatenate(blocks)


def _read_with_pyav(path: Path) -> tuple[Waveform, int]:
    """The channels of a container's first audio stream, (samples, channels), and their sample rate."""
    try:
        # Metadata that are not UTF-8 must not stop the decoding.
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.audio:
                raise BadAudio(path, UNDECODABLE, "a container without audio")
            stream = container.streams.audio[0]
            to_float = av.AudioResampler(format="fltp")
            frames = [converted for frame in container.decode(stream) for converted in to_float.resample(frame)]
            frames += to_float.resample(None) if frames else []
            blocks = [frame.to_ndarray() for frame in frames]  # (channels, samples) each
            channels = np.concatenate(blocks, axis=1).T if blocks else np.zeros((0, 1), np.float32)
            return channels, stream.rate
    except av.error.FFmpegError as error:
        raise BadAudio(path, UNDECODABLE, error.strerror or "no decoder reads it") from error
