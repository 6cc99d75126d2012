"""Every container that is read is recognised, and a cut of it is found or called unknown."""

import io
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from emokit.data.audio_io.ends import AT_ONCE, LONGEST, find_end
from emokit.data.audio_io.faults import COMPLETE, End

RATE = 48_000
SOUND = np.random.default_rng(0).uniform(-0.5, 0.5, RATE).astype(np.float32)


def end_of(content: bytes) -> End:
    return find_end(io.BytesIO(content), len(content))


def encoded(path: Path, codec: str, options: dict[str, str] | None = None) -> bytes:
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=RATE)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray((SOUND * 32767).astype("int16")[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mka", "pcm_s16le", {}),
        ("a.webm", "libopus", {}),
        ("a.mp3", "libmp3lame", {}),
        ("a.opus", "libopus", {}),
        ("a.m4a", "aac", {"movflags": "faststart"}),
        ("a.mov", "pcm_s16le", {}),
        ("a.wav", "pcm_s16le", {}),
        ("a.aiff", "pcm_s16be", {}),
        ("a.caf", "pcm_s16le", {}),
        ("a.au", "pcm_s16be", {}),
        ("a.w64", "pcm_s16le", {}),
        ("a.avi", "pcm_s16le", {}),
    ],
)
@pytest.mark.parametrize("share", [33, 67])
def test_files_of_ffmpeg_are_whole_and_their_cuts_are_found(
    tmp_path: Path, name: str, codec: str, options: dict[str, str], share: int
) -> None:
    content = encoded(tmp_path / name, codec, options)
    assert end_of(content) == COMPLETE
    assert end_of(content[: len(content) * share // 100]).cut


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.aac", "aac", {}),
        ("a.mp3", "libmp3lame", {"write_xing": "0"}),
        ("a.webm", "libopus", {"live": "1"}),
        ("a.flv", "aac", {}),
        ("a.mp4", "aac", {"movflags": "frag_keyframe+empty_moov+skip_trailer"}),
    ],
)
def test_containers_that_state_no_end_are_called_so(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    end = end_of(encoded(tmp_path / name, codec, options))
    assert end.unknown
    assert not end.cut


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "libopus"), ("a.mka", "pcm_s16le"), ("a.opus", "libopus")])
def test_a_changed_byte_shows_where_a_container_has_checksums(tmp_path: Path, name: str, codec: str) -> None:
    content = encoded(tmp_path / name, codec)
    for share in (40, 60, 80):
        place = len(content) * share // 100
        changed = content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :]
        assert end_of(changed).damage.endswith(" has another checksum than it states")


def test_flac_states_its_samples_or_not(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", SOUND, RATE)
    content = bytearray((tmp_path / "a.flac").read_bytes())
    assert end_of(bytes(content)) == End(num_samples=RATE, md5=bytes(content[26:42]), bits=16)
    content[26:42] = bytes(16)
    assert end_of(bytes(content)) == End(num_samples=RATE)
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    assert end_of(bytes(content)) == End(unknown="its header states no length")


@pytest.mark.parametrize("name", ["FLAC", "CAF", "W64", "RF64"])
def test_a_second_file_that_no_part_of_the_container_tells_is_flagged(tmp_path: Path, name: str) -> None:
    soundfile.write(tmp_path / "a", SOUND, RATE, format=name, subtype="PCM_16")
    content = (tmp_path / "a").read_bytes()
    assert end_of(content).odd == ()
    assert end_of(content + content[:100]).odd == (
        f"another file begins at byte {len(content)}, which may not be read",
    )


def test_a_second_file_is_seen_wherever_it_begins(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", SOUND, RATE)
    content = (tmp_path / "a.flac").read_bytes()
    for begin in range(AT_ONCE - LONGEST, AT_ONCE + 3):  # across what is searched at once
        (sentence,) = end_of(content.ljust(begin, b"\0") + content).odd
        assert sentence == f"another file begins at byte {begin}, which may not be read"


def test_an_unknown_container_is_called_so() -> None:
    assert end_of(b"#!AMR\n" + bytes(100)) == End(unknown="its container states no end that can be checked")


@pytest.mark.parametrize(
    ("name", "codec"), [("a.wav", "pcm_s16le"), ("a.aiff", "pcm_s16be"), ("a.m4a", "aac"), ("a.mp3", "libmp3lame")]
)
def test_a_second_file_behind_the_first_is_flagged(tmp_path: Path, name: str, codec: str) -> None:
    content = encoded(tmp_path / name, codec)
    sentence = f"another file begins at byte {len(content)}, which may not be read"
    assert end_of(content * 2) == End(odd=(sentence,))
