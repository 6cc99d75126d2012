"""Long recordings are cut where they are quiet."""

import numpy

from emokit.transcription.transcriber import windows


def test_a_short_waveform_stays_whole():
    waveform = numpy.ones(3000, numpy.float32)
    (window,) = windows(waveform, 1000, 3.0)
    assert window is waveform


def test_a_long_waveform_is_cut_in_the_middle_of_its_quietest_tenth_near_the_end_of_the_window():
    waveform = numpy.ones(70_000, numpy.float32)
    waveform[27_400:27_500] = 0  # in the last five of the first thirty seconds
    first, *others = windows(waveform, 1000, 30.0)
    assert len(first) == 27_450
    assert sum(map(len, (first, *others))) == 70_000
    assert max(map(len, others)) <= 30_000
