"""Chunks that say how samples are stored (`fmt ` of wav and W64, `COMM` of AIFF, `desc` of CAF): do they contradict themselves?

A number that nothing depends on may be wrong, and is flagged: some recorders write it so. Where the width of the samples is in
doubt, decoders guess, and the file is refused.
"""

import struct
from typing import Literal, NamedTuple

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
COMPANDED = (6, 7)  # A-law and mu-law: a byte per sample, whatever the header says
# Compressions of AIFF-C that are none.
PLAIN_AIFC = (b"NONE", b"sowt", b"twos", b"in24", b"in32", b"fl32", b"FL32", b"fl64", b"FL64", b"raw ")
AIFF_OFFSET_BYTES = 8  # an offset and a block size, before the samples


class Verdict(NamedTuple):
    """What is wrong with a layout, in words; nothing by default."""

    damage: str = ""
    odd: tuple[str, ...] = ()


def judge(name: bytes, layout: bytes, order: Literal["little", "big"], num_bytes: int) -> Verdict:
    """What is wrong with the content of the chunk `name`, at most 40 bytes of it.

    Args:
        name: of the chunk.
        layout: its content.
        order: of the bytes of numbers.
        num_bytes: of audio that the container declares; 0 where it declares none.
    """
    if name == b"COMM":
        return _judge_aiff(layout, num_bytes)
    if name == b"desc":
        return _judge_caf(layout)
    return _judge_wave(layout, "<" if order == "little" else ">", num_bytes)


def _judge_wave(layout: bytes, order: str, num_bytes: int) -> Verdict:
    if len(layout) < 16:
        return Verdict(f"its chunk fmt has {len(layout)} bytes, expected 16 or more")
    encoding, num_channels, rate, byte_rate, block, bits = struct.unpack(f"{order}HHIIHH", layout[:16])
    odd = []
    if encoding == EXTENSIBLE and len(layout) >= 26:
        valid_bits, _, encoding = struct.unpack(f"{order}HIH", layout[18:26])
        if valid_bits > bits:
            odd.append(f"{valid_bits} of {bits} bits are said to be valid")
    companded = encoding in COMPANDED
    width = 1 if companded else -(-bits // 8)
    # Other encodings have blocks of their own; a width that does not exist, or no channel, is left to the decoders.
    if encoding not in (PCM, FLOAT, *COMPANDED) or not 1 <= width <= 8 or width in (5, 6, 7) or not num_channels:
        return Verdict(odd=tuple(odd))
    expected = num_channels * width
    if bits == 24 and block == 4 * num_channels and byte_rate != rate * expected:
        expected = block  # decoders know 24 bits in 4 bytes
    if block != expected:
        sentence = f"blocks of {block} bytes for {_channels(num_channels)} of {bits} bits, expected {expected}"
        # The byte rate tells which of the two is wrong.
        if byte_rate != rate * expected and not companded:
            return Verdict(f"its header declares {sentence}")
        odd.append(sentence)
    if byte_rate not in (rate * expected, rate * block):
        odd.append(f"{byte_rate} bytes per second, expected {rate * expected}")
    if companded and bits != 8:
        odd.append(f"{bits} bits per sample, expected 8")
    elif not companded:
        odd += _part_of_byte(bits)
    if rest := num_bytes % expected:
        odd.append(f"{num_bytes} bytes of audio, {rest} more than whole blocks of {expected}")
    return Verdict(odd=tuple(odd))


def _judge_aiff(layout: bytes, num_bytes: int) -> Verdict:
    if len(layout) < 18:
        return Verdict(f"its chunk COMM has {len(layout)} bytes, expected 18 or more")
    num_channels, num_samples, bits = struct.unpack(">HIH", layout[:8])
    is_plain = len(layout) < 22 or layout[18:22] in PLAIN_AIFC
    if not is_plain or not num_bytes or not bits:
        return Verdict()
    odd = _part_of_byte(bits)
    declared = num_samples * num_channels * -(-bits // 8)
    available = max(0, num_bytes - AIFF_OFFSET_BYTES)
    if declared != available:
        sentence = f"{num_samples} samples in {declared} bytes, and {available} bytes of audio"
        # Audio may be filled up, or of a length that was not known. Twice as much is of other samples than declared.
        if declared and (declared > available or available % declared == 0):
            return Verdict(f"its header declares {sentence}")
        odd.append(sentence)
    return Verdict(odd=tuple(odd))


def _judge_caf(layout: bytes) -> Verdict:
    if len(layout) < 32:
        return Verdict(f"its chunk desc has {len(layout)} bytes, expected 32")
    encoding = layout[8:12]
    packet, num_samples, num_channels, bits = struct.unpack(">4I", layout[16:32])
    if encoding != b"lpcm" or not bits or not num_channels:
        return Verdict()
    expected = num_samples * num_channels * -(-bits // 8)
    if packet == expected or (bits == 24 and packet == 4 * num_samples * num_channels):
        return Verdict(odd=tuple(_part_of_byte(bits)))
    channels = _channels(num_channels)
    return Verdict(f"its header declares packets of {packet} bytes for {channels} of {bits} bits, expected {expected}")


def _channels(number: int) -> str:
    return "1 channel" if number == 1 else f"{number} channels"


def _part_of_byte(bits: int) -> list[str]:
    # Allowed, but writers differ in which bits of the bytes they leave empty.
    return [f"{bits} bits per sample, stored in {8 * -(-bits // 8)}"] if bits % 8 else []
