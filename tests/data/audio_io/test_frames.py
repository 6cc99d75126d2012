"""MP3 and Ogg, whole, cut, and without a stated end."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emokit.data.audio_io.ends import find_end
from emokit.data.audio_io.faults import COMPLETE, End
from emokit.data.audio_io.frames import end_of_mp3, end_of_ogg, frame_bytes

NO_LENGTH = End(unknown="it is an MP3 file whose header states no length")
FRAME = b"\xff\xfb\x90\xc0" + bytes(413)  # MPEG 1, layer 3, 128 kbit/s, 44,100 Hz, mono


def page(flags: int, content: bytes = bytes(100)) -> bytes:
    return b"OggS\0" + struct.pack("<BqIIIB", flags, 0, 1, 0, 0, 1) + bytes([len(content)]) + content


def ogg(content: bytes) -> End:
    return end_of_ogg(io.BytesIO(content), len(content))


def mp3(content: bytes) -> End:
    return end_of_mp3(io.BytesIO(content), len(content), 0)


def written(tmp_path: Path, form: str, subtype: str, rate: int, num_channels: int = 1) -> bytes:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (rate, num_channels))
    soundfile.write(tmp_path / "a", noise, rate, format=form, subtype=subtype)
    return (tmp_path / "a").read_bytes()


def test_the_last_page_of_ogg_is_complete_and_marked() -> None:
    assert ogg(page(2) + page(0) + page(4)) == COMPLETE
    assert ogg(page(2) + page(4) + b"TAG of another program") == COMPLETE
    assert ogg(page(2) + page(0)) == End(cut="its last page is not marked as the end")
    assert ogg(page(2) + page(4)[:-1]) == End(cut="its page at byte 128 is not complete")
    assert ogg(page(2) + page(4)[:20]) == End(cut="its page at byte 128 is not complete")
    assert ogg(page(2) + b"junk" + page(4)) == End(cut="it has no page at byte 128")


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_cut_ogg_file_shows_it_at_every_place(tmp_path: Path, subtype: str) -> None:
    content = written(tmp_path, "OGG", subtype, 48_000)
    assert ogg(content) == COMPLETE
    assert all(ogg(content[:size]).cut for size in range(1, len(content), 97))


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
