"""Settings of late fusion that are refused, and why."""

import pytest

from emokit.errors import UsageError
from emokit.fusion.late.settings import FusionSettings


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        (
            "fusion.step=0.03",
            "The command line has fusion.step = 0.03, but it must divide 1, as 0.05, 0.02 and 0.005 do.",
        ),
        (
            "fusion.objective=f1",
            "The command line has fusion.objective = 'f1', but it should be 'weighted_f1', 'macro_f1', 'uar', 'accuracy' "
            "or 'nll'.",
        ),
        ("fusion.steps=0.1", "The command line has the unknown key fusion.steps; did you mean fusion.step?"),
        (
            "fusion.resamples=5",
            "The command line has fusion.resamples = 5, but it should be greater than or equal to 100.",
        ),
    ],
)
def test_a_wrong_setting_is_named(override, sentence):
    with pytest.raises(UsageError) as error:
        FusionSettings.read(None, [override])
    assert " ".join(str(error.value).split()) == sentence


def test_steps_are_integers():
    for step, steps in ((0.02, 50), (0.005, 200), (1.0, 1), (0.1, 10), (1 / 3, 3)):
        assert FusionSettings.make({"fusion": {"step": step}}).fusion.steps == steps


def test_a_result_must_fit_the_branches():
    result = {"weights": {"a": 1.0}, "temperatures": {"a": 1.0}, "temperature": 1.0, "pooling": "linear"}
    assert FusionSettings.make({"branches": {"a": ["x"]}, "result": result}).result.weights == {"a": 1.0}
    for branches in ({"b": ["x"]}, {"a": ["x"], "b": ["y"]}):
        with pytest.raises(UsageError) as error:
            FusionSettings.make({"branches": branches, "result": result}, "settings.yaml")
        assert str(error.value) == (
            f"settings.yaml: must have a weight and a temperature for each of its branches ({', '.join(branches)}), and has "
            "weights of a and temperatures of a; make the run again with `emokit fuse-search … --force`."
        )
    for weight in (0.9, 0):
        with pytest.raises(UsageError) as error:
            FusionSettings.make(
                {"branches": {"a": ["x"]}, "result": result | {"weights": {"a": weight}}}, "settings.yaml"
            )
        assert str(error.value) == (
            f"settings.yaml: must have weights that sum to 1, and they sum to {weight}; make the run again with "
            "`emokit fuse-search … --force`."
        )
    with pytest.raises(UsageError) as error:
        FusionSettings.make({"branches": {"a": []}}, "settings.yaml")
    assert str(error.value) == "settings.yaml: must name a run folder or a table for each of its branches."


def test_the_name_of_a_branch_leads_to_no_file():
    with pytest.raises(UsageError) as error:
        FusionSettings.make({"branches": {"/x/y": ["a"]}}, "settings.yaml")
    assert str(error.value) == (
        "settings.yaml has branches./x/y = '/x/y', but it should have only the letters a to z, digits, '_', '.' and '-', "
        "and begin with a letter or digit."
    )
