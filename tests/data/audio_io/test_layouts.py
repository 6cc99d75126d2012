"""Headers that contradict themselves: flagged where the samples are in no doubt, else refused."""

import struct
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import soundfile

from emokit.data.audio_io.faults import BadAudio
from emokit.data.audio_io.layouts import Verdict, judge
from emokit.data.audio_io.read import read_audio

RATE = 16_000
SOUND = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)


def fmt(
    encoding: int = 1,
    num_channels: int = 1,
    byte_rate: int = 2 * RATE,
    block: int = 2,
    bits: int = 16,
    more: bytes = b"",
    order: Literal["<", ">"] = "<",
) -> bytes:
    return struct.pack(f"{order}HHIIHH", encoding, num_channels, RATE, byte_rate, block, bits) + more


def verdict(layout: bytes, num_bytes: int = 2 * RATE) -> Verdict:
    return judge(b"fmt ", layout, "little", num_bytes)


def written(path: Path, layout: bytes, content: bytes) -> Path:
    chunks = b"fmt " + struct.pack("<I", len(layout)) + layout + b"data" + struct.pack("<I", len(content)) + content
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(BadAudio) as caught:
        read_audio(path)
    assert caught.value.reason == "damaged"
    return str(caught.value)


@pytest.mark.parametrize(
    "layout",
    [
        fmt(),
        fmt(num_channels=2, byte_rate=4 * RATE, block=4),
        fmt(3, byte_rate=4 * RATE, block=4, bits=32),
        fmt(byte_rate=4 * RATE, block=4, bits=24),  # 24 bits in 4 bytes
        fmt(7, byte_rate=RATE, block=1, bits=8),
        fmt(0xFFFE, more=struct.pack("<HHIH", 22, 12, 4, 1)),  # 12 of 16 bits are valid
        fmt(17, byte_rate=8_110, block=256, bits=4),  # ADPCM has blocks of its own
    ],
)
def test_what_agrees_is_neither_flagged_nor_refused(layout: bytes) -> None:
    assert verdict(layout) == Verdict()


@pytest.mark.parametrize("block", [0, 1, 3, 4])
@pytest.mark.parametrize("num_channels", [1, 2])
def test_a_wrong_block_is_flagged_where_the_byte_rate_agrees_with_the_bits(
    tmp_path: Path, block: int, num_channels: int
) -> None:
    for bits in (16, 24):
        expected = num_channels * bits // 8
        if block == expected or (bits, num_channels) == (24, 1):
            continue
        path = tmp_path / "a.wav"
        soundfile.write(path, np.tile(SOUND[:, None], num_channels), RATE, f"PCM_{bits}")
        content = path.read_bytes()
        unchanged = read_audio(path)
        layout = fmt(1, num_channels, expected * RATE, block, bits)
        audio = read_audio(written(path, layout, content[-expected * RATE :]))
        channels = "1 channel" if num_channels == 1 else "2 channels"
        assert [str(flag) for flag in audio.flags] == [
            f"its container is odd (blocks of {block} bytes for {channels} of {bits} bits, expected {expected})"
        ]
        np.testing.assert_array_equal(audio.waveform, unchanged.waveform)


@pytest.mark.parametrize(("bits", "expected"), [(7, 1), (8, 1), (24, 3), (32, 4)])
def test_samples_of_a_width_in_doubt_are_refused(tmp_path: Path, bits: int, expected: int) -> None:
    path = written(tmp_path / "a.wav", fmt(bits=bits), (SOUND * 32767).astype("<i2").tobytes())
    assert refusal(path) == (
        f"{path} is damaged (its header declares blocks of 2 bytes for 1 channel of {bits} bits, expected {expected}); "
        "fetch it again or leave it out."
    )


@pytest.mark.parametrize("size", [12, 14])
def test_a_header_without_a_width_is_refused(tmp_path: Path, size: int) -> None:
    path = written(tmp_path / "a.wav", fmt()[:size], bytes(RATE))
    sentence = (
        f"{path} is damaged (its chunk fmt has {size} bytes, expected 16 or more); fetch it again or leave it out."
    )
    assert refusal(path) == sentence


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        (fmt(byte_rate=0), "0 bytes per second, expected 32000"),
        (fmt(byte_rate=12_345), "12345 bytes per second, expected 32000"),
        (fmt(bits=12), "12 bits per sample, stored in 16"),
        (fmt(byte_rate=RATE, block=1, bits=7), "7 bits per sample, stored in 8"),
        (fmt(7, byte_rate=RATE, block=1), "16 bits per sample, expected 8"),
        (fmt(0xFFFE, more=struct.pack("<HHIH", 22, 40, 4, 1)), "40 of 16 bits are said to be valid"),
    ],
)
def test_a_wrong_number_that_nothing_depends_on_is_flagged(layout: bytes, words: str) -> None:
    assert verdict(layout) == Verdict(odd=(words,))


def test_audio_of_no_whole_number_of_blocks_is_flagged() -> None:
    stereo = fmt(num_channels=2, byte_rate=4 * RATE, block=4)
    assert verdict(stereo, 4_002) == Verdict(odd=("4002 bytes of audio, 2 more than whole blocks of 4",))
    assert verdict(stereo, 0) == Verdict()


def test_big_endian_wav_files_are_judged_too() -> None:
    assert judge(b"fmt ", fmt(order=">"), "big", 100) == Verdict()
    assert judge(b"fmt ", fmt(block=4, byte_rate=4 * RATE, order=">"), "big", 100) == Verdict(
        "its header declares blocks of 4 bytes for 1 channel of 16 bits, expected 2"
    )


@pytest.mark.parametrize("encoding", [1, 0xFFFE])
@pytest.mark.parametrize(("num_channels", "bits"), [(0, 16), (1, 0), (1, 40), (1, 255)])
def test_numbers_that_no_samples_have_are_left_to_the_decoders(encoding: int, num_channels: int, bits: int) -> None:
    assert verdict(fmt(encoding, num_channels, bits=bits)) == Verdict()


def comm(num_samples: int = RATE, num_channels: int = 1, bits: int = 16, compression: bytes = b"") -> bytes:
    return struct.pack(">HIH", num_channels, num_samples, bits) + bytes(10) + compression


def aiff(layout: bytes) -> Verdict:
    return judge(b"COMM", layout, "big", 8 + 2 * RATE)


def test_an_aiff_has_the_samples_that_it_declares() -> None:
    assert aiff(comm()) == aiff(comm(compression=b"sowt")) == aiff(comm(compression=b"ima4")) == Verdict()
    assert aiff(comm(bits=12)) == Verdict(odd=("12 bits per sample, stored in 16",))
    for wrong, num_bytes in ((comm(17_000), 34_000), (comm(num_channels=2), 64_000), (comm(bits=8), 16_000)):
        num_samples = int.from_bytes(wrong[2:6], "big")
        assert aiff(wrong) == Verdict(
            f"its header declares {num_samples} samples in {num_bytes} bytes, and 32000 bytes of audio"
        )
    assert aiff(comm(15_000)) == Verdict(odd=("15000 samples in 30000 bytes, and 32000 bytes of audio",))
    assert aiff(comm(0)) == Verdict(odd=("0 samples in 0 bytes, and 32000 bytes of audio",))
    assert aiff(comm()[:17]) == Verdict("its chunk COMM has 17 bytes, expected 18 or more")


def desc(packet: int = 2, num_channels: int = 1, bits: int = 16, encoding: bytes = b"lpcm") -> bytes:
    return bytes(8) + encoding + bytes(4) + struct.pack(">4I", packet, 1, num_channels, bits)


def test_a_caf_has_packets_as_wide_as_its_samples() -> None:
    def caf(layout: bytes) -> Verdict:
        return judge(b"desc", layout, "big", 100)

    assert caf(desc()) == caf(desc(4, bits=24)) == caf(desc(8, 2, 32)) == caf(desc(0, encoding=b"alac")) == Verdict()
    assert caf(desc(bits=12)) == Verdict(odd=("12 bits per sample, stored in 16",))
    assert caf(desc(3)) == Verdict("its header declares packets of 3 bytes for 1 channel of 16 bits, expected 2")
    assert caf(desc(num_channels=2)) == Verdict(
        "its header declares packets of 2 bytes for 2 channels of 16 bits, expected 4"
    )
    assert caf(desc()[:20]) == Verdict("its chunk desc has 20 bytes, expected 32")
