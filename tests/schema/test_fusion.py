from pathlib import Path
from typing import Any

import pytest

from emokit.errors import DataError
from emokit.schema.base import check, validated
from emokit.schema.fusion import Fusion

SCORE = {"score": 0.5, "interval": [0.4, 0.6], "difference": 0.1, "difference_interval": [-0.1, 0.3]}
QUALITY = {"ece": 0.1, "brier": 0.5, "nll": 1.2, "bins": [[10, 0.3, 0.2], [30, 0.6, 0.7]]}
STATES = {"before": QUALITY, "after": QUALITY}


@pytest.fixture
def content() -> dict[str, Any]:
    """The content of a `fusion.json` of one modality."""
    method = {"name": "equal", "title": "equal weights", "about": "all modalities weigh the same"}
    return {
        "modalities": ["a"],
        "labels": ["no", "yes"],
        "verdict": "",
        "settings": {"objective": "uar", "step": 0.5},
        "clusters": {"dev": 3, "test": 3},
        "cluster": "dialogue",
        "choice": "equal",
        "best_single": "a",
        "search": {"evaluated": 1, "points": 1, "exact": True, "best": [2], "pooling": "linear"},
        "grid": {"weights": [[2]], "score": [0.5], "low": [0.4], "high": [0.6], "plateau": [1]},
        "bootstrap": {"resamples": 1, "weights": [[1.0, 1.0]], "apparent": 0.5, "optimism": 0.0, "cloud": [[2]]},
        "fusion_methods": [method | {"dev": {"uar": SCORE}, "test": {"uar": SCORE}}],
        "calibration": {"a": {"temperature": 1.5, "dev": STATES, "test": STATES}},
        "confusion": {"a": {"dev": [[1, 0], [0, 1]], "test": [[1, 0], [0, 1]]}},
    }


def test_a_method_without_weights_is_written_without_them(content: dict[str, Any]) -> None:
    assert validated(Fusion, content) == content
    method = Fusion.model_validate(content).fusion_methods[0]
    assert (method.name, method.weights, method.pooling) == ("equal", [], "")
    assert method.test["uar"].difference_interval == (-0.1, 0.3)


def test_a_misspelt_key_of_a_method_is_refused_on_writing(content: dict[str, Any]) -> None:
    content["fusion_methods"][0]["weight"] = [1.0]
    with pytest.raises(ValueError, match=r"Fusion does not declare fusion_methods\.0\.weight = \[1\.0\]"):
        validated(Fusion, content)


@pytest.mark.parametrize(
    ("group", "key", "value", "fault"),
    [
        ("clusters", "dev", None, "has no clusters.dev"),
        ("settings", "objective", "nll", "has no nll of the method equal"),
        ("search", "best", [0], "has a search.best that is no point of its grid"),
        ("grid", "score", [], "has a grid whose lists differ in length"),
        ("grid", "weights", [[2], [3]], "has grid.weights that do not sum to 2 steps over its 1 modalities"),
        ("bootstrap", "cloud", [], "has a bootstrap of other modalities"),
        ("confusion", "a", {}, "has no confusion.a.test of its labels"),
        ("calibration", "a", {"temperature": 1, "dev": {}, "test": {}}, "has no calibration.a.test before and after"),
    ],
)
def test_lists_that_do_not_fit_together_are_refused(
    content: dict[str, Any], group: str, key: str, value: Any, fault: str
) -> None:
    content[group] = {name: inner for name, inner in (content[group] | {key: value}).items() if inner is not None}
    with pytest.raises(DataError) as refused:
        check(Fusion, content, Path("fusion.json"))
    assert str(refused.value) == f"fusion.json {fault}; make the run again, or leave it out."


@pytest.mark.parametrize(
    ("weights", "fault"),
    [
        ([-0.5], "has fusion_methods.0.weights.0 = -0.5, but it should be greater than or equal to 0"),
        ([9.0], "has fusion_methods.0.weights.0 = 9.0, but it should be less than or equal to 1.000001"),
        ([0.5], "has fusion_methods.0.weights = [0.5], but it should sum to 1"),
        ([0.5, 0.5], "has weights of the method equal that are not one for each of its 1 modalities"),
    ],
)
def test_weights_that_no_search_gives_are_refused(content: dict[str, Any], weights: list[float], fault: str) -> None:
    content["fusion_methods"][0]["weights"] = weights
    with pytest.raises(DataError) as refused:
        check(Fusion, content, Path("fusion.json"))
    assert str(refused.value) == f"fusion.json {fault}; make the run again, or leave it out."


@pytest.mark.parametrize(
    ("temperature", "bound"), [(-1.0, "greater than or equal to 0.05"), (1e300, "less than or equal to 20")]
)
def test_temperatures_that_no_search_gives_are_refused(content: dict[str, Any], temperature: float, bound: str) -> None:
    content["calibration"]["a"]["temperature"] = temperature
    with pytest.raises(DataError) as refused:
        check(Fusion, content, Path("fusion.json"))
    assert str(refused.value) == (
        f"fusion.json has calibration.a.temperature = {temperature}, but it should be {bound}; "
        "make the run again, or leave it out."
    )
