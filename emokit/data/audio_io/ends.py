"""Whether a file was cut: each container that a decoder reads is recognised by its first bytes and checked for its end."""

import re
from dataclasses import replace
from typing import BinaryIO

from emokit.data.audio_io import chunks, elements, frames
from emokit.data.audio_io.faults import End, another_at

LITTLE = (b"RIFF", *chunks.LARGE)
# How a second file begins behind one whose parts do not tell it, and the bytes that are searched at once.
SECOND = re.compile(
    rb"fLaC[\x00\x80]\x00\x00\x22|caff\x00\x01\x00\x00desc|riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
    rb"|(?:RF64|BW64|RIFF).{4}WAVE|FORM.{4}AIF[FC]",
    re.DOTALL,
)
LONGEST, AT_ONCE = 16, 2**20


def find_end(file: BinaryIO, num_bytes: int) -> End:
    """Whether a file goes on to the end that its container states.

    Args:
        file: at any position, which changes.
        num_bytes: of the file.
    """
    begin = _after_id3(file, num_bytes)
    file.seek(begin)
    start = file.read(42)
    end = _end_of(file, num_bytes, begin, start)
    if start[:4] in (b"fLaC", b"caff", b"riff", *chunks.LARGE) and not end.odd:
        return replace(end, odd=_second_file(file, begin + 1))
    return end


def _end_of(file: BinaryIO, num_bytes: int, begin: int, start: bytes) -> End:
    form = start[8:12]
    if start[:4] in (*LITTLE, b"RIFX", b"FORM") and form in chunks.AUDIO:
        layout = chunks.RIFF if start[:4] in LITTLE else chunks.FORM
        return chunks.end_of_chunks(file, num_bytes, layout, begin + 12, chunks.AUDIO[form])
    if start[:4] == b"caff":
        return chunks.end_of_chunks(file, num_bytes, chunks.CAF, begin + 8, b"data")
    if start[:4] == b"riff" and start[24:28] == b"wave":
        return chunks.end_of_chunks(file, num_bytes, chunks.W64, begin + 40, b"data")
    if start[:4] in (b".snd", b"dns."):
        return chunks.end_of_au(start, num_bytes)
    if start[:7] == b"NIST_1A":
        return chunks.end_of_nist(file, num_bytes)
    if start[:4] == b"fLaC":
        # The first block of a FLAC file, STREAMINFO, ends with the number of samples (36 bits) and their MD5, zeros if unknown.
        num_samples = int.from_bytes(start[21:26], "big") & (2**36 - 1)
        md5, bits = start[26:42], ((start[20] & 1) << 4 | start[21] >> 4) + 1 if len(start) == 42 else 0
        end = End(num_samples=num_samples) if num_samples else chunks.NO_LENGTH
        return replace(end, md5=md5, bits=bits) if bits in (8, 16, 24) and any(md5) else end
    if start[:4] == b"OggS":
        return frames.end_of_ogg(file, num_bytes)
    if start[:4] == b"FLV\1":
        return frames.end_of_flv(file, num_bytes)
    if start[:4] == elements.EBML:
        return elements.end_of_matroska(file, num_bytes)
    if start[4:8] in elements.BOXES:
        return elements.end_of_mp4(file, num_bytes)
    if begin or frames.frame_bytes(start):
        return frames.end_of_mp3(file, num_bytes, begin)
    return End(unknown="its container states no end that can be checked")


def _second_file(file: BinaryIO, position: int) -> tuple[str, ...]:
    file.seek(position)
    before = b""
    while content := file.read(AT_ONCE):
        if match := SECOND.search(before + content):
            return (another_at(position - len(before) + match.start()),)
        position += len(content)
        before = (before + content)[1 - LONGEST :]
    return ()


def _after_id3(file: BinaryIO, num_bytes: int) -> int:
    """Where the content begins after tags of ID3v2, which may precede it in any format."""
    begin = 0
    while begin < num_bytes:
        file.seek(begin)
        tag = file.read(10)
        if len(tag) < 10 or tag[:3] != b"ID3":
            break
        size = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(reversed(tag[6:10])))
        begin += 10 + size + 10 * bool(tag[5] & 0x10)
    return begin
