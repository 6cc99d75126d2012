"""Audio files that are read, and damaged ones that are refused with a reason."""

import os
import socket
import struct
from pathlib import Path

import av
import librosa
import numpy as np
import pytest
import soundfile

from emokit.data.audio_io.faults import BadAudio
from emokit.data.audio_io.plausible import Waveform
from emokit.data.audio_io.read import read_audio, resample

RATE = 16_000


def tone(seconds: float = 1.0, rate: int = RATE, frequency_hz: float = 440.0, peak: float = 0.5) -> Waveform:
    return (peak * np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def chunk(name: bytes, content: bytes, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(content) if size is None else size) + content + b"\0" * (len(content) % 2)


def wave(samples: Waveform, before: bytes = b"", after: bytes = b"", size: int | None = None) -> bytes:
    """A 16-bit mono wav file; `size` is what its data chunk declares."""
    content = (samples * 32767).astype("<i2").tobytes()
    layout = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16))
    body = b"WAVE" + layout + before + chunk(b"data", content, size) + after
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_16_bit_samples_are_the_same_numbers_as_soundfile_reads(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(), RATE, subtype="PCM_16")
    audio = read_audio(path)
    expected, _ = soundfile.read(path, dtype="float32")
    assert audio.waveform.dtype == np.float32
    assert (audio.sample_rate, audio.num_channels) == (RATE, 1)
    np.testing.assert_array_equal(audio.waveform, expected)


@pytest.mark.parametrize("form", ["WAV", "WAVEX", "RF64", "W64", "AU"])
@pytest.mark.parametrize("num_channels", [1, 2, 3])
def test_16_bits_in_any_container_are_the_same_numbers(tmp_path: Path, form: str, num_channels: int) -> None:
    path = tmp_path / "a.wav"
    samples = np.random.default_rng(0).integers(-(2**15), 2**15, (1000, num_channels), np.int16)
    soundfile.write(path, samples, RATE, subtype="PCM_16", format=form)
    audio = read_audio(path)
    assert (audio.sample_rate, audio.num_channels) == (RATE, num_channels)
    np.testing.assert_array_equal(audio.waveform, (samples * np.float32(2**-15)).mean(axis=1))


def test_equal_audio_has_the_same_hash_in_any_number_format_and_number_of_channels(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).integers(-(2**15), 2**15, 1000, np.int16)
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="PCM_16")
    soundfile.write(tmp_path / "b.wav", samples / 2**15, RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "c.wav", np.stack([samples, samples], axis=1), RATE, subtype="PCM_16")
    soundfile.write(tmp_path / "d.flac", samples.astype(np.int32) << 16, RATE, subtype="PCM_24")
    assert len({read_audio(path).recording_hash() for path in tmp_path.iterdir()}) == 1
    soundfile.write(tmp_path / "e.wav", samples / 2**15 + 1e-5, RATE, subtype="FLOAT")
    samples[0] ^= 1
    soundfile.write(tmp_path / "f.wav", samples, RATE, subtype="PCM_16")
    assert len({read_audio(path).recording_hash() for path in tmp_path.iterdir()}) == 3


@pytest.mark.parametrize(
    ("name", "subtype"), [("a.wav", "FLOAT"), ("a.wav", "PCM_24"), ("a.flac", "PCM_16"), ("a.aiff", "PCM_16")]
)
def test_other_formats_are_read(tmp_path: Path, name: str, subtype: str) -> None:
    soundfile.write(tmp_path / name, tone(rate=96_000), 96_000, subtype=subtype)
    audio = read_audio(tmp_path / name)
    assert audio.sample_rate == 96_000
    np.testing.assert_allclose(audio.waveform, tone(rate=96_000), atol=2**-15)


def test_channels_are_averaged(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.float32([[0.5, 0.25], [0.25, 0.75]]), RATE, subtype="FLOAT")
    audio = read_audio(tmp_path / "a.wav")
    assert audio.num_channels == 2
    np.testing.assert_array_equal(audio.waveform, np.float32([0.375, 0.5]))


def test_an_aiff_named_wav_is_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.aiff", tone(), RATE)
    (tmp_path / "a.aiff").rename(tmp_path / "a.wav")
    assert len(read_audio(tmp_path / "a.wav").waveform) == RATE


def test_chunks_before_and_after_the_samples_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    before = chunk(b"FLLR", bytes(4001)) + chunk(b"PAD ", b"data")
    path.write_bytes(wave(tone(), before, after=chunk(b"LIST", b"INFO!") + chunk(b"bext", bytes(602)) + b"\0\0\0"))
    assert len(read_audio(path).waveform) == RATE


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFF000, 0x7FFFFFFF])
def test_a_length_that_a_streaming_writer_left_open_is_not_truncation(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wave(tone(), size=size))
    assert len(read_audio(path).waveform) == RATE


def test_a_video_without_audio_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 16
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    expected = f"{path} is undecodable (a container without audio); fetch it again or leave it out."
    assert refusal(path) == (expected, "undecodable")


def test_a_truncated_wav_is_refused_with_both_lengths(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wave(tone(), before=chunk(b"FLLR", bytes(100)))[:10_152])
    sentence = f"{path} is truncated (its header declares 32000 bytes of audio, it has 10000); fetch it again."
    assert refusal(path) == (sentence, "truncated")


def test_a_truncated_flac_is_refused_with_both_lengths(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 5 * RATE)
    soundfile.write(path, noise, RATE)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(
        BadAudio, match=r"\(its header declares 80000 samples, it has \d+\); fetch it again\.$"
    ) as caught:
        read_audio(path)
    assert caught.value.reason == "truncated"
    num_samples = int(caught.value.detail.split()[-1])
    assert 30_000 < num_samples < 42_000


@pytest.mark.parametrize("offset", [100, 10_000])
def test_a_flac_whose_decoder_cannot_seek_back_is_refused(tmp_path: Path, offset: int) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, RATE), RATE)
    content = bytearray(path.read_bytes())
    content[offset : offset + 200] = bytes(200)
    path.write_bytes(content[: len(content) // 2])
    assert refusal(path)[1] == "truncated"


def test_a_git_lfs_pointer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 72862\n")
    sentence = f"{path} is a Git LFS pointer, not audio (130 bytes); fetch the audio itself with `git lfs pull`."
    assert refusal(path) == (sentence, "a Git LFS pointer, not audio")


def test_an_empty_file_and_a_file_without_samples_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    assert refusal(tmp_path / "a.wav") == (f"{tmp_path}/a.wav is empty (0 bytes); fetch it again.", "empty")
    soundfile.write(tmp_path / "b.wav", np.zeros(0, np.float32), RATE)
    assert refusal(tmp_path / "b.wav") == (f"{tmp_path}/b.wav is empty (0 samples); fetch it again.", "empty")


def test_silence_is_a_peak_below_minus_80_decibels(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "loud.wav", tone(peak=1.1e-4), RATE, subtype="FLOAT")
    assert read_audio(tmp_path / "loud.wav").waveform.max() > 1e-4
    soundfile.write(tmp_path / "quiet.wav", tone(peak=0.9e-4), RATE, subtype="FLOAT")
    path = tmp_path / "quiet.wav"
    sentence = f"{path} is silent (16000 samples, peak 9.0e-05 of full scale); leave it out."
    assert refusal(path) == (sentence, "silent")


def test_samples_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(100, np.nan, np.float32), RATE, subtype="FLOAT")
    path = tmp_path / "a.wav"
    sentence = f"{path} is undecodable (samples are not finite numbers); fetch it again or leave it out."
    assert refusal(path) == (sentence, "undecodable")


def test_a_file_that_no_decoder_reads_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_text("This is a text and not audio.\n" * 20)
    sentence = f"{path} is undecodable (Invalid data found when processing input); fetch it again or leave it out."
    assert refusal(path) == (sentence, "undecodable")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    sentence = f"{path} is unreadable (No such file or directory); check that it exists and that you may read it."
    assert refusal(path) == (sentence, "unreadable")


def refusal(path: Path) -> tuple[str, str]:
    with pytest.raises(BadAudio) as caught:
        read_audio(path)
    return str(caught.value), caught.value.reason


def test_only_a_regular_file_is_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    (tmp_path / "link.wav").symlink_to(pipe)
    (tmp_path / "folder.wav").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        for path, kind in (
            (pipe, "a pipe"),
            (tmp_path / "link.wav", "a pipe"),
            (tmp_path / "folder.wav", "a folder"),
            (tmp_path / "s", "a socket"),
            (Path(os.devnull), "a device"),
        ):
            assert refusal(path) == (
                f"{path} is no regular file ({kind}); name an audio file, or write its bytes to standard input and name -.",
                "no regular file",
            )


def test_a_header_of_1_hertz_is_refused_in_every_decoder(tmp_path: Path) -> None:
    for subtype in ("PCM_16", "FLOAT"):
        path = tmp_path / f"{subtype}.wav"
        soundfile.write(path, tone(), RATE, subtype=subtype)
        content = bytearray(path.read_bytes())
        content[24:28] = (1).to_bytes(4, "little")
        path.write_bytes(content)
        assert refusal(path)[1] == "of an implausible sample rate"


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_414, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("num_channels", [1, 2])
def test_resampled_audio_is_what_librosa_loads(tmp_path: Path, rate: int, num_channels: int) -> None:
    path = tmp_path / "a.wav"
    noise = np.random.default_rng(rate).uniform(-0.9, 0.9, (rate // 3 + 7, num_channels))
    soundfile.write(path, noise, rate, subtype="PCM_16")
    audio = read_audio(path)
    expected, _ = librosa.load(path, sr=16_000)
    waveform = resample(audio.waveform, audio.sample_rate, 16_000)
    assert waveform.dtype == np.float32
    assert waveform.shape == expected.shape
    np.testing.assert_array_equal(waveform, expected)


def test_equal_rates_return_the_same_array() -> None:
    waveform = tone()
    assert resample(waveform, RATE, RATE) is waveform


@pytest.mark.corpus
def test_odd_files_of_tess_are_read(corpora: Path) -> None:
    root = corpora / "tess" / "TESS Toronto emotional speech set data"
    names = ("YAF_angry/YAF_germ_angry.wav", "YAF_fear/YAF_neat_fear.wav", "OAF_Fear/OAF_food_fear.wav")
    recordings = [read_audio(root / name) for name in names]
    assert [audio.sample_rate for audio in recordings] == [24_414, 24_414, 96_000]
    assert all(1 < len(audio.waveform) / audio.sample_rate < 4 for audio in recordings)


@pytest.mark.corpus
def test_real_recordings_are_what_librosa_loads(corpora: Path) -> None:
    paths = [next((corpora / name).rglob("*.wav")) for name in ("ravdess", "savee", "tess", "meld", "esd", "cremad")]
    for path in [*paths, next((corpora / "ravdess-22k").rglob("*.flac"))]:
        audio = read_audio(path)
        expected, _ = librosa.load(path, sr=16_000)
        np.testing.assert_allclose(resample(audio.waveform, audio.sample_rate, 16_000), expected, atol=1e-6)


@pytest.mark.corpus
def test_two_originals_of_actor_01_are_stereo(corpora: Path) -> None:
    folder = corpora / "ravdess" / "Audio_Speech_Actors_01-24" / "Actor_01"
    stereo = {path.stem for path in folder.iterdir() if read_audio(path).num_channels == 2}
    assert stereo == {"03-01-02-01-01-02-01", "03-01-08-01-02-02-01"}


def test_a_file_of_no_size_is_empty_without_being_read() -> None:
    with pytest.raises(BadAudio) as error:
        read_audio(Path("/proc/kmsg"))  # reading it waits for the kernel's next message
    assert "is empty (0 bytes)" in str(error.value) or "is unreadable" in str(error.value)
