"""Containers made of chunks (RIFF, RF64, W64, AIFF, CAF, AVI) or with one length in their header (AU, NIST): are they whole?"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, Literal, NamedTuple

from emokit.data.audio_io.faults import COMPLETE, End, another_at
from emokit.data.audio_io.layouts import Verdict, judge

# Writers that cannot seek back to complete the header declare almost 2 GiB (SoX), 4 GiB (FFmpeg) or 0 bytes (GStreamer).
STREAMED_FROM = 0x7FFFF000
LARGEST = 0xFFFFFFFF
NO_LENGTH = End(unknown="its header states no length")
AUDIO = {
    b"WAVE": b"data", b"AIFF": b"SSND", b"AIFC": b"SSND", b"8SVX": b"BODY", b"16SV": b"BODY", b"AVI ": b"LIST",
}  # fmt: skip
LARGE = (b"RF64", b"BW64")
# The chunk that says how the samples are stored, by the chunk that has them.
DESCRIPTIONS = {b"data": b"fmt ", b"SSND": b"COMM"}


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
    """What the chunks of a wav file, or of a container like it, declare."""

    layout: bytes
    """The content of the chunk that says how samples are stored (`fmt ` of wav), at most 40 bytes."""
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
    return _survey(file, num_bytes, RIFF if container == b"RIFF" else FORM, 12, b"data")


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
    """Whether the chunk of audio, whose name begins with `audio`, is as long as it declares, and agrees with the others.

    Args:
        file: at any position.
        num_bytes: of the file.
        layout: of its chunks.
        start: of the first chunk.
        audio: the name, or its first bytes.
    """
    return _survey(file, num_bytes, layout, start, audio).end


def _survey(file: BinaryIO, num_bytes: int, layout: Layout, start: int, audio: bytes) -> Wave:
    """What the chunks declare, up to the first one that is not complete."""
    description = b"desc" if layout is CAF else DESCRIPTIONS.get(audio, b"none")
    described: list[bytes] = []
    begin_of_audio, size_of_audio, declared, end = 0, 0, 0, End(unknown="its header declares no audio")
    ds64, odd = b"", list[str]()
    for name, begin, size in chunks(file, num_bytes, layout, start):
        remaining = num_bytes - begin
        if name == b"ds64":
            file.seek(begin)
            ds64 = file.read(16)
        elif name[:4] == description:
            file.seek(begin)
            described.append(file.read(min(size, 40)))
        if begin_of_audio and name in (b"RIFF", b"FORM", *LARGE) and audio != b"LIST":
            odd.append(another_at(begin - 8))
            break
        if begin_of_audio and name.startswith(audio) and audio != b"LIST":
            odd.append(f"{size} bytes in a second chunk of audio, which is not read")
        elif name.startswith(audio):
            begin_of_audio, size_of_audio = begin, size
            declared = int.from_bytes(ds64[8:], "little") if size == LARGEST and ds64 else size
            largest = STREAMED_FROM if layout.size_bytes == 4 and not ds64 else 2**63
            if not 0 < declared < largest:
                end = NO_LENGTH
                break
            if remaining < declared:
                return Wave(b"", 0, 0, End(cut=f"its header declares {declared} bytes of audio, it has {remaining}"))
            end = COMPLETE
        elif not begin_of_audio and size > remaining:
            return Wave(b"", 0, 0, End(cut=f"its chunk {_shown(name[:4])} declares {size} bytes, it has {remaining}"))
        elif begin_of_audio and any(name) and not _is_name(name[:4]):
            end = End(unknown=f"{remaining} bytes after the audio that its header declares are in no chunk")
            break
    has_length = end is not NO_LENGTH and begin_of_audio > 0
    verdict = Verdict()
    if described and described[0] != described[-1]:
        verdict = Verdict(f"its header has {len(described)} chunks {_shown(description)} that differ")
    elif described:
        verdict = judge(description, described[0], layout.order, declared if has_length else 0)
        if len(described) > 1:
            odd.append(f"{len(described)} equal chunks {_shown(description)}")
    if has_length:
        odd += _size_of_all(file, num_bytes, layout, start, begin_of_audio + declared, ds64)
    end = replace(end, damage=verdict.damage, odd=(*verdict.odd, *odd))
    return Wave(described[0] if described else b"", begin_of_audio, size_of_audio, end)


def _size_of_all(
    file: BinaryIO, num_bytes: int, layout: Layout, start: int, end_of_audio: int, ds64: bytes
) -> list[str]:
    """What is wrong with the size that the container states for itself; one that was left open is not wrong."""
    if layout is CAF:
        return []
    if layout is W64:
        file.seek(start - 24)
        stated = int.from_bytes(file.read(8), "little")
    else:
        file.seek(start - 12)
        tag = file.read(8)
        if tag[:4] in LARGE and not ds64:
            return [f"it is marked {_shown(tag[:4])} and has no chunk ds64"]
        size = int.from_bytes(tag[4:], layout.order)
        if size == LARGEST and ds64:
            size = int.from_bytes(ds64[:8], "little")
        stated = start - 4 + size if 0 < size < (2**63 if ds64 else STREAMED_FROM) else 0
    # The byte that fills up an odd chunk may be counted or not, and there or not.
    if stated and stated < end_of_audio:
        return [f"{stated} bytes in all, its audio ends after {end_of_audio}"]
    return [f"{stated} bytes in all, it has {num_bytes}"] if stated > num_bytes + 1 else []


def _shown(name: bytes) -> str:
    return name.decode("ascii", "replace").strip()


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
    if remaining > declared:
        return End(odd=(f"{remaining - declared} bytes after the audio that its header declares",))
    return COMPLETE


def _is_name(name: bytes) -> bool:
    return len(name) == 4 and all(0x20 <= byte < 0x7F for byte in name)
