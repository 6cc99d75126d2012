"""Containers made of chunks (RIFF, RF64, W64, AIFF, CAF, AVI) or with one length in their header (AU, NIST): are they whole?"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal, NamedTuple

from emokit.data.audio_io.faults import COMPLETE, End

# Writers that cannot seek back to complete the header declare almost 2 GiB (SoX), 4 GiB (FFmpeg) or 0 bytes (GStreamer).
STREAMED_FROM = 0x7FFFF000
LARGEST = 0xFFFFFFFF
NO_LENGTH = End(unknown="its header states no length")
AUDIO = {
    b"WAVE": b"data", b"AIFF": b"SSND", b"AIFC": b"SSND", b"8SVX": b"BODY", b"16SV": b"BODY", b"AVI ": b"LIST",
}  # fmt: skip


class Layout(NamedTuple):
    """How the chunks of a container are written."""

    order: Literal["little", "big"] = "little"
    name_bytes: int = 4
    size_bytes: int = 4
    alignment: int = 2
    size_has_header: bool = False


RIFF, FORM = Layout(), Layout("big")
CAF, W64 = Layout("big", 4, 8, 1), Layout("little", 16, 8, 8, size_has_header=True)


@dataclass(frozen=True, slots=True)
class Wave:
    """What a wav file's chunks declare."""

    layout: bytes
    """The content of the chunk `fmt `, at most 40 bytes."""
    begin: int
    """Where the samples begin, in bytes from the start."""
    declared: int
    """Bytes of samples; 0 or from `STREAMED_FROM` where the writer left it open."""
    end: End


def find_wave(file: BinaryIO, num_bytes: int, container: bytes) -> Wave:
    """The layout of a wav file.

    Args:
        file: at any position.
        num_bytes: of the file.
        container: `RIFF` (little-endian) or `RIFX` (big-endian).
    """
    layout, begin, declared = b"", 0, 0
    order = RIFF if container == b"RIFF" else FORM
    for name, start, size in chunks(file, num_bytes, order, 12):
        if name == b"fmt ":
            file.seek(start)
            layout = file.read(min(size, 40))
        elif name == b"data":
            begin, declared = start, size
            break
    return Wave(layout, begin, declared, end_of_chunks(file, num_bytes, order, 12, b"data"))


def chunks(file: BinaryIO, num_bytes: int, layout: Layout, start: int) -> Iterator[tuple[bytes, int, int]]:
    """The name of each chunk, where its content begins, and the size that it declares."""
    header_bytes = layout.name_bytes + layout.size_bytes
    while start + header_bytes <= num_bytes:
        file.seek(start)
        header = file.read(header_bytes)
        size = int.from_bytes(header[layout.name_bytes :], layout.order)
        if layout.size_has_header:
            size = max(0, size - header_bytes)
        begin = start + header_bytes
        yield header[: layout.name_bytes], begin, size
        start = begin + size + -size % layout.alignment
        if layout.alignment == 2 and size % 2:
            # Some writers forget the byte after a chunk of odd length.
            file.seek(begin + size)
            after = file.read(5)
            start -= after[:4] in AUDIO.values() or (_is_name(after[:4]) and not _is_name(after[1:]))


def end_of_chunks(file: BinaryIO, num_bytes: int, layout: Layout, start: int, audio: bytes) -> End:
    """Whether the chunk of audio, whose name begins with `audio`, is as long as it declares."""
    is_there, size_in_ds64 = False, None
    for name, begin, size in chunks(file, num_bytes, layout, start):
        remaining = num_bytes - begin
        if name == b"ds64":
            file.seek(begin + 8)
            size_in_ds64 = int.from_bytes(file.read(8), "little")
        if name.startswith(audio):
            declared = size_in_ds64 if size == LARGEST and size_in_ds64 is not None else size
            largest = STREAMED_FROM if layout.size_bytes == 4 and size_in_ds64 is None else 2**63
            if not 0 < declared < largest:
                return NO_LENGTH
            if remaining < declared:
                return End(cut=f"its header declares {declared} bytes of audio, it has {remaining}")
            is_there = True
        elif not is_there and size > remaining:
            shown = name[:4].decode("ascii", "replace").strip()
            return End(cut=f"its chunk {shown} declares {size} bytes, it has {remaining}")
        elif is_there and layout.name_bytes == 4 and any(name) and not _is_name(name):
            return End(unknown=f"{remaining} bytes after the audio that its header declares are in no chunk")
    return COMPLETE if is_there else End(unknown="its header declares no audio")


def end_of_au(start: bytes, num_bytes: int) -> End:
    """As `end_of_chunks`, of a file of Sun's audio format."""
    order: Literal["little", "big"] = "big" if start[:4] == b".snd" else "little"
    begin, declared = (int.from_bytes(start[at : at + 4], order) for at in (4, 8))
    if declared in (0, LARGEST):
        return NO_LENGTH
    return _compared(declared, num_bytes - begin)


def end_of_nist(file: BinaryIO, num_bytes: int) -> End:
    """As `end_of_chunks`, of a SPHERE file: its header is text."""
    file.seek(0)
    text = file.read(4096).decode("latin-1")
    fields = {name: int(value) for name, value in re.findall(r"^(\w+) -i (\d{1,18})", text, re.MULTILINE)}
    header = re.match(r"NIST_1A\n\s*(\d{1,9})\n", text)
    try:
        declared = fields["sample_count"] * fields.get("channel_count", 1) * fields["sample_n_bytes"]
    except KeyError:
        return NO_LENGTH
    # Shortened samples are smaller than declared, and their end cannot be told.
    if header is None or re.search(r"^sample_coding .*(shorten|wavpack)", text, re.MULTILINE):
        return NO_LENGTH
    return _compared(declared, num_bytes - int(header[1]))


def _compared(declared: int, remaining: int) -> End:
    if remaining < declared:
        return End(cut=f"its header declares {declared} bytes of audio, it has {max(0, remaining)}")
    return COMPLETE


def _is_name(name: bytes) -> bool:
    return len(name) == 4 and all(0x20 <= byte < 0x7F for byte in name)
