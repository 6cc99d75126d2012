"""MP4 and Matroska, whole, cut, and with lengths that were left open."""

import io
import struct
import zlib

import pytest

from emokit.data.audio_io.elements import end_of_matroska, end_of_mp4
from emokit.data.audio_io.faults import COMPLETE, End


def box(name: bytes, content: bytes, size: int | None = None) -> bytes:
    return struct.pack(">I", 8 + len(content) if size is None else size) + name + content


def mp4(*boxes: bytes) -> End:
    content = b"".join(boxes)
    return end_of_mp4(io.BytesIO(content), len(content))


def matroska(content: bytes) -> End:
    return end_of_matroska(io.BytesIO(content), len(content))


HEAD = b"\x1a\x45\xdf\xa3\x84" + bytes(4)
OPEN = b"\x01" + b"\xff" * 7


def test_every_box_is_as_long_as_it_declares() -> None:
    assert mp4(box(b"ftyp", b"isom"), box(b"moov", bytes(20)), box(b"mdat", bytes(50))) == COMPLETE
    assert mp4(box(b"ftyp", b"isom"), box(b"mdat", bytes(50)), bytes(16)) == COMPLETE
    large = struct.pack(">I4sQ", 1, b"mdat", 66)
    assert mp4(large + bytes(50)) == COMPLETE
    assert mp4(large + bytes(49)) == End(cut="its part mdat declares 66 bytes, it has 65")
    assert mp4(box(b"ftyp", b"isom"), box(b"mdat", bytes(50), size=100)) == End(
        cut="its part mdat declares 100 bytes, it has 58"
    )


def test_an_mp4_whose_end_is_open_is_unknown() -> None:
    assert mp4(box(b"moov", b""), box(b"mdat", bytes(50), size=0)) == End(unknown="its last part states no length")
    assert mp4(box(b"moov", b""), box(b"moof", b""), box(b"mdat", bytes(50))) == End(
        unknown="it is in fragments, without an index at its end"
    )
    assert mp4(box(b"moov", b""), box(b"moof", b""), box(b"mdat", bytes(50)), box(b"mfra", b"")) == COMPLETE
    assert mp4(box(b"moov", b""), struct.pack(">I", 3), bytes(9)) == End(unknown="13 bytes at its end are in no part")


SEGMENT = b"\x18\x53\x80\x67\x40\x64"  # 100 bytes


def test_the_segment_is_as_long_as_it_declares() -> None:
    void = b"\xec\xe2" + bytes(98)
    assert matroska(HEAD + SEGMENT + void) == COMPLETE
    assert matroska(HEAD + SEGMENT + void + bytes(7)) == COMPLETE
    assert matroska(HEAD + SEGMENT + void[:60]) == End(cut="its header declares 100 bytes, it has 60")


def test_what_is_in_a_segment_is_in_elements() -> None:
    assert matroska(HEAD + SEGMENT + bytes(100)) == End(damage="it has no complete element at byte 15")
    assert matroska(HEAD + SEGMENT + b"\xec\xe3" + bytes(98)) == End(
        damage="its element at byte 15 declares 99 bytes, it has 98"
    )


def test_an_element_has_the_checksum_that_it_states() -> None:
    content = b"\xa3\xd9" + bytes(range(89))
    cluster = b"\x1f\x43\xb6\x75\x40\x61" + b"\xbf\x84" + struct.pack("<I", zlib.crc32(content)) + content
    segment = HEAD + b"\x18\x53\x80\x67\x40\x67" + cluster
    assert matroska(segment) == COMPLETE
    assert matroska(segment[:-5] + bytes(5)) == End(damage="its element at byte 15 has another checksum than it states")


def test_a_segment_of_open_length_ends_with_a_complete_element() -> None:
    cluster = b"\x18\x53\x80\x67" + OPEN + b"\x1f\x43\xb6\x75" + OPEN
    block = b"\xa3\x8a" + bytes(10)
    assert matroska(HEAD + cluster + block * 2) == End(unknown="its header states no length")
    assert matroska(HEAD + cluster + block + block[:6]) == End(cut="its header declares 10 bytes, it has 4")


@pytest.mark.parametrize("rest", [b"\0" * 12, b"\xa3"])
def test_bytes_that_are_no_element_are_a_cut(rest: bytes) -> None:
    assert matroska(HEAD + rest) == End(cut="it has no complete element at byte 9")
