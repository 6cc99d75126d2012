"""Predictions as JSON and as rows of a table."""

import json

import numpy
import pytest

from emokit.errors import DataError
from emokit.labels import LabelSet
from emokit.modality.predictor import Input, NothingToPredict, Prediction, Predictor, Window

LABELS = LabelSet(("calm", "loud", "odd"))
PROBABILITIES = numpy.array([0.1234567, 0.8765432, 0.0000001])


class Lines(Predictor):
    """A predictor of texts with a column before and one after the probabilities."""

    labels = LABELS
    columns = (("number",), ("text",))


@pytest.fixture
def prediction():
    return Prediction(LABELS, PROBABILITIES, {"number": 1, "text": "No!"}, (("1",), ("No!",)), {"cut": False})


def test_json_has_probabilities_of_six_decimals_between_what_was_given_and_details(prediction):
    assert json.dumps(prediction.as_dict()) == (
        '{"number": 1, "text": "No!", "label": "loud", "probabilities": {"calm": 0.123457, "loud": 0.876543, "odd": 0.0}, '
        '"cut": false}'
    )


def test_json_of_a_recording_has_its_windows():
    window = Window(0.0, 1.5, numpy.array([0.6666666, 0.3333334, 0.0]))
    shown = Prediction(LABELS, PROBABILITIES, {"file": "a.wav"}, windows=(window,)).as_dict()
    assert list(shown) == ["file", "label", "probabilities", "windows"]
    assert shown["windows"] == [
        {
            "start_seconds": 0.0,
            "end_seconds": 1.5,
            "label": "calm",
            "probabilities": {"calm": 0.666667, "loud": 0.333333, "odd": 0.0},
        }
    ]


def test_the_label_is_the_most_probable_one_and_the_first_in_a_tie(prediction):
    assert prediction.label == "loud"
    tie = Prediction(LABELS, numpy.array([0.2, 0.4, 0.4]), {})
    assert tie.label == tie.as_dict()["label"] == "loud"


def test_a_table_has_the_label_and_probabilities_between_the_predictors_columns(prediction):
    assert Lines().header({}) == ["number", "label", "calm", "loud", "odd", "text"]
    assert Lines().rows(prediction, {}) == [["1", "loud", "0.123", "0.877", "0.000", "No!"]]


def test_a_predictor_has_no_notes_unless_it_says_so():
    assert tuple(Lines().notes) == ()
    assert Lines().closing_note() is None


def test_an_input_has_a_name_and_nothing_else_by_default():
    assert (Input("a").path, Input("a").text) == (None, None)
    assert issubclass(NothingToPredict, DataError)


def test_json_has_the_flags_of_the_input():
    shown = Prediction(LABELS, PROBABILITIES, {"file": "a.wav"}, flags=("odd (peak 3)",)).as_dict()
    assert shown["flags"] == ["odd (peak 3)"]
    assert "flags" not in Prediction(LABELS, PROBABILITIES, {"file": "a.wav"}).as_dict()


@pytest.mark.parametrize("value", [numpy.nan, numpy.inf])
@pytest.mark.parametrize(
    ("given", "name"),
    [({"file": "a.wav", "text": "No!"}, "a.wav"), ({"number": 1, "text": "No!"}, "No!"), ({}, "An input")],
)
def test_probabilities_that_are_not_finite_are_refused_by_name(given, name, value):
    wrong = numpy.array([0.5, value, 0.5])
    sentence = (
        f"{name} got probabilities that are not finite numbers; "
        "leave it out, or train the run again with --force if every input gets them."
    )
    with pytest.raises(DataError) as error:
        Prediction(LABELS, wrong, given)
    assert str(error.value) == sentence
    with pytest.raises(DataError) as error:
        Prediction(LABELS, PROBABILITIES, given, windows=(Window(0.0, 1.5, wrong),))
    assert str(error.value) == sentence
