"""What each decoder reads, and that decoding ends, whatever the file."""

import contextlib
import struct
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from emokit.data.audio_io.faults import BadAudio
from emokit.data.audio_io.plausible import Waveform
from emokit.data.audio_io.read import read_audio

RATE = 16_000


def tone(seconds: float = 1.0, rate: int = RATE) -> Waveform:
    return (0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mka"])
def test_decoding_stops_at_the_limit(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "a.mka":
        with av.open(str(path), "w") as container:
            stream = container.add_stream("aac", rate=RATE, layout="mono")
            frame = av.AudioFrame.from_ndarray(tone(seconds=3)[None], format="fltp", layout="mono")
            frame.sample_rate = RATE
            for packet in [*stream.encode(frame), *stream.encode(None)]:
                container.mux(packet)
    else:
        soundfile.write(path, tone(seconds=3), RATE)
    assert len(read_audio(path, max_seconds=4).waveform) >= 3 * RATE
    with pytest.raises(BadAudio, match=r"is too long \(.* s or more, at most 2 s of 1 channel at 16000 Hz are read\);"):
        read_audio(path, max_seconds=2)


@pytest.mark.parametrize("name", ["a.raw", "caf\udce9.flac", "http:/a/b.wav", "a\nb.ogg"])
def test_any_name_will_do(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(tmp_path / "a.flac", tone(), RATE)
    (tmp_path / "a.flac").rename(path)
    assert len(read_audio(path).waveform) == RATE


def test_a_playlist_opens_no_other_file(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(), RATE)
    (tmp_path / "list.wav").write_text("ffconcat version 1.0\nfile a.wav\n")
    with pytest.raises(BadAudio) as caught:
        read_audio(tmp_path / "list.wav")
    assert caught.value.reason == "undecodable"


def test_damaged_files_are_refused_or_read_and_nothing_else(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    formats = {
        "wav": "PCM_16",
        "flac": "PCM_16",
        "ogg": "VORBIS",
        "mp3": "MPEG_LAYER_III",
        "aiff": "PCM_16",
        "caf": "PCM_24",
    }
    for ending, subtype in formats.items():
        path = tmp_path / f"a.{ending}"
        soundfile.write(path, random.uniform(-0.5, 0.5, RATE // 4), RATE, subtype=subtype)
        content = path.read_bytes()
        for _ in range(12):
            damaged = bytearray(content)
            for place in random.integers(0, min(len(damaged), random.choice([64, len(damaged)])), 6):
                damaged[place] = random.integers(256)
            path.write_bytes(damaged)
            with contextlib.suppress(BadAudio):
                audio = read_audio(path)
                assert np.isfinite(audio.waveform).all()
                assert 4_000 <= audio.sample_rate <= 768_000


def test_a_title_that_is_not_utf_8_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "Friends"
        stream = container.add_stream("aac", rate=RATE)
        frame = av.AudioFrame.from_ndarray(tone(1024 / RATE)[None], format="fltp", layout="mono")
        frame.rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    path.write_bytes(path.read_bytes().replace(b"Friends", b"Fri\xe9nds"))
    assert read_audio(path).sample_rate == RATE


def test_aac_in_a_container_is_read_by_pyav(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    stereo = np.stack([tone(rate=44_100), tone(rate=44_100)])  # (channels, samples)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44_100, layout="stereo")
        frame = av.AudioFrame.from_ndarray(stereo, format="fltp", layout="stereo")
        frame.sample_rate = 44_100
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    audio = read_audio(path)
    assert (audio.sample_rate, audio.num_channels) == (44_100, 2)
    assert len(audio.waveform) == pytest.approx(44_100, abs=2 * 1024)
    spectrum = np.abs(np.fft.rfft(audio.waveform[10_000:30_000]))
    assert np.argmax(spectrum) * 44_100 / 20_000 == pytest.approx(440, abs=3)


def test_a_stream_of_an_unknown_codec_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(), RATE, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[20:22] = b"\xbf\x17"  # the number of its format
    path.write_bytes(content)
    with pytest.raises(BadAudio) as caught:
        read_audio(path)
    assert str(caught.value) == (f"{path} is undecodable (its encoding is unknown); fetch it again or leave it out.")


@pytest.mark.parametrize(("encoding", "bits"), [(0, 16), (1, 0), (1, 40), (1, 255), (0xFFFE, 16)])
def test_an_encoding_that_no_decoder_knows_is_named(tmp_path: Path, encoding: int, bits: int) -> None:
    path = tmp_path / "a.wav"
    content = (tone() * 32767).astype("<i2").tobytes()
    layout = struct.pack("<HHIIHH", encoding, 1, RATE, 2 * RATE, 2, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(layout)) + layout + b"data" + struct.pack("<I", len(content)) + content
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    with pytest.raises(BadAudio) as caught:
        read_audio(path)
    assert str(caught.value) == f"{path} is undecodable (its encoding is unknown); fetch it again or leave it out."


@pytest.mark.parametrize("form", ["WAV", "AIFF", "W64"])
def test_an_encoding_that_cannot_be_searched_is_read(tmp_path: Path, form: str) -> None:
    path = tmp_path / "a"
    soundfile.write(path, tone(rate=8_000), 8_000, "GSM610", format=form)
    audio = read_audio(path)
    assert (audio.sample_rate, len(audio.waveform)) == (8_000, pytest.approx(8_000, abs=320))


def without_length(content: bytes) -> bytes:
    """A FLAC file that does not state its number of samples, as a streaming writer leaves it."""
    return content[:21] + bytes([content[21] & 0xF0]) + bytes(4) + content[26:]


@pytest.mark.parametrize("states_length", [True, False])
def test_a_changed_byte_of_a_flac_is_noticed(tmp_path: Path, states_length: bool) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, RATE), RATE)
    content = path.read_bytes() if states_length else without_length(path.read_bytes())
    path.write_bytes(content)
    assert len(read_audio(path).waveform) == RATE
    for place in (len(content) // 3, len(content) // 2, len(content) - 5):
        path.write_bytes(content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :])
        with pytest.raises(BadAudio) as caught:
            read_audio(path)
        assert caught.value.reason == ("truncated" if states_length else "undecodable")


@pytest.mark.parametrize(
    ("codec", "words"),
    [
        ("tta", "Invalid data found when processing input"),
        ("wavpack", "Invalid data found when processing input"),
        ("ac3", "its decoder fails"),
    ],
)
def test_a_changed_byte_is_noticed_where_an_encoding_has_checksums(tmp_path: Path, codec: str, words: str) -> None:
    path = tmp_path / f"a.{'wv' if codec == 'wavpack' else codec}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=48_000, layout="mono")
        sound = av.AudioFrame.from_ndarray((tone(rate=48_000) * 32767).astype("int16")[None], "s16", "mono")
        sound.sample_rate = 48_000
        for packet in [*stream.encode(sound), *stream.encode(None)]:
            container.mux(packet)
    content = path.read_bytes()
    assert len(read_audio(path).waveform) >= 48_000
    place = len(content) // 2
    path.write_bytes(content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :])
    with pytest.raises(BadAudio) as caught:
        read_audio(path)
    assert str(caught.value) == f"{path} is undecodable ({words}); fetch it again or leave it out."


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
@pytest.mark.parametrize("num_channels", [1, 2])
@pytest.mark.parametrize("states_length", [True, False])
def test_a_flac_whose_samples_have_another_md5_is_refused(
    tmp_path: Path, subtype: str, num_channels: int, states_length: bool
) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.random.default_rng(0).uniform(-1, 1, (RATE, num_channels)), RATE, subtype)
    content = path.read_bytes() if states_length else without_length(path.read_bytes())
    assert any(content[26:42])
    for md5 in (content[26:42], bytes(16)):  # zeros: it is not known
        path.write_bytes(content[:26] + md5 + content[42:])
        assert len(read_audio(path).waveform) == RATE
    path.write_bytes(content[:41] + bytes([content[41] ^ 1]) + content[42:])
    with pytest.raises(BadAudio) as caught:
        read_audio(path)
    assert str(caught.value) == (
        f"{path} is damaged (its samples have another MD5 than its header states); fetch it again or leave it out."
    )
