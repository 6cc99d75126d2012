"""MP3 and Ogg, whole, cut, and without a stated end."""

import io
import re
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emokit.data.audio_io.ends import find_end
from emokit.data.audio_io.faults import COMPLETE, BadAudio, End
from emokit.data.audio_io.frames import end_of_mp3, end_of_ogg, frame_bytes
from emokit.data.audio_io.read import read_audio

NO_LENGTH = End(unknown="it is an MP3 file whose header states no length")
FRAME = b"\xff\xfb\x90\xc0" + bytes(413)  # MPEG 1, layer 3, 128 kbit/s, 44,100 Hz, mono


def checksum(content: bytes) -> int:
    """A page's checksum bit by bit, as the format's description has it."""
    remainder = 0
    for byte in content:
        remainder ^= byte << 24
        for _ in range(8):
            remainder = (remainder << 1 ^ 0x04C11DB7 * (remainder >> 31)) & 0xFFFFFFFF
    return remainder


def page(flags: int, number: int, content: bytes = bytes(100), stream: int = 1) -> bytes:
    start, sizes = b"OggS\0" + struct.pack("<BqII", flags, 0, stream, number), bytes([1, len(content)])
    return start + struct.pack("<I", checksum(start + bytes(4) + sizes + content)) + sizes + content


def ogg(content: bytes) -> End:
    return end_of_ogg(io.BytesIO(content), len(content))


def mp3(content: bytes) -> End:
    return end_of_mp3(io.BytesIO(content), len(content), 0)


def written(tmp_path: Path, form: str, subtype: str, rate: int, num_channels: int = 1) -> bytes:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (rate, num_channels))
    soundfile.write(tmp_path / "a", noise, rate, format=form, subtype=subtype)
    return (tmp_path / "a").read_bytes()


def test_the_last_page_of_ogg_is_complete_and_marked() -> None:
    assert ogg(page(2, 0) + page(0, 1) + page(4, 2)) == COMPLETE
    assert ogg(page(2, 0) + page(4, 1) + b"TAG of another program") == COMPLETE
    assert ogg(page(2, 0) + page(4, 1)[:-1]) == End(cut="its page at byte 128 is not complete")
    assert ogg(page(2, 0) + page(4, 1)[:20]) == End(cut="its page at byte 128 is not complete")
    assert ogg(page(2, 0) + b"junk" + page(4, 1)) == End(cut="it has no page at byte 128")


def test_ogg_of_whole_pages_without_an_end_is_unknown() -> None:
    assert ogg(page(2, 0) + page(0, 1)) == End(unknown="its last page is not marked as the end")


def test_a_changed_byte_of_an_ogg_page_is_damage() -> None:
    content = page(2, 0) + page(0, 1, bytes(range(100))) + page(4, 2)
    for place in (128 + 6, 128 + 22, 128 + 28 + 50):  # its number of samples, its checksum, its content
        changed = content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :]
        assert ogg(changed) == End(damage="its page at byte 128 has another checksum than it states")


def test_a_missing_page_of_ogg_and_a_second_stream_are_flagged() -> None:
    assert ogg(page(2, 0) + page(0, 1) + page(4, 3)) == End(odd=("page 3 follows page 1 at byte 256",))
    chained = page(2, 0) + page(4, 1) + page(2, 0, stream=2) + page(4, 1, stream=2)
    assert ogg(chained) == End(odd=("another stream begins at byte 256, which may not be read",))
    together = page(2, 0) + page(2, 0, stream=2) + page(0, 1) + page(4, 1, stream=2) + page(4, 2)
    assert ogg(together) == COMPLETE


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_recorded_broadcast_is_read_and_flagged(tmp_path: Path, subtype: str) -> None:
    content = written(tmp_path, "OGG", subtype, 48_000)
    path = tmp_path / "a"
    path.write_bytes(content[: content.rindex(b"OggS")])
    audio = read_audio(path)
    assert [str(flag) for flag in audio.flags] == ["its end cannot be checked (its last page is not marked as the end)"]
    assert 24_000 < len(audio.waveform) < 48_000


def test_a_damaged_ogg_is_refused_in_one_sentence(tmp_path: Path) -> None:
    content = written(tmp_path, "OGG", "OPUS", 48_000)
    place = content.rindex(b"OggS")
    path = tmp_path / "a"
    path.write_bytes(content[: place + 100] + bytes(8) + content[place + 108 :])
    with pytest.raises(BadAudio) as caught:
        read_audio(path)
    assert str(caught.value) == (
        f"{path} is damaged (its page at byte {place} has another checksum than it states); "
        "fetch it again or leave it out."
    )


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_cut_ogg_file_shows_it_at_every_place_in_a_page(tmp_path: Path, subtype: str) -> None:
    content = written(tmp_path, "OGG", subtype, 48_000)
    assert ogg(content) == COMPLETE
    pages = [match.start() for match in re.finditer(b"OggS", content)]
    sizes = {*range(1, len(content), 97), *pages[1:]}
    # Between two pages, a cut looks like the end of a recorded broadcast.
    assert all(bool(ogg(content[:size]).unknown if size in pages else ogg(content[:size]).cut) for size in sizes)


@pytest.mark.parametrize(("rate", "num_channels"), [(44_100, 1), (44_100, 2), (16_000, 1), (22_050, 2), (8_000, 1)])
def test_an_mp3_has_the_frames_that_its_header_declares(tmp_path: Path, rate: int, num_channels: int) -> None:
    content = written(tmp_path, "MP3", "MPEG_LAYER_III", rate, num_channels)
    assert mp3(content) == COMPLETE
    assert mp3(content + b"TAG" + bytes(125)) == COMPLETE
    for share in (33, 67, 90):
        cut = mp3(content[: len(content) * share // 100]).cut
        assert cut.startswith("its header declares ")
        assert " frames, it has " in cut


def test_an_mp3_without_such_a_header_has_a_complete_last_frame() -> None:
    assert mp3(FRAME * 5) == NO_LENGTH
    assert mp3(FRAME * 5 + FRAME[:400]) == End(cut="its last frame declares 417 bytes, it has 400")
    assert mp3(FRAME * 5 + FRAME[:2]) == End(cut="its last frame declares 4 bytes, it has 2")
    assert mp3(bytes(200) + FRAME * 5) == NO_LENGTH
    assert mp3(b"\xff\xfb" + bytes(900)) == End(unknown="it has no frames of MPEG audio with a known length")


def test_a_header_of_fraunhofer_counts_too() -> None:
    first = FRAME[:36] + b"VBRI" + bytes(10) + struct.pack(">I", 10)
    assert mp3(first.ljust(417, b"\0") + FRAME * 4) == End(cut="its header declares 10 frames, it has 4")
    assert mp3(first.ljust(417, b"\0") + FRAME * 10) == COMPLETE


def test_a_tag_before_the_frames_is_skipped() -> None:
    content = b"ID3\4\0\0\0\0\1\0" + bytes(128) + FRAME * 5
    assert find_end(io.BytesIO(content), len(content)) == NO_LENGTH


@pytest.mark.parametrize(
    ("header", "length"),
    [
        (b"\xff\xfb\x90\xc0", 417),  # MPEG 1, layer 3, 128 kbit/s, 44,100 Hz
        (b"\xff\xfb\x92\xc0", 418),  # padded
        (b"\xff\xf3\x48\xc0", 144),  # MPEG 2, layer 3, 32 kbit/s, 16,000 Hz
        (b"\xff\xe3\x48\xc0", 288),  # MPEG 2.5, layer 3, 32 kbit/s, 8,000 Hz
        (b"\xff\xfd\x84\xc0", 384),  # MPEG 1, layer 2, 128 kbit/s, 48,000 Hz
        (b"\xff\xff\x44\xc0", 128),  # MPEG 1, layer 1, 128 kbit/s, 48,000 Hz
        (b"\xff\xf1\x50\x80", 0),  # AAC
        (b"\xff\xfb\x00\xc0", 0),  # a bitrate of its own
        (b"\xff\xfb\x9c\xc0", 0),  # a reserved sample rate
        (b"\xff\xfb", 0),
        (b"RIFF", 0),
    ],
)
def test_the_length_of_a_frame_follows_from_its_header(header: bytes, length: int) -> None:
    assert frame_bytes(header) == length


def flv(*tags: bytes) -> End:
    content = b"FLV\1\4" + struct.pack(">II", 9, 0) + b"".join(tags)
    return find_end(io.BytesIO(content), len(content))


def tag(size: int) -> bytes:
    return b"\x08" + (50).to_bytes(3, "big") + bytes(7 + 50) + struct.pack(">I", size)


def test_every_tag_of_flv_is_complete_and_followed_by_its_size() -> None:
    unknown = End(unknown="its header states no length")
    assert flv(tag(61), tag(61)) == flv(tag(50), tag(0)) == unknown
    assert flv(tag(61), tag(61)[:-1]) == End(cut="its tag at byte 78 is not complete")
    assert flv(tag(61), tag(61)[:5]) == End(cut="its tag at byte 78 is not complete")
    assert flv(tag(61), tag(62)) == End(damage="its tag at byte 78 is followed by another size than its own")


def test_more_frames_than_an_mp3_declares_are_flagged(tmp_path: Path) -> None:
    content = written(tmp_path, "MP3", "MPEG_LAYER_III", 44_100)
    (odd,) = mp3(content * 2).odd
    assert re.fullmatch(r"its header declares \d+ frames, it has \d+", odd)
