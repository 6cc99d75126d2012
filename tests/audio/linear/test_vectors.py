"""Vectors of a speaker: standardised by the speaker's own where there are enough of them."""

import numpy
import pandas
import pytest

from emokit.audio.linear.vectors import FEWEST_UTTERANCES, Vectors, speakers_of, with_speakers


def test_an_utterance_without_a_speaker_is_a_speaker_of_its_own():
    rows = pandas.DataFrame({"corpus": ["a", "a", "b", "a"], "speaker": ["1", None, "1", None]})
    assert len(set(speakers_of(rows))) == 4
    assert speakers_of(rows)[0] == speakers_of(rows.head(1))[0]


def test_each_speaker_has_its_mean_and_deviation_and_too_few_utterances_have_none():
    random = numpy.random.default_rng(0)
    owners = numpy.array([0, 1, 2, 3, 4, 4, 5])  # utterance 4 has two windows
    values = random.normal(3, 2, (7, 4)).astype(numpy.float32)
    values[:6, 3] = 1.0  # one that does not vary
    statistics = with_speakers(Vectors(owners, values), ["x"] * FEWEST_UTTERANCES + ["y"]).statistics
    assert statistics[:6, 0] == pytest.approx(numpy.tile(values[:6].mean(axis=0), (6, 1)))
    assert statistics[0, 1, :3] == pytest.approx(values[:6].std(axis=0)[:3], rel=1e-5)
    assert statistics[0, 1, 3] == pytest.approx(1e-3)
    assert numpy.isnan(statistics[6]).all()
