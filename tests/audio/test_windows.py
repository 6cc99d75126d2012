"""Windows of long recordings: as few as cover them."""

import numpy
import pytest

from emokit.audio.windows import pool_steps, window_spans, window_starts


@pytest.mark.parametrize(
    ("length", "expected"), [(1, [0]), (130, [0]), (131, [0, 1]), (260, [0, 130]), (300, [0, 85, 170])]
)
def test_as_few_windows_as_cover_an_utterance(length, expected):
    assert window_starts(length, 130) == expected


def test_overlapping_windows_start_closer_together():
    assert window_starts(260, 130, overlap=0.5) == [0, 65, 130]
    assert window_starts(100, 130, overlap=0.5) == [0]


def test_a_window_of_a_shorter_utterance_stops_at_its_end():
    assert window_spans([260, 0, 50], 130, 0.0) == [(0, 0, 130), (0, 130, 260), (1, 0, 0), (2, 0, 50)]


def test_frames_are_averaged_over_stretches_of_nearly_equal_length():
    frames = [numpy.arange(8.0).reshape(4, 2), numpy.arange(8.0, 10.0).reshape(1, 2)]
    assert pool_steps(frames, 1).tolist() == [[4.0, 5.0]]
    assert pool_steps(frames, 2).tolist() == [[2.0, 3.0], [7.0, 8.0]]
    assert pool_steps(frames, 9).tolist() == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]
    assert pool_steps(frames, 9).dtype == numpy.float32
