"""Containers of frames, tags or pages, MP3, FLV and Ogg: do they go on to the end that they state?"""

import zlib
from typing import BinaryIO

from emokit.data.audio_io.faults import End, another_at

ENDS_STREAM = 4  # the flag of an Ogg page that is its stream's last
BEGINS_STREAM = 2
LARGEST = 0xFFFFFFFF
REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
SEARCHED = 65_536  # bytes before the first frame

# Kilobits per second by the header's four bits, of MPEG 1 and of MPEG 2 and 2.5, by layer.
_MPEG_1 = {
    1: (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_LOW = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MPEG_2 = {1: (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256), 2: _LOW, 3: _LOW}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


def end_of_ogg(file: BinaryIO, num_bytes: int) -> End:
    """Whether every page is complete, has the checksum that it states and follows the one before, and the last is the end."""
    position, flags, is_last = 0, BEGINS_STREAM, False
    odd: list[str] = []
    numbers: dict[bytes, int] = {}  # by stream, of its last page
    while position < num_bytes:
        file.seek(position)
        header = file.read(27)
        if not header.startswith(b"OggS"):
            # What other programs append to a complete stream does not matter.
            return End(cut="" if is_last else f"it has no page at byte {position}", odd=tuple(odd[:1]))
        sizes = file.read(header[26]) if len(header) == 27 else b""
        content = file.read(sum(sizes))
        if len(header) < 27 or len(sizes) < header[26] or len(content) < sum(sizes):
            return End(cut=f"its page at byte {position} is not complete")
        # The checksum is of the page with zeros in its place.
        page = b"".join((header[:22], bytes(4), header[26:], sizes, content))
        if int.from_bytes(header[22:26], "little") != ogg_checksum(page):
            return End(damage=f"its page at byte {position} has another checksum than it states")
        was_begin, flags = flags & BEGINS_STREAM, header[5]
        stream, number = header[14:18], int.from_bytes(header[18:22], "little")
        if flags & BEGINS_STREAM and not was_begin:
            odd.append(another_at(position, "stream"))
        elif stream in numbers and number != numbers[stream] + 1:
            odd.append(f"page {number} follows page {numbers[stream]} at byte {position}")
        numbers[stream] = number
        is_last = bool(flags & ENDS_STREAM)
        position += len(page)
    # A recorded broadcast has no such mark, and one that was cut between two pages has none either.
    return End(unknown="" if is_last else "its last page is not marked as the end", odd=tuple(odd[:1]))


def ogg_checksum(page: bytes) -> int:
    """CRC-32 of the polynomial 0x04C11DB7 from the highest bit on, beginning with 0: zlib's with all bits in reverse."""
    reverse = zlib.crc32(page.translate(REVERSED), LARGEST) ^ LARGEST
    return int.from_bytes(reverse.to_bytes(4, "little").translate(REVERSED), "big")


def end_of_flv(file: BinaryIO, num_bytes: int) -> End:
    """Whether every tag is complete and followed by its size; how many there are is stated nowhere."""
    file.seek(5)
    position = int.from_bytes(file.read(4), "big") + 4
    while position < num_bytes:
        file.seek(position)
        header = file.read(11)
        size = 11 + int.from_bytes(header[1:4], "big")
        if len(header) < 11 or position + size + 4 > num_bytes:
            return End(cut=f"its tag at byte {position} is not complete")
        file.seek(position + size)
        # Some writers leave the size 0.
        if int.from_bytes(file.read(4), "big") not in (size, size - 11, 0):
            return End(damage=f"its tag at byte {position} is followed by another size than its own")
        position += size + 4
    return End(unknown="its header states no length")


def frame_bytes(header: bytes) -> int:
    """The length of an MPEG audio frame from its first 4 bytes; 0 where they are none, or do not tell it."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    rate_index, bitrate_index = header[2] >> 2 & 3, header[2] >> 4
    if version == 1 or layer == 4 or rate_index == 3 or bitrate_index in (0, 15):
        return 0
    bits = 1000 * (_MPEG_1 if version == 3 else _MPEG_2)[layer][bitrate_index - 1]
    rate, padding = _RATES[version][rate_index], header[2] >> 1 & 1
    if layer == 1:
        return 4 * (12 * bits // rate + padding)
    return (72 if layer == 3 and version != 3 else 144) * bits // rate + padding


def end_of_mp3(file: BinaryIO, num_bytes: int, start: int) -> End:
    """Whether an MP3 file has the frames that its first one declares; without such a frame, whether its last is complete.

    Args:
        file: at any position.
        num_bytes: of the file.
        start: of the first frame, or of padding before it.
    """
    position = _first_frame(file, start)
    if position is None:
        return End(unknown="it has no frames of MPEG audio with a known length")
    file.seek(position)
    declared = _declared_frames(file.read(200))
    count = -1 if declared else 0  # the frame that declares the number is not counted
    cut, odd = "", ""
    while position < num_bytes:
        file.seek(position)
        header = file.read(4)
        length = frame_bytes(header)
        if position + max(length, 4) > num_bytes and header[:1] == b"\xff":
            cut = f"its last frame declares {max(length, 4)} bytes, it has {num_bytes - position}"
            break
        if not length:
            odd = another_at(position) if header.startswith(b"ID3") else ""
            break  # a tag, or what other programs append
        count += 1
        position += length
    if declared:
        # Encoders differ in whether they count the frame that declares the number.
        counts = f"declares {declared} frames, it has {count}"
        if count < declared - 1:
            return End(cut=f"its header {counts}")
        odd = odd or (f"its header {counts}" if count > declared + 1 else "")
        return End(odd=(odd,) * bool(odd))
    unknown = "it is an MP3 file whose header states no length"
    return End(cut=cut) if cut else End(unknown=unknown, odd=(odd,) * bool(odd))


def _first_frame(file: BinaryIO, start: int) -> int | None:
    """Where the first frame begins that another one follows, or that is the only one."""
    file.seek(start)
    data = file.read(SEARCHED)
    position = data.find(b"\xff")
    while position >= 0:
        length = frame_bytes(data[position : position + 4])
        following = data[position + length : position + length + 4]
        if length and (len(following) < 4 or frame_bytes(following)):
            return start + position
        position = data.find(b"\xff", position + 1)
    return None


def _declared_frames(frame: bytes) -> int:
    """The number of frames that a header of Xing, LAME or Fraunhofer in the first frame declares; 0 without one."""
    is_mpeg_1, is_mono = frame[1] >> 3 & 3 == 3, frame[3] >> 6 == 3
    at = 4 + ((17 if is_mono else 32) if is_mpeg_1 else (9 if is_mono else 17))
    if frame[at : at + 4] in (b"Xing", b"Info") and frame[at + 7] & 1:
        return int.from_bytes(frame[at + 8 : at + 12], "big")
    if frame[36:40] == b"VBRI":
        return int.from_bytes(frame[50:54], "big")
    return 0
