"""The decoders: 16-bit PCM wav files are parsed here, soundfile reads what it can, PyAV the rest, such as AAC in mp4."""

import contextlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
import soundfile

from emokit.data.audio_io.chunks import STREAMED_FROM, Wave
from emokit.data.audio_io.faults import UNDECODABLE, WRONG_RATE, BadAudio
from emokit.data.audio_io.plausible import Header, Samples, Waveform

# A playlist or a list of files would have FFmpeg open further files or addresses.
NO_OTHER_FILE = {"protocol_whitelist": "none"}

# Encodings whose blocks have checksums, which FFmpeg compares only when told.
CHECKED = ("flac", "tta", "wavpack", "ac3", "eac3")


def read_plain(
    path: Path, file: BinaryIO, wave: Wave, container: bytes, max_seconds: float
) -> tuple[Samples, int] | None:
    """The channels (samples, channels) and sample rate of a 16-bit PCM wav file; None for other files, which a library reads."""
    layout = wave.layout
    encoding = layout[24:26] if layout[:2] == b"\xfe\xff" else layout[:2]  # WAVE_FORMAT_EXTENSIBLE: its subformat
    _, num_channels, rate, _, _, bits = struct.unpack("<HHIIHH", layout[:16].ljust(16, b"\0"))
    is_pcm = container == b"RIFF" and encoding == b"\1\0"
    is_plain = is_pcm and bits == 16 and num_channels > 0
    width = 2 * num_channels  # the stated one may be wrong, which `layouts` has flagged
    if not is_plain or not 0 < wave.declared < STREAMED_FROM:
        return None
    header = Header(path, rate, num_channels, max_seconds)
    header.check_rate()
    header.check_length(wave.declared // width)
    file.seek(wave.begin)
    content = file.read(wave.declared - wave.declared % width)
    return np.frombuffer(content, np.dtype("<i2")).reshape(-1, num_channels), rate


def read_with_soundfile(path: Path, max_seconds: float) -> tuple[Samples, int] | None:
    """The channels (samples, channels) and sample rate; None where soundfile does not read the format or finds no samples."""
    try:
        with _sound_file(path) as sound:
            # A header without a length declares 0 or the largest number.
            if not 0 < sound.frames < 2**31:
                return None
            header = Header(path, sound.samplerate, sound.channels, max_seconds)
            header.check_rate()
            header.check_length(sound.frames)
            try:
                # The number is named because some encodings cannot be searched for it, such as GSM.
                # Reading int16 and scaling later gives the same numbers as reading float32, in a third of the time.
                channels = sound.read(
                    sound.frames, dtype="int16" if sound.subtype == "PCM_16" else "float32", always_2d=True
                )
            except soundfile.LibsndfileError:
                if sound.format != "FLAC":
                    return None
                channels = _read_until_damage(path)
            return channels, sound.samplerate
    except soundfile.LibsndfileError:
        return None


@contextlib.contextmanager
def _sound_file(path: Path) -> Iterator[soundfile.SoundFile]:
    """The file opened by its descriptor: soundfile takes not every name, and decides by some endings."""
    with path.open("rb", buffering=0) as raw, soundfile.SoundFile(raw.fileno(), closefd=False) as sound:
        yield sound


def _read_until_damage(path: Path) -> Waveform:
    """The readable samples before the damage, to within a block: (samples, channels)."""
    # A decoder that met damage cannot always seek back, so the file is reopened.
    with _sound_file(path) as sound:
        blocks = [np.zeros((0, sound.channels), np.float32)]
        with contextlib.suppress(soundfile.LibsndfileError):
            while len(block := sound.read(256, dtype="float32", always_2d=True)):
                blocks.append(block)
    return np.concatenate(blocks)


def _rate_and_channels(stream: av.AudioStream) -> tuple[int, int]:
    """The declared sample rate and number of channels of a stream.

    Raises:
        ValueError: no decoder knows its encoding; PyAV gives such a stream no attributes.
    """
    if stream.codec_context is None:
        raise ValueError("its encoding is unknown")
    return stream.rate or 0, stream.channels or 1


def read_with_pyav(path: Path, file: BinaryIO, max_seconds: float) -> tuple[Waveform, int]:
    """The channels of a container's first audio stream, (samples, channels), and their sample rate."""
    file.seek(0)
    try:
        # Metadata that are not UTF-8 must not stop the decoding.
        with av.open(file, metadata_errors="replace", options=NO_OTHER_FILE) as container:
            if not container.streams.audio:
                raise BadAudio(path, UNDECODABLE, "a container without audio")
            stream = container.streams.audio[0]
            rate, num_channels = _rate_and_channels(stream)
            header = Header(path, rate, num_channels, max_seconds)
            header.check_rate()
            if stream.codec_context.name in CHECKED:
                stream.codec_context.options = {"err_detect": "crccheck+explode"}
            to_float = av.AudioResampler(format="fltp")
            blocks, num_samples = [], 0  # (channels, samples) each
            for frame in container.decode(stream):
                if frame.sample_rate != header.sample_rate:
                    detail = f"{frame.sample_rate} Hz in a stream of {header.sample_rate} Hz"
                    raise BadAudio(path, WRONG_RATE, detail)
                blocks += [converted.to_ndarray() for converted in to_float.resample(frame)]
                num_samples += frame.samples
                header.check_length(num_samples)
            blocks += [frame.to_ndarray() for frame in to_float.resample(None)] if blocks else []
            channels = np.concatenate(blocks, axis=1).T if blocks else np.zeros((0, 1), np.float32)
            return channels, header.sample_rate
    except MemoryError:
        raise  # av's is an FFmpegError too
    except (av.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        # Codes of its own decoders, such as that of a wrong checksum, have no words in FFmpeg.
        has_words = reason and not reason.startswith("Error number")
        raise BadAudio(path, UNDECODABLE, reason if has_words else "its decoder fails") from error
