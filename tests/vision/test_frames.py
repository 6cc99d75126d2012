"""Frames of video clips."""

import os
from pathlib import Path

import av
import numpy
import pytest

from emokit.errors import DataError
from emokit.vision.frames import frames, is_clip
from tests.vision.conftest import write_clip


def greys_of(path, number=5):
    return [int(frame[0, 0, 0]) for frame in frames(path, number)]


def test_five_frames_come_from_the_middles_of_five_equal_parts(tmp_path):
    path = write_clip(tmp_path / "a.mkv", range(100))
    assert greys_of(path) == [10, 30, 50, 70, 90]
    assert frames(path)[0].shape == (32, 32, 3)


@pytest.mark.parametrize(("number", "expected"), [(1, [0]), (3, [0, 1, 2]), (5, [0, 1, 2, 3, 4]), (7, [0, 2, 3, 4, 6])])
def test_a_short_clip_gives_each_of_its_frames_once(tmp_path, number, expected):
    assert greys_of(write_clip(tmp_path / "a.mkv", range(number))) == expected


def test_colours_are_red_green_blue(tmp_path):
    path = tmp_path / "red.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=5)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "bgr0"
        red = numpy.zeros((16, 16, 3), numpy.uint8)
        red[:, :, 0] = 255
        for packet in [*stream.encode(av.VideoFrame.from_ndarray(red, format="rgb24")), *stream.encode()]:
            container.mux(packet)
    assert frames(path)[0][3, 3].tolist() == [255, 0, 0]


def test_a_file_that_is_no_clip_is_named(tmp_path):
    with pytest.raises(DataError) as error:
        frames(tmp_path / "a.mkv")
    assert str(error.value) == f"{tmp_path / 'a.mkv'} is not there; name a video clip."
    (tmp_path / "a.mkv").write_bytes(b"no clip" * 99)
    with pytest.raises(DataError) as error:
        frames(tmp_path / "a.mkv")
    assert str(error.value).startswith(f"{tmp_path / 'a.mkv'} cannot be decoded (")
    with av.open(str(tmp_path / "b.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16000)
        silence = av.AudioFrame.from_ndarray(numpy.zeros((1, 1600), numpy.int16), layout="mono")
        silence.sample_rate = 16000
        for packet in [*stream.encode(silence), *stream.encode()]:
            container.mux(packet)
    with pytest.raises(DataError) as error:
        frames(tmp_path / "b.wav")
    assert str(error.value) == f"{tmp_path / 'b.wav'} has no video; name a video clip."


def test_a_name_may_be_no_utf8_and_a_folder_is_no_clip(tmp_path):
    write_clip(tmp_path / "a.mkv", [100])
    odd = tmp_path / os.fsdecode(b"caf\xe9.mkv")
    (tmp_path / "a.mkv").rename(odd)
    assert len(frames(odd)) == 1
    with pytest.raises(DataError) as error:
        frames(tmp_path)
    assert str(error.value) == f"{tmp_path} is a folder, not a file; name a video clip."


@pytest.mark.parametrize(("name", "is_one"), [("a.MP4", True), ("a.mkv", True), ("a.wav", False), ("mp4", False)])
def test_a_clip_is_recognised_by_its_ending(name, is_one):
    assert is_clip(Path(name)) == is_one


def test_a_pipe_is_refused_at_once(tmp_path):
    pipe = tmp_path / "a.mp4"
    os.mkfifo(pipe)
    with pytest.raises(DataError) as error:
        frames(pipe)
    assert str(error.value) == f"{pipe} is a pipe, not a file; name a video clip."
