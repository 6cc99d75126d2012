"""Reading sound: any container, rate and channels to one waveform, or a short phrase for what is wrong with it.

Plain 16-bit wav files, which most corpora consist of, are read here, in half of the time that a library takes. soundfile
reads by content and not by name, so an AIFF inside `.wav` is as good as any. What it cannot read (AAC in mp4) PyAV can.
A damaged file never becomes a shorter utterance in silence: the length that its header promises is compared with what
is there.
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
Samples = npt.NDArray[Any]  # float32, or int16 as it was stored

LFS_POINTER = "a Git LFS pointer, not sound"
TRUNCATED = "truncated"
SILENT = "silent"
UNDECODABLE = "undecodable"
UNREADABLE = "unreadable"
EMPTY = "empty"

ADVICE = {
    LFS_POINTER: "fetch the sound itself with `git lfs pull`",
    TRUNCATED: "fetch it again",
    SILENT: "leave it out",
    UNDECODABLE: "fetch it again or leave it out",
    UNREADABLE: "see to it that it exists and may be read",
    EMPTY: "fetch it again",
}

# A peak below -80 dBFS: three steps of 16 bits.
SILENCE = 10 ** (-80 / 20)
STEP = np.float32(2**-15)  # of 16 bits

# Writers that cannot go back to mend the header promise next to 2 GiB (SoX), 4 GiB (FFmpeg) or nothing (GStreamer).
STREAMED_FROM = 0x7FFFF000


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """One utterance's sound, at the rate that it was stored at."""

    waveform: Waveform
    """(samples,), the mean of the channels; -1..1, which floating-point files may exceed a little."""
    sample_rate: int
    """Hz"""
    num_channels: int
    """As stored, before they were averaged."""
    steps: npt.NDArray[np.int16] | None = None
    """(samples,), the waveform as it was stored where that is one channel of 16 bits."""

    def recording(self) -> str:
        """SHA-256 of the samples: equal for equal sound, whatever container, number format and channels hold it."""
        steps = self.steps
        if steps is None:
            scaled = self.waveform / STEP
            rounded = np.rint(scaled)
            if np.array_equal(scaled, rounded) and rounded.min() >= -(2**15) and rounded.max() < 2**15:
                steps = rounded.astype(np.int16)
        return hashlib.sha256(np.ascontiguousarray(self.waveform if steps is None else steps).data).hexdigest()


class BadAudio(DataError):
    """A sound that cannot be used: `reason` is one of the phrases above, `detail` holds the numbers."""

    def __init__(self, path: Path, reason: str, detail: str) -> None:
        super().__init__(path, reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.args[0]} is {self.reason} ({self.detail}); {ADVICE[self.reason]}."


def read_audio(path: Path) -> Audio:
    """Read a sound file and average its channels.

    Raises:
        BadAudio: it is missing, empty, truncated, silent, a Git LFS pointer, or no decoder knows it.
    """
    channels: Samples  # (samples, channels)
    channels, sample_rate = _read_wav(path) or _read_with_soundfile(path) or _read_with_pyav(path)
    num_samples, num_channels = channels.shape
    if num_samples == 0:
        raise BadAudio(path, EMPTY, "0 samples")
    steps: npt.NDArray[np.int16] | None = None
    scaled: Waveform = channels
    if channels.dtype == np.int16:
        steps = np.asarray(channels[:, 0], np.int16) if num_channels == 1 else None
        scaled = channels.astype(np.float32)
        scaled *= STEP
    waveform = scaled[:, 0] if num_channels == 1 else scaled.mean(axis=1)  # (samples,)
    peak = float(max(waveform.max(), -waveform.min()))
    if not math.isfinite(peak):
        raise BadAudio(path, UNDECODABLE, "samples that are no finite numbers")
    if peak < SILENCE:
        raise BadAudio(path, SILENT, f"{num_samples} samples, none above {peak:.1e} of full scale")
    return Audio(waveform, sample_rate, num_channels, steps)


def resample(waveform: Waveform, sample_rate: int, target_rate: int) -> Waveform:
    """Resample as `librosa.load(path, sr=target_rate)` does: soxr in high quality, the length rounded up.

    Args:
        waveform: (samples,)
        sample_rate: Hz
        target_rate: Hz

    Returns:
        (ceil(samples * target_rate / sample_rate),); the very waveform where the rates are equal.
    """
    if sample_rate == target_rate:
        return waveform
    num_samples = math.ceil(len(waveform) * (target_rate / sample_rate))
    resampled: Waveform = soxr.resample(waveform, sample_rate, target_rate, quality="HQ")[:num_samples]
    missing = num_samples - len(resampled)
    return np.pad(resampled, (0, missing)) if missing else resampled


def _read_wav(path: Path) -> tuple[Samples, int] | None:
    """The channels and the rate of a 16-bit wav file; None for any other, which a library reads.

    Refused, from their first bytes, are files that a decoder would not refuse: pointers, and wav files cut short.
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
            form, promised = b"", 0
            for name, size in _chunks(file, start[:4]):
                if name == b"fmt ":
                    form = file.read(min(size, 40))
                elif name == b"data":
                    promised = size
                    break
            there = num_bytes - file.tell()
            if there < promised < STREAMED_FROM:
                raise BadAudio(path, TRUNCATED, f"its header promises {promised} bytes of sound, {there} are there")
            kind = form[24:26] if form[:2] == b"\xfe\xff" else form[:2]  # of the extensible form, what it extends
            _, num_channels, rate, _, width, bits = struct.unpack("<HHIIHH", form[:16].ljust(16, b"\0"))
            plain = start[:4] == b"RIFF" and kind == b"\1\0" and bits == 16 and width == 2 * num_channels > 0 < rate
            if not plain or not 0 < promised < STREAMED_FROM:
                return None
            content = file.read(promised - promised % width)
            return np.frombuffer(content, np.dtype("<i2")).reshape(-1, num_channels), rate
    except OSError as error:
        raise BadAudio(path, UNREADABLE, error.strerror or str(error)) from error


def _chunks(file: BinaryIO, kind: bytes) -> Iterator[tuple[bytes, int]]:
    """The name and promised size of every chunk of a wav file, which then stands at the first byte of its content."""
    order: Literal["little", "big"] = "little" if kind == b"RIFF" else "big"
    while len(header := file.read(8)) == 8:
        size = int.from_bytes(header[4:], order)
        begin = file.tell()
        yield header[:4], size
        file.seek(begin + size + size % 2)  # chunks begin at even places


def _read_with_soundfile(path: Path) -> tuple[Samples, int] | None:
    """The channels, (samples, channels), and the rate; None where soundfile knows no such format or finds nothing."""
    try:
        sound = soundfile.SoundFile(path)
    except soundfile.LibsndfileError:
        return None
    with sound:
        # A header without a length: 0, or the largest number there is.
        if not 0 < sound.frames < 2**31:
            return None
        try:
            # The steps of 16 bits, scaled later, are the same numbers as reading float32, in a third of the time.
            channels = sound.read(dtype="int16" if sound.subtype == "PCM_16" else "float32", always_2d=True)
        except soundfile.LibsndfileError:
            if sound.format != "FLAC":
                return None
            channels = _readable_part(path)
        if sound.format == "FLAC" and len(channels) < sound.frames:
            detail = f"its header promises {sound.frames} samples, {len(channels)} are there"
            raise BadAudio(path, TRUNCATED, detail)
        return channels, sound.samplerate


def _readable_part(path: Path) -> Waveform:
    """What can be read before the damage, to within a block: (samples, channels)."""
    # Opened anew, as a decoder that met damage does not always go back.
    with soundfile.SoundFile(path) as sound:
        blocks = [np.zeros((0, sound.channels), np.float32)]
        with contextlib.suppress(soundfile.LibsndfileError):
            while len(block := sound.read(256, dtype="float32", always_2d=True)):
                blocks.append(block)
    return np.concatenate(blocks)


def _read_with_pyav(path: Path) -> tuple[Waveform, int]:
    """The channels of the first sound in a container, (samples, channels), and their rate."""
    try:
        # Titles and the like that are no UTF-8 are of no concern here.
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.audio:
                raise BadAudio(path, UNDECODABLE, "a container without sound")
            stream = container.streams.audio[0]
            to_float = av.AudioResampler(format="fltp")
            frames = [part for frame in container.decode(stream) for part in to_float.resample(frame)]
            frames += to_float.resample(None) if frames else []
            blocks = [frame.to_ndarray() for frame in frames]  # (channels, samples) each
            channels = np.concatenate(blocks, axis=1).T if blocks else np.zeros((0, 1), np.float32)
            return channels, stream.rate
    except av.error.FFmpegError as error:
        raise BadAudio(path, UNDECODABLE, error.strerror or "no decoder knows it") from error
