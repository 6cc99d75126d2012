"""Families of linear models: recordings are standardised by the training split, or together as one speaker's."""

from pathlib import Path
from types import SimpleNamespace

import numpy
import pytest
import torch

from emokit.audio.linear.family import TOO_FEW, LinearFamily
from emokit.errors import DataError
from emokit.training.linear.model import LinearClassifier

VALUES = {f"{number}.wav": numpy.full((1 + number % 2, 2), float(number), numpy.float32) for number in range(6)}


class Numbers(LinearFamily):
    """The vectors of a recording are its number; one of two windows has an odd number."""

    def vectors_of_rows(self, model, prepared, rows, progress=None):
        raise AssertionError("no rows are read here")

    def vectors_of_recording(self, model, path):
        if path.name not in VALUES:
            raise DataError(f"{path} is missing; name another.")
        values = VALUES[path.name]
        return numpy.zeros((len(values), 2)), values, ("odd",) if len(values) > 1 else ()


def model(normalisation):
    classifier = LinearClassifier()
    classifier.add_classifier(2, 2)
    with torch.no_grad():
        classifier.linear.weight.copy_(torch.eye(2))
        classifier.linear.bias.zero_()
    classifier.config = SimpleNamespace(normalisation=normalisation)
    return classifier


def paths(*names):
    return [Path(name) for name in names]


def test_a_recording_does_not_depend_on_the_others_and_an_error_stays_in_its_place():
    family, plain = Numbers(), model("train")
    first, missing, third = family.predict_recordings(plain, paths("3.wav", "none.wav", "4.wav"))
    assert (first.flags, third.flags) == (("odd",), ())
    assert str(missing) == "none.wav is missing; name another."
    (alone,) = family.predict_recordings(plain, paths("3.wav"))
    assert (alone.by_window == first.by_window).all()
    (embedding, *_) = family.embed_recordings(plain, paths("3.wav"), 1)
    assert embedding.vectors.tolist() == [[3.0, 3.0]]


def test_recordings_of_one_speaker_are_standardised_together_where_there_are_enough():
    family, by_speaker = Numbers(), model("speaker")
    names = ["0.wav", "1.wav", "none.wav", "2.wav", "3.wav", "4.wav"]
    results = list(family.embed_recordings(by_speaker, paths(*names), 8))
    assert isinstance(results.pop(2), DataError)
    every = numpy.concatenate([result.vectors for result in results])
    assert every.mean(axis=0) == pytest.approx([0, 0], abs=1e-6)
    assert every.std(axis=0) == pytest.approx([1, 1], abs=1e-6)
    assert [result.flags for result in results] == [(), ("odd",), (), ("odd",), ()]
    few = list(family.embed_recordings(by_speaker, paths("0.wav", "1.wav"), 8))
    assert few[1].vectors.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert [result.flags for result in few] == [(TOO_FEW,), ("odd", TOO_FEW)]
