"""Containers of chunks, whole, cut, and with a header that leaves the length open."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emokit.data.audio_io.chunks import RIFF, chunks, end_of_au, end_of_nist, find_wave
from emokit.data.audio_io.ends import find_end
from emokit.data.audio_io.faults import COMPLETE, End

# Bytes of the chunk of audio that precede its samples: an edit count, or an offset and a block size.
NUMBERS_BEFORE_SAMPLES = {"CAF": 4, "AIFF": 8}
SOUND = np.random.default_rng(0).uniform(-0.5, 0.5, 8_000)


def chunk(name: bytes, content: bytes, size: int | None = None, pad: bytes = b"\0") -> bytes:
    return name + struct.pack("<I", len(content) if size is None else size) + content + pad * (len(content) % 2)


def end_of(content: bytes) -> End:
    return find_end(io.BytesIO(content), len(content))


def wave(*parts: bytes) -> bytes:
    body = b"WAVE" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("form", ["WAV", "WAVEX", "RF64", "W64", "AU", "CAF", "AIFF", "SVX", "NIST"])
@pytest.mark.parametrize("endian", ["FILE", "BIG"])
def test_a_cut_shows_at_any_place_after_the_header(tmp_path: Path, form: str, endian: str) -> None:
    path = tmp_path / "a"
    if not soundfile.check_format(form, "PCM_16", endian):
        pytest.skip(f"{form} has no such byte order")
    soundfile.write(path, SOUND, 16_000, "PCM_16", endian, form)
    content = path.read_bytes()
    assert end_of(content) == COMPLETE
    for size in (len(content) // 3, len(content) * 2 // 3, len(content) - 2):
        declared = 16_000 + NUMBERS_BEFORE_SAMPLES.get(form, 0)
        remaining = size - (len(content) - declared)
        sentence = f"its header declares {declared} bytes of audio, it has {remaining}"
        assert end_of(content[:size]) == End(cut=sentence)


def test_an_aiff_named_by_its_compression_and_an_avi_are_recognised() -> None:
    aifc = b"FORM\0\0\0\0AIFCSSND" + struct.pack(">I", 100) + bytes(60)
    assert end_of(aifc) == End(cut="its header declares 100 bytes of audio, it has 60")
    avi = b"RIFF\0\0\0\0AVI " + chunk(b"LIST", bytes(4)) + chunk(b"LIST", bytes(60), size=100)
    assert end_of(avi) == End(cut="its header declares 100 bytes of audio, it has 60")
    assert end_of(avi + bytes(40)) == COMPLETE


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0xFFFFFFFF])
def test_a_length_that_was_left_open_is_unknown(size: int) -> None:
    unknown = End(unknown="its header states no length")
    assert end_of(wave(chunk(b"data", bytes(100), size))) == unknown
    assert end_of_au(b".snd" + struct.pack(">II", 24, 0xFFFFFFFF), 200) == unknown
    assert end_of(b"caff\0\1\0\0data" + b"\xff" * 8 + bytes(100)) == unknown
    assert end_of(wave(chunk(b"fmt ", bytes(16)))) == End(unknown="its header declares no audio")


def test_a_header_that_declares_less_audio_than_there_is_is_noticed() -> None:
    content = np.full(200, 257, np.int16).tobytes()
    assert end_of(wave(chunk(b"data", content, size=100))) == End(
        unknown="292 bytes after the audio that its header declares are in no chunk"
    )
    assert end_of(wave(chunk(b"data", content), chunk(b"LIST", b"INFO!"), bytes(20))) == COMPLETE


def test_an_odd_chunk_is_followed_by_a_byte_or_not() -> None:
    for pad in (b"\0", b""):
        content = wave(chunk(b"fmt ", bytes(16)), chunk(b"LIST", b"INFO!", pad=pad), chunk(b"data", bytes(100)))
        assert [name for name, _, _ in chunks(io.BytesIO(content), len(content), RIFF, 12)] == [
            b"fmt ", b"LIST", b"data",
        ]  # fmt: skip
        assert end_of(content) == COMPLETE


def test_a_chunk_that_declares_more_than_there_is_is_named() -> None:
    content = wave(chunk(b"fmt ", bytes(16)), chunk(b"LIST", bytes(50), size=16_716_449))
    assert end_of(content) == End(cut="its chunk LIST declares 16716449 bytes, it has 50")


def test_the_layout_of_a_wav_file_is_where_its_samples_are() -> None:
    content = wave(chunk(b"LIST", b"INFO"), chunk(b"fmt ", bytes(range(16))), chunk(b"data", bytes(100)))
    described = find_wave(io.BytesIO(content), len(content), b"RIFF")
    assert (described.layout, described.declared, described.end) == (bytes(range(16)), 100, COMPLETE)
    assert content[described.begin :] == bytes(100)


def test_a_sphere_file_of_shortened_samples_has_no_known_end() -> None:
    header = (
        "NIST_1A\n   1024\nsample_count -i 100\nsample_n_bytes -i 2\nsample_coding -s26 pcm,embedded-shorten-v2.00\n"
    )
    content = header.encode().ljust(1024) + bytes(50)
    assert end_of_nist(io.BytesIO(content), len(content)) == End(unknown="its header states no length")
    plain = header.replace(",embedded-shorten-v2.00", "").encode().ljust(1024) + bytes(50)
    assert end_of_nist(io.BytesIO(plain), len(plain)) == End(cut="its header declares 200 bytes of audio, it has 50")


FMT = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16))
SLOWER = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8_000, 16_000, 2, 16))
DATA = chunk(b"data", bytes(100))


def test_a_second_description_is_refused_where_it_differs_and_flagged_where_it_is_equal() -> None:
    differ = End(damage="its header has 2 chunks fmt that differ")
    assert end_of(wave(FMT, SLOWER, DATA)) == end_of(wave(FMT, DATA, SLOWER)) == differ
    assert end_of(wave(FMT, FMT, DATA)) == End(odd=("2 equal chunks fmt",))
    streamed = chunk(b"data", bytes(100), size=0)
    assert end_of(wave(FMT, SLOWER, streamed)).damage == differ.damage


def test_audio_in_a_second_chunk_is_flagged_because_no_decoder_reads_it() -> None:
    second = End(odd=("60 bytes in a second chunk of audio, which is not read",))
    assert end_of(wave(FMT, DATA, chunk(b"data", bytes(60)))) == second


@pytest.mark.parametrize("form", ["WAV", "AIFF", "W64", "RF64", "SVX"])
def test_the_size_of_the_container_reaches_to_the_end_of_its_audio(tmp_path: Path, form: str) -> None:
    path = tmp_path / "a"
    soundfile.write(path, SOUND, 16_000, "PCM_16", format=form)
    content = path.read_bytes()
    at, size_bytes, order = {"W64": (16, 8, "<"), "RF64": (20, 8, "<"), "WAV": (4, 4, "<")}.get(form, (4, 4, ">"))
    before = 0 if form == "W64" else 8  # W64 counts its first bytes too

    def resized(stated: int) -> End:
        number = struct.pack(f"{order}{'Q' if size_bytes == 8 else 'I'}", stated - before)
        return end_of(content[:at] + number + content[at + size_bytes :])

    assert resized(len(content)) == resized(len(content) + 1) == COMPLETE
    short = f"{len(content) - 1} bytes in all, its audio ends after {len(content)}"
    assert resized(len(content) - 1) == End(odd=(short,))
    assert resized(len(content) + 8) == End(odd=(f"{len(content) + 8} bytes in all, it has {len(content)}",))


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0xFFFFFFFF])
def test_a_size_that_was_left_open_is_not_odd(size: int) -> None:
    content = wave(FMT, DATA)
    assert end_of(content[:4] + struct.pack("<I", size) + content[8:]) == COMPLETE


def test_the_byte_that_fills_up_an_odd_chunk_is_counted_or_not() -> None:
    odd = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 16_000, 16_000, 1, 8)), chunk(b"data", bytes(99))
    content = wave(*odd)
    fewer = struct.pack("<I", len(content) - 9)
    assert end_of(content) == end_of(content[:-1]) == COMPLETE
    assert end_of(content[:4] + fewer + content[8:]) == end_of(content[:4] + fewer + content[8:-1]) == COMPLETE


@pytest.mark.parametrize("mark", [b"RF64", b"BW64"])
def test_a_mark_of_large_files_without_their_chunk_is_flagged(mark: bytes) -> None:
    sentence = f"it is marked {mark.decode()} and has no chunk ds64"
    assert end_of(mark + wave(FMT, DATA)[4:]) == End(odd=(sentence,))


@pytest.mark.parametrize(
    ("form", "at", "size"),
    [("AU", 8, ">I"), ("W64", -8, "<Q"), ("CAF", -12, ">Q"), ("WAV", -4, "<I"), ("AIFF", -12, ">I")],
)
def test_audio_after_what_the_header_declares_is_flagged(tmp_path: Path, form: str, at: int, size: str) -> None:
    path = tmp_path / "a"
    soundfile.write(path, np.full(8_000, 257 / 2**15), 16_000, "PCM_16", format=form)
    content = path.read_bytes()
    place = at if at > 0 else len(content) - 16_000 + at
    (declared,) = struct.unpack_from(size, content, place)
    fewer = struct.pack(size, declared - 8_000)
    end = end_of(content[:place] + fewer + content[place + len(fewer) :])
    assert " bytes after the audio that its header declares" in (end.unknown or end.odd[0])


def test_bytes_after_the_audio_of_a_sphere_file_are_flagged() -> None:
    header = b"NIST_1A\n   1024\nsample_count -i 100\nsample_n_bytes -i 2\n"
    assert end_of(header.ljust(1024) + bytes(200)) == COMPLETE
    odd = End(odd=("60 bytes after the audio that its header declares",))
    assert end_of(header.ljust(1024) + bytes(260)) == odd
