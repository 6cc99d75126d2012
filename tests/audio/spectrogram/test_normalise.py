"""Statistics of utterances and speakers, against numpy over the joined frames."""

import numpy
import pandas
import pytest

from emokit.audio.settings import DataSettings
from emokit.audio.spectrogram.normalise import (
    SMALLEST_DEVIATION_DB,
    Statistics,
    group_statistics,
    standardised,
    statistics_of,
)


@pytest.fixture
def log_mels():
    random = numpy.random.default_rng(0)
    return [
        random.normal(-40 + 5 * row, 3 + row, (frames, 6)).astype(numpy.float16)
        for row, frames in enumerate((3, 50, 17, 9))
    ]


ROWS = pandas.DataFrame({"corpus": ["emodb", "emodb", "savee", "emodb"], "speaker": ["03", "08", "03", "03"]})


def test_a_speaker_is_standardised_over_all_frames_of_the_speaker_in_a_corpus(log_mels):
    statistics = statistics_of(DataSettings(speaker_normalisation=True), ROWS, log_mels)
    joined = numpy.concatenate([log_mels[0], log_mels[3]]).astype(numpy.float64)
    for row in (0, 3):
        assert statistics[row] == pytest.approx(numpy.stack([joined.mean(axis=0), joined.std(axis=0)]), rel=1e-5)
    assert statistics[2, 0] == pytest.approx(
        log_mels[2].astype(float).mean(axis=0), rel=1e-5
    )  # another corpus's speaker 03


def test_an_utterance_is_standardised_by_itself(log_mels):
    statistics = statistics_of(DataSettings(utterance_normalisation=True), ROWS, log_mels)
    result = standardised(log_mels[1].astype(numpy.float32)[None], statistics[[1]])[0]
    assert result.mean(axis=0) == pytest.approx(numpy.zeros(6), abs=1e-4)
    assert result.std(axis=0) == pytest.approx(numpy.ones(6), rel=1e-4)


def test_an_utterance_without_a_speaker_is_a_group_of_its_own(log_mels):
    rows = ROWS.assign(speaker=["03", None, "08", None])
    statistics = statistics_of(DataSettings(speaker_normalisation=True), rows, log_mels)
    assert statistics[1, 0] == pytest.approx(log_mels[1].astype(float).mean(axis=0), rel=1e-5)
    assert statistics[3, 0] == pytest.approx(log_mels[3].astype(float).mean(axis=0), rel=1e-5)


def test_windows_without_statistics_are_unchanged(log_mels):
    assert statistics_of(DataSettings(), ROWS, log_mels) is None
    windows = numpy.ones((2, 3, 6), numpy.float32)
    assert standardised(windows, None) is windows


def test_a_mel_bin_that_never_varies_is_not_amplified():
    statistics = group_statistics([numpy.full((5, 2), -80, numpy.float16)], [0])
    assert statistics[0, 1].tolist() == [SMALLEST_DEVIATION_DB] * 2


def test_mean_and_deviation_are_over_all_frames_that_were_added(log_mels):
    statistics = Statistics()
    for log_mel in log_mels:
        statistics.add(log_mel)
    joined = numpy.concatenate(log_mels).astype(numpy.float64)
    assert statistics.result() == pytest.approx(numpy.stack([joined.mean(axis=0), joined.std(axis=0)]), rel=1e-5)
