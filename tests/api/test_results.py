"""Results of predictions in Python: by label, as a list, as a data frame."""

import numpy
import pandas
import pytest

from emokit.api.results import Result, Results, ResultWindow
from emokit.errors import DataError
from emokit.labels import LabelSet
from emokit.modality.predictor import Prediction, Window

LABELS = LabelSet(("calm", "tense", "sad"))


@pytest.fixture
def result():
    windows = (
        Window(0.0, 1.5, numpy.array([0.1, 0.6, 0.3])),
        Window(1.5, 3.0, numpy.array([0.3, 0.2, 0.5])),
    )
    mean = numpy.array([0.2, 0.4, 0.4])
    return Result.of(
        Prediction(LABELS, mean, {"file": "a.wav"}, details={"cut": False}, windows=windows, flags=("short",))
    )


def test_a_result_has_its_probabilities_by_label(result):
    assert (result.name, result.label) == ("a.wav", "tense")
    assert result.probabilities == {"calm": 0.2, "tense": 0.4, "sad": 0.4}
    assert result.windows[1] == ResultWindow(1.5, 3.0, "sad", {"calm": 0.3, "tense": 0.2, "sad": 0.5})
    assert (result.flags, result.details) == (("short",), {"cut": False})
    assert repr(result) == "Result('a.wav': tense 0.400)"


def test_results_become_a_data_frame_with_the_index_of_the_inputs(result):
    results = Results([result, DataError("b.wav is silent; leave it out.")], LABELS, ["a.wav", "b.wav"], [7, 3])
    frame = results.to_frame()
    assert list(frame.columns) == ["name", "label", "p_calm", "p_tense", "p_sad", "error"]
    assert list(frame.index) == [7, 3]
    assert frame.loc[7, ["label", "p_calm"]].tolist() == ["tense", 0.2]
    assert frame.loc[3, "error"] == "b.wav is silent; leave it out."
    assert list(frame["name"]) == ["a.wav", "b.wav"]
    assert frame.loc[3, ["label", "p_calm"]].isna().all()
    assert pandas.isna(frame.loc[7, "error"])
    assert frame["p_sad"].dtype == float
    assert [str(error) for error in results.errors] == ["b.wav is silent; leave it out."]


def test_no_results_are_an_empty_frame():
    assert list(Results([], LABELS, []).to_frame().columns) == ["name", "label", "p_calm", "p_tense", "p_sad", "error"]
