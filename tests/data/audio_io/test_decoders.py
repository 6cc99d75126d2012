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
