"""Containers of nested elements, MP4 (with MOV and M4A) and Matroska (with WebM): do they go on to the end that they state?"""

import zlib
from typing import BinaryIO

from emokit.data.audio_io.faults import COMPLETE, End, another_at

# The first box of an MP4 file.
BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"moof")
EBML = b"\x1a\x45\xdf\xa3"
CHECKSUM = b"\xbf\x84"  # its name and its size of 4 bytes
BLOCK_BYTES = 2**20
SEGMENT, CLUSTER = 0x18538067, 0x1F43B675


def end_of_mp4(file: BinaryIO, num_bytes: int) -> End:
    """Whether every box is as long as it declares."""
    names, position = set(), 0
    while position + 8 <= num_bytes:
        file.seek(position)
        header = file.read(16)
        size, name = int.from_bytes(header[:4], "big"), header[4:8]
        if size == 1:
            size = int.from_bytes(header[8:], "big")
        if not any(header[:8]):
            break  # zeros after the last box
        if size == 0:
            return End(unknown="its last part states no length")
        if size < 8:
            return End(unknown=f"{num_bytes - position} bytes at its end are in no part")
        if position + size > num_bytes:
            shown = name.decode("ascii", "replace")
            return End(cut=f"its part {shown} declares {size} bytes, it has {num_bytes - position}")
        if name == b"ftyp" and name in names:
            return End(odd=(another_at(position),))
        names.add(name)
        position += size
    if b"moof" in names and b"mfra" not in names:
        return End(unknown="it is in fragments, without an index at its end")
    return COMPLETE


def end_of_matroska(file: BinaryIO, num_bytes: int) -> End:
    """Whether the segment is as long as it declares, and its elements have the checksums that they state.

    Of a segment whose length was left open, whether its last element is complete.
    """
    position, end, has_length = 0, num_bytes, False
    while position < end:
        file.seek(position)
        head = file.read(12)
        id_bytes = 9 - head[0].bit_length()
        size_bytes = 9 - head[id_bytes].bit_length() if len(head) > id_bytes else 9
        if id_bytes > 4 or size_bytes > 8 or len(head) < id_bytes + size_bytes:
            sentence = f"it has no complete element at byte {position}"
            return End(damage=sentence) if has_length else End(cut=sentence)
        name = int.from_bytes(head[:id_bytes], "big")
        mask = 2 ** (7 * size_bytes) - 1
        size = int.from_bytes(head[id_bytes : id_bytes + size_bytes], "big") & mask
        begin = position + id_bytes + size_bytes
        if size == mask and name in (SEGMENT, CLUSTER):
            position = begin  # its length was left open: its elements follow
            continue
        if begin + size > end:
            sentence = f"declares {size} bytes, it has {end - begin}"
            if has_length:
                return End(damage=f"its element at byte {position} {sentence}")
            return End(cut=f"its header {sentence}")
        if name == SEGMENT:
            position, end, has_length = begin, begin + size, True
            continue
        if id_bytes == 4 and not _agrees(file, begin, size):
            return End(damage=f"its element at byte {position} has another checksum than it states")
        position = begin + size
    return COMPLETE if has_length else End(unknown="its header states no length")


def _agrees(file: BinaryIO, begin: int, size: int) -> bool:
    """Whether an element's first part is no checksum, or that of its other parts."""
    file.seek(begin)
    first = file.read(min(size, 6))
    if first[:2] != CHECKSUM:
        return True
    checksum, remaining = 0, size - len(first)
    while remaining > 0 and (block := file.read(min(remaining, BLOCK_BYTES))):
        checksum = zlib.crc32(block, checksum)
        remaining -= len(block)
    return checksum == int.from_bytes(first[2:], "little")
