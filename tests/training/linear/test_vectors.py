"""Vectors of a speaker: standardised by the speaker's own where there are enough of them."""

import numpy
import pandas
import pytest

from emokit.training.linear.vectors import FEWEST_UTTERANCES, Vectors, speakers_of, with_speakers


def test_an_utterance_without_a_speaker_is_a_speaker_of_its_own():
    rows = pandas.DataFrame({"corpus": ["a", "a", "b", "a"], "speaker": ["1", None, "1", None]})
    assert len(set(speakers_of(rows))) == 4
    assert speakers_of(rows)[0] == speakers_of(rows.head(1))[0]


def test_each_speaker_has_its_mean_and_deviation_and_too_few_utterances_have_none():
    random = numpy.random.default_rng(0)
    owners = numpy.array([0, 1, 2, 3, 4, 4, 5])  # utterance 4 has two windows
    values = random.normal(3, 2, (7, 4)).astype(numpy.float32)
    values[:6, 3] = 1.0  # one that does not vary
    vectors = with_speakers(Vectors(owners, values), ["x"] * FEWEST_UTTERANCES + ["y"])
    assert vectors.speakers.tolist() == [0, 0, 0, 0, 0, 0, -1]
    assert vectors.standardised_share == pytest.approx(6 / 7)
    ((mean, deviation),) = vectors.statistics
    assert mean == pytest.approx(values[:6].mean(axis=0))
    assert deviation[:3] == pytest.approx(values[:6].std(axis=0)[:3], rel=1e-5)
    assert deviation[3] == pytest.approx(1e-3)
