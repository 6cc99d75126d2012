"""The one place that decides whether audio is plausible: used as it is, flagged, repaired or refused, each with the reason."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from emokit.data.audio_io.faults import (
    DAMAGED,
    EMPTY,
    NOT_FINITE,
    SILENT,
    TOO_LONG,
    TOO_LOUD,
    TRUNCATED,
    UNDECODABLE,
    WRONG_RATE,
    BadAudio,
    End,
)

Waveform = npt.NDArray[np.float32]
Samples = npt.NDArray[Any]  # float32, or int16 as stored

# Peak of -80 dBFS: three steps of 16 bits.
SILENCE = 10 ** (-80 / 20)
INT16_STEP = np.float32(2**-15)
# Encoders overshoot full scale by less than the first factor; between the second and the next, no scale is likely.
OVERSHOOT, LOUDEST = 2.0, 8.0
# Peaks of 16-bit samples stored as floats, from -42 dBFS; samples of 24 or 32 bits with these peaks would hardly be audible.
INT16_PEAKS = (2.0**8, 2.0**16)
RATES = (4_000, 768_000)
MAX_SECONDS = 4 * 3600.0
# Decoded numbers of all channels, 5.5 GB as float32: four hours of stereo at 48 kHz.
MAX_VALUES = 4 * 3600 * 48_000 * 2
SHORT_SECONDS = 0.1

NO_END = "its end cannot be checked"
ODD = "its container is odd"
SHORT = f"shorter than {SHORT_SECONDS:g} s"
ABOVE_FULL_SCALE = "samples above full scale"
INT16_SCALE = "floats of 16-bit scale, repaired by dividing them by 32768"


class Flag(NamedTuple):
    """What is odd about audio that is used all the same, or how it was repaired."""

    reason: str
    """A short phrase, the same for all files of the kind."""
    detail: str
    """The numbers."""

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})"


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """The audio of one file, at its stored sample rate."""

    waveform: Waveform
    """(samples,), the mean of the channels; -1..1, which lossy and floating-point files may exceed."""
    sample_rate: int
    """Hz"""
    num_channels: int
    """As stored, before averaging."""
    int16_waveform: npt.NDArray[np.int16] | None = None
    """(samples,), the waveform as stored; None unless that is one channel of 16 bits."""
    flags: tuple[Flag, ...] = ()

    def recording_hash(self) -> str:
        """SHA-256 of the samples: equal for equal audio in any container, number format and number of channels."""
        stored = self.int16_waveform
        if stored is None:
            scaled = self.waveform / INT16_STEP
            rounded = np.rint(scaled)
            if np.array_equal(scaled, rounded) and rounded.min() >= -(2**15) and rounded.max() < 2**15:
                stored = rounded.astype(np.int16)
        return hashlib.sha256(np.ascontiguousarray(self.waveform if stored is None else stored).data).hexdigest()


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of its samples, checked before they are decoded."""

    path: Path
    sample_rate: int
    num_channels: int
    max_seconds: float = MAX_SECONDS

    def check_rate(self) -> None:
        """Refuse a sample rate that no recording of speech has.

        Raises:
            BadAudio: it is too low or too high.
        """
        lowest, highest = RATES
        if not lowest <= self.sample_rate <= highest:
            raise BadAudio(self.path, WRONG_RATE, f"{self.sample_rate} Hz, expected {lowest} to {highest} Hz")

    def check_length(self, num_samples: int) -> None:
        """Refuse more samples than are decoded at most.

        Raises:
            BadAudio: there are more.
        """
        seconds = min(self.max_seconds, MAX_VALUES / (self.sample_rate * max(1, self.num_channels)))
        if num_samples > seconds * self.sample_rate:
            channels = "1 channel" if self.num_channels == 1 else f"{self.num_channels} channels"
            at_most = f"at most {seconds:g} s of {channels} at {self.sample_rate} Hz are read"
            raise BadAudio(self.path, TOO_LONG, f"{num_samples / self.sample_rate:.1f} s or more, {at_most}")


def check_end(path: Path, end: End) -> None:
    """Refuse a file that is cut or damaged, before it is decoded.

    Raises:
        BadAudio: it is.
    """
    if end.cut:
        raise BadAudio(path, TRUNCATED, end.cut)
    if end.damage:
        raise BadAudio(path, DAMAGED, end.damage)


def plausible(path: Path, channels: Samples, sample_rate: int, end: End) -> Audio:
    """Audio from decoded samples, with its flags and repairs.

    Args:
        path: of the file.
        channels: (samples, channels) as decoded.
        sample_rate: Hz.
        end: what the container says of its end.

    Raises:
        BadAudio: it is truncated, empty, damaged, silent, not finite or far above full scale.
    """
    num_samples, num_channels = channels.shape
    if num_samples < end.num_samples:
        raise BadAudio(path, TRUNCATED, f"its header declares {end.num_samples} samples, it has {num_samples}")
    if num_samples == 0:
        raise BadAudio(path, EMPTY, "0 samples")
    if end.md5 and _md5(channels, end.bits) != end.md5:
        raise BadAudio(path, DAMAGED, "its samples have another MD5 than its header states")
    flags = [Flag(NO_END, end.unknown)] if end.unknown else []
    flags += [Flag(ODD, " and ".join(end.odd))] if end.odd else []
    int16_waveform: npt.NDArray[np.int16] | None = None
    scaled: Waveform = channels
    if channels.dtype == np.int16:
        int16_waveform = np.asarray(channels[:, 0], np.int16) if num_channels == 1 else None
        scaled = channels.astype(np.float32)
        scaled *= INT16_STEP
    else:
        scaled, of_range = _in_range(path, channels)
        flags += of_range
    waveform = scaled[:, 0] if num_channels == 1 else scaled.mean(axis=1)  # (samples,)
    peak = _peak(waveform)
    if peak < SILENCE:
        raise BadAudio(path, SILENT, f"{num_samples} samples, peak {peak:.1e} of full scale")
    if waveform.max() - waveform.min() < SILENCE:
        raise BadAudio(path, SILENT, f"{num_samples} samples, all of them {waveform[0]:.3g} of full scale")
    if num_samples < SHORT_SECONDS * sample_rate:
        flags.append(Flag(SHORT, f"{num_samples} samples at {sample_rate} Hz"))
    return Audio(waveform, sample_rate, num_channels, int16_waveform, tuple(flags))


def _md5(channels: Samples, bits: int) -> bytes:
    """MD5 of samples (samples, channels) as integers of 8, 16 or 24 bits, which float32 holds exactly; as FLAC computes it."""
    if channels.dtype == np.int16:
        data = channels.astype("<i2").tobytes()
    else:
        integers = np.ascontiguousarray(
            np.rint(channels * 2.0 ** (bits - 1)), "<i4"
        )  # their lowest bytes are those of fewer bits
        data = integers.view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes()
    return hashlib.md5(data, usedforsecurity=False).digest()


def checked_features(
    extractor: Callable[[Waveform], npt.NDArray[Any]], waveform: Waveform, path: Path
) -> npt.NDArray[Any]:
    """The features (frames, bins) of a waveform (samples,).

    Raises:
        BadAudio: they are not finite.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        features = extractor(waveform)
        num_wrong = int((~np.isfinite(features)).sum())
    if num_wrong:
        raise BadAudio(path, NOT_FINITE, f"{num_wrong} of {features.size} numbers are not finite")
    return features


def _in_range(path: Path, channels: Waveform) -> tuple[Waveform, list[Flag]]:
    """Samples (samples, channels) in the range of audio, and what was odd about it."""
    peak = _peak(channels)
    if not math.isfinite(peak):
        raise BadAudio(path, UNDECODABLE, "samples are not finite numbers")
    if peak <= OVERSHOOT:
        return channels, []
    if peak <= LOUDEST:
        return channels, [Flag(ABOVE_FULL_SCALE, f"peak {peak:.3g} of full scale")]
    quietest, loudest = INT16_PEAKS
    if quietest <= peak <= loudest:
        return channels * INT16_STEP, [Flag(INT16_SCALE, f"peak {peak:.6g} of full scale")]
    raise BadAudio(path, TOO_LOUD, f"peak {peak:.3g} of full scale")


def _peak(samples: Waveform) -> float:
    return float(max(samples.max(), -samples.min()))
